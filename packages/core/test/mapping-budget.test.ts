// The budget of kernel mappings: refused before the kernel would, counted and told of like any
// other refusal, and asked about no more often than it has to be.
import {
  createMemory,
  OutOfMemoryError,
  type Memory,
  type MemoryEvent,
  type MemoryOptions,
  type Region,
  type Traits,
} from '@memlayer/core'
import { describe, expect, it } from 'vitest'
import { errorOf } from './errors-of.js'
import { PageOS } from './page-os.js'

const page = 4096
const limit = 65530

/** A memory whose process has as many mappings as the test says, and how often it was asked. */
function bounded(
  count: { readonly used: number; readonly limit: number },
  traits: Partial<Traits> = {},
  options: MemoryOptions = {},
): { memory: Memory; os: PageOS; count: { used: number }; asked: () => number } {
  const os = new PageOS({ traits })
  const current = { ...count }
  let asked = 0
  os.host = {
    mappings: () => {
      asked += 1
      return current
    },
  }
  return { memory: createMemory(os, options), os, count: current, asked: () => asked }
}

/** Operations that may cost mappings, until one is refused; how many were not. */
function untilRefused(memory: Memory, most: number): { done: number; error: unknown } {
  const v = memory.sysReserve(null, page)
  for (let done = 0; done < most; done++) {
    try {
      memory.sysMap(v, page, null)
      memory.sysFault(v, page)
    } catch (error) {
      return { done, error }
    }
  }
  return { done: most, error: undefined }
}

