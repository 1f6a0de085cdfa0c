// Tests the budget of kernel mappings. Core refuses an operation before the kernel would. It counts and reports this
// like any other refusal. It reads the number of mappings only as often as needed.
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

/** Makes a memory whose number of mappings the test sets. `asked` tells how often core read that number. */
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

/** Does operations that may cost mappings until one is refused. Returns the number of finished operations. */
function untilRefused(memory: Memory, operationsMax: number): { done: number; error: unknown } {
  const v = memory.sysReserve(null, page)
  for (let done = 0; done < operationsMax; done++) {
    try {
      memory.sysMap(v, page, null)
      memory.sysFault(v, page)
    } catch (error) {
      return { done, error }
    }
  }
  return { done: operationsMax, error: undefined }
}

/**
 * Sets the process to its limit, and makes the memory notice it. It does operations on a `reserved` page and on a
 * `ready` page until the memory refuses them.
 */
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
  it('goes on where the kernel has no limit', () => {
    const { memory } = bounded({ used: 1, limit: Infinity })
    expect(untilRefused(memory, 2000)).toMatchObject({ done: 2000 })
  })

  it('does not limit an OS without such a bound', () => {
    const memory = createMemory(new PageOS())
    expect(untilRefused(memory, 10_000).error).toBe(undefined)
    expect(memory.mappings()).toBe(null)
  })

  it('is read once in thousands of operations while there is room', () => {
    const { memory, asked } = bounded({ used: 200, limit })
    expect(untilRefused(memory, 12_000).error).toBe(undefined)
    expect(asked()).toBeGreaterThan(0)
    expect(asked()).toBeLessThan(15)
  })

  it('is not spent by what is obtained and freed at once, and is by a part of it', () => {
    const { memory, asked } = bounded({ used: 200, limit })
    for (let i = 0; i < 20_000; i++) memory.sysFree(memory.sysAlloc(2 * page, null), 2 * page, null)
    memory.sysReserve(null, page)
    expect(asked()).toBe(0)
    for (let i = 0; i < 2000; i++) {
      const v = memory.sysAlloc(2 * page, null)
      memory.sysFree(v, page, null)
      memory.sysFree(v + page, page, null)
    }
    expect(asked()).toBeGreaterThan(0)
  })

  it('refuses within a thousand of the limit, gives the reason, and works again when there is room', () => {
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

  it('refuses nothing without a ledger, so that each call reaches the kernel as in Go', () => {
    const { memory, os, asked } = bounded({ used: limit, limit }, {}, { ledger: false })
    const calls = os.calls.length
    for (let i = 0; i < 5000; i++) memory.sysFree(memory.sysAlloc(page, null), page, null)
    expect(os.calls).toHaveLength(calls + 2 * 5000)
    memory.sysReserveAligned(null, page, page)
    expect(asked()).toBe(0)
  })

  it('counts and reports its refusals like any other, and counts no byte', () => {
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
    ['sysHugePage of Reserved pages', {}, (memory) => memory.sysHugePage(memory.regions()[0]?.address ?? 0, 17 * page)],
    ['sysHugePage of mapped pages', advises, (memory, v) => memory.sysHugePage(v, 4 * page)],
    ['sysUnused that changes permissions', cuts, (memory, v) => memory.sysUnused(v, page)],
    ['sysUsed that changes permissions', cuts, (memory, v) => memory.sysUsed(v, page)],
    ['sysUnusedAll that changes permissions', cuts, (memory, v) => memory.sysUnusedAll([v, page, v + 2 * page, page])],
    ['sysUnused that advises', advises, (memory, v) => memory.sysUnused(v, page)],
    ['sysUsed that advises', advises, (memory, v) => memory.sysUsed(v, page)],
    ['sysUnusedAll that advises', advises, (memory, v) => memory.sysUnusedAll([v, page, v + 2 * page, page])],
    ['sysFree from the middle', {}, (memory, v) => memory.sysFree(v, page, null)],
    [
      'a huge page policy',
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

  it('never refuses a free that makes room', () => {
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

  it('is read more often near the limit, so that several memories together stay below it', () => {
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

  it('is rarely read for advice on few pages, and often for advice on many pages', () => {
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

  it('is never read in a program that always frees the range it obtained last', () => {
    const { memory, asked } = bounded({ used: 200, limit })
    for (let i = 0; i < 20_000; i++) {
      memory.sysFree(memory.sysAlloc(page, null), page, null)
      memory.sysFree(memory.sysReserve(null, page), page, null)
    }
    expect(asked()).toBe(0)
    // This obtains two ranges at a time. The first range is not the last one when it is freed.
    for (let i = 0; i < 5000; i++) {
      const both = [memory.sysAlloc(page, null), memory.sysAlloc(page, null)]
      for (const v of both) memory.sysFree(v, page, null)
    }
    expect(asked()).toBeGreaterThan(2)
  })

  it('is read again, once in thousands of operations, if it could not be read', () => {
    const { memory, count, asked } = bounded({ used: NaN, limit: NaN })
    expect(untilRefused(memory, 20_000).error).toBe(undefined)
    expect(asked()).toBeGreaterThan(1)
    expect(asked()).toBeLessThan(30)
    Object.assign(count, { used: 65_000, limit })
    expect(untilRefused(memory, 20_000).error).toMatchObject({ code: 'ERR_MEMLAYER_OUT_OF_MEMORY' })
  })

  it('tells the mappings of the process, the limit, and the mappings of the memory’s own ranges', () => {
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
