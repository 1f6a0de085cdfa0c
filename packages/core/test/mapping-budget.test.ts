// The budget of kernel mappings: refused before the kernel would, counted and told of like any
// other refusal, and asked about no more often than it has to be.
import { createMemory, OutOfMemoryError, type MappingCount, type Memory, type MemoryEvent, type MemoryOptions } from '@memlayer/core'
import { describe, expect, it } from 'vitest'
import { errorOf } from './errors-of.js'
import { PageOS } from './page-os.js'

const page = 4096
const limit = 65530

/** A memory whose process has as many mappings as the test says, and how often it was asked. */
function bounded(count: MappingCount, options: MemoryOptions = {}): { memory: Memory; os: PageOS; count: { used: number }; asked: () => number } {
  const os = new PageOS()
  const current = { ...count }
  let asked = 0
  os.mappings = () => {
    asked += 1
    return current
  }
  return { memory: createMemory(os, options), os, count: current, asked: () => asked }
}

/** Operations that may cost mappings, until one is refused; how many were not. */
function untilRefused(memory: Memory, most: number): { done: number; error: unknown } {
  const v = memory.sysReserve(null, page)
  for (let done = 0; done < most; done++) {
    try {
      memory.sysMap(v, page, null)
    } catch (error) {
      return { done, error }
    }
    memory.sysFault(v, page)
  }
  return { done: most, error: undefined }
}

describe('the budget of kernel mappings', () => {
  it('asks nothing of an OS that has no such bound', () => {
    const memory = createMemory(new PageOS())
    expect(untilRefused(memory, 10_000).error).toBe(undefined)
    expect(memory.mappings()).toBe(null)
  })

  it('is asked after once in thousands of operations while there is room', () => {
    const { memory, asked } = bounded({ used: 200, limit })
    expect(untilRefused(memory, 12_000).error).toBe(undefined)
    expect(asked()).toBeGreaterThan(0)
    expect(asked()).toBeLessThan(10)
  })

  it('refuses within a thousand of the limit, says so, and lets go on when there is room again', () => {
    const { memory, os, count } = bounded({ used: limit - 1000, limit })
    const { error } = untilRefused(memory, 10_000)
    expect(error).toBeInstanceOf(OutOfMemoryError)
    expect(error).toMatchObject({ op: 'sysMap', size: page, hint: expect.stringContaining('vm.max_map_count') as string })
    expect((error as Error).message).toContain(`the process has ${limit - 1000} of ${limit} kernel mappings`)
    for (const call of [
      () => memory.sysAlloc(page, null),
      () => memory.sysReserve(null, page),
      () => memory.sysReserveAligned(null, page, page),
    ]) {
      const calls = os.calls.length
      expect(errorOf(call)).toBeInstanceOf(OutOfMemoryError)
      expect(os.calls).toHaveLength(calls)
    }
    memory.check()
    count.used = 200
    memory.sysFree(memory.sysAlloc(page, null), page, null)
  })

  it('refuses nothing without a ledger: the wrappers are Go’s, and the kernel is asked each time', () => {
    const { memory, os, asked } = bounded({ used: limit, limit }, { ledger: false })
    const calls = os.calls.length
    expect(untilRefused(memory, 5000).error).toBe(undefined)
    expect(os.calls).toHaveLength(calls + 1 + 2 * 5000)
    memory.sysAlloc(page, null)
    memory.sysReserveAligned(null, page, page)
    expect(asked()).toBe(0)
  })

  it('counts what gives pages back too, which may split mappings, and never refuses it', () => {
    const { memory, asked } = bounded({ used: limit, limit })
    const v = memory.sysAlloc(page, null)
    for (let i = 0; i < 3000; i++) {
      memory.sysUnused(v, page)
      memory.sysUsed(v, page)
    }
    expect(asked()).toBe(0)
    expect(errorOf(() => memory.sysReserve(null, page))).toBeInstanceOf(OutOfMemoryError)
    expect(asked()).toBe(1)
    memory.sysFree(v, page, null)
  })

  it('counts and tells of its refusals like any other, and counts no byte', () => {
    const { memory } = bounded({ used: limit, limit })
    const heap = memory.stat('heap')
    untilRefused(memory, 10_000)
    const before = memory.stats()
    const heard: MemoryEvent[] = []
    memory.observe((event) => heard.push(event))
    const error = errorOf(() => memory.sysAlloc(page, heap))
    expect(heard).toEqual([{ op: 'sysAlloc', address: null, size: page, category: 'heap', outcome: 'refused', error }])
    expect(memory.stats().total.refusals).toBe(before.total.refusals + 1)
    expect(heap.load()).toBe(0)
    memory.check()
  })

  it('never asks again where the limit is not known', () => {
    const { memory, asked } = bounded({ used: NaN, limit: NaN })
    expect(untilRefused(memory, 20_000).error).toBe(undefined)
    expect(asked()).toBe(1)
  })

  it('tells the process’s use, the limit, and what the memory’s own ranges cost', () => {
    const { memory } = bounded({ used: 200, limit })
    const own = (): number | undefined => memory.mappings()?.own
    expect(memory.mappings()).toEqual({ used: 200, limit, own: 0 })
    const v = memory.sysReserve(null, 8 * page)
    const reserved = own()
    expect(reserved).toBeGreaterThan(0)
    memory.sysMap(v + 2 * page, 2 * page, null)
    expect(own()).toBeGreaterThan(reserved ?? NaN)
    memory.sysFree(v, 8 * page, null)
    expect(own()).toBe(0)
  })
})