/** The process is at its limit from now on, and the memory finds out: by pages that are reserved, and others that are Ready. */
function exhaust(memory: Memory, count: { used: number }, reserved: number, ready: number): void {
  count.used = limit
  for (const run of [() => memory.sysHugePage(reserved, page), () => memory.sysUsed(ready, page)]) {
    for (let i = 0; i < 2000; i++) {
      try {
        run()
      } catch {
        break
      }
    }
  }
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
    expect(asked()).toBeLessThan(15)
  })

  it('refuses within a thousand of the limit, says so, and lets go on when there is room again', () => {
    const { memory, os, count } = bounded({ used: limit - 1000, limit })
    const { error } = untilRefused(memory, 10_000)
    expect(error).toBeInstanceOf(OutOfMemoryError)
    expect(error).toMatchObject({
      op: expect.stringMatching(/^sysMap$|^sysFault$/) as string,
      size: page,
      hint: expect.stringContaining('vm.max_map_count') as string,
    })
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
    const { memory, os, asked } = bounded({ used: limit, limit }, {}, { ledger: false })
    const calls = os.calls.length
    for (let i = 0; i < 5000; i++) memory.sysFree(memory.sysAlloc(page, null), page, null)
    expect(os.calls).toHaveLength(calls + 2 * 5000)
    memory.sysReserveAligned(null, page, page)
    expect(asked()).toBe(0)
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

  const cuts = { unusedTraps: true }
  const advises = { hugePageSize: 4 * page }
  const costly: [string, Partial<Traits>, (memory: Memory, v: number) => void][] = [
    ['sysFault', {}, (memory, v) => memory.sysFault(v, page)],
    [
      'sysHugePage of what is reserved',
      {},
      (memory) => memory.sysHugePage(memory.regions()[0]?.address ?? 0, 17 * page),
    ],
    ['sysHugePage of what is mapped', advises, (memory, v) => memory.sysHugePage(v, 4 * page)],
    ['sysUnused that changes permissions', cuts, (memory, v) => memory.sysUnused(v, page)],
    ['sysUsed that changes permissions', cuts, (memory, v) => memory.sysUsed(v, page)],
    ['sysUnusedAll that changes permissions', cuts, (memory, v) => memory.sysUnusedAll([v, page, v + 2 * page, page])],
    ['sysUnused that advises', advises, (memory, v) => memory.sysUnused(v, page)],
    ['sysUsed that advises', advises, (memory, v) => memory.sysUsed(v, page)],
    ['sysUnusedAll that advises', advises, (memory, v) => memory.sysUnusedAll([v, page, v + 2 * page, page])],
    ['sysFree from the middle', {}, (memory, v) => memory.sysFree(v, page, null)],
    [
      'a policy as to huge pages',
      advises,
      (memory) => void Object.assign(memory.regions()[0] as Region, { hugePages: 'off' }),
    ],
  ]

  it.each(costly)('refuses %s at the limit, before any effect', (_, traits, run) => {
    const { memory, os, count } = bounded({ used: 200, limit }, traits)
    const region = memory.reserve(20 * page)
    region.commit(0, 16 * page)
    exhaust(memory, count, region.address + 16 * page, region.address)
    const view = region.view(Uint8Array, 0, 16 * page)
    const before = [memory.ranges(), memory.stats().total.ready, os.calls.length]
    const error = errorOf(() => run(memory, region.address + 4 * page))
    expect(error).toBeInstanceOf(OutOfMemoryError)
    expect(error.hint).toContain('vm.max_map_count')
    expect([memory.ranges(), memory.stats().total.ready, os.calls.length]).toEqual(before)
    expect(view.length).toBe(16 * page)
    memory.check()
    count.used = 200
    memory.sysReserve(null, page)
    run(memory, region.address + 4 * page)
  })

  it('never refuses a free that makes room, nor advice that can come to nothing', () => {
    const { memory, count } = bounded({ used: 200, limit })
    const region = memory.reserve(16 * page)
    region.commit(4 * page, 8 * page)
    exhaust(memory, count, region.address, region.address + 4 * page)
    region.free(0, page)
    region.free(4 * page, 8 * page)
    region.free(15 * page, page)
    region.free()
    expect(errorOf(() => memory.sysReserve(null, page))).toBeInstanceOf(OutOfMemoryError)
    memory.check()
  })

  it('asks the more often the less is left, so that several memories together stay below the limit', () => {
    const count = { used: 200, limit }
    const memories = Array.from({ length: 8 }, () => {
      const os = new PageOS()
      os.host = { mappings: () => count }
      const memory = createMemory(os)
      return { memory, v: memory.sysReserve(null, page) }
    })
    for (let done = 0; memories.length > 0; done++) {
      const { memory, v } = memories[done % memories.length] as (typeof memories)[0]
      try {
        memory.sysHugePage(v, page)
        count.used += 2
      } catch {
        memories.splice(done % memories.length, 1)
      }
      expect(count.used).toBeLessThan(limit)
    }
    expect(count.used).toBeGreaterThan(limit - 1100)
  })

  it('counts advice seldom where all that could be given would cost little, and often where it would not', () => {
    const asked = [16, 2 ** 17].map((pages) => {
      const os = new PageOS({ traits: { hugePageSize: page }, pages: 2 ** 18 })
      let times = 0
      os.host = { mappings: () => ({ used: 200, limit: (times += 1) && limit }) }
      const memory = createMemory(os)
      const v = memory.sysAlloc(pages * page, null)
      for (let i = 0; i < 50_000; i++) memory.sysUsed(v, page)
      return times
    })
    expect(asked[0]).toBeLessThan(3)
    expect(asked[1]).toBeGreaterThan(20)
  })

  it('asks nothing of a program that frees what it obtained last, however often', () => {
    const { memory, asked } = bounded({ used: 200, limit })
    for (let i = 0; i < 20_000; i++) {
      memory.sysFree(memory.sysAlloc(page, null), page, null)
      memory.sysFree(memory.sysReserve(null, page), page, null)
    }
    expect(asked()).toBe(0)
    // Two at a time, the first of which is not the last.
    for (let i = 0; i < 5000; i++) {
      const both = [memory.sysAlloc(page, null), memory.sysAlloc(page, null)]
      for (const v of both) memory.sysFree(v, page, null)
    }
    expect(asked()).toBeGreaterThan(2)
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
