// The figures and the events.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { createMemory, type MemoryEvent } from '@memlayer/core'
import { createOS } from '@memlayer/os-js'
import { createOS as createWindows } from '@memlayer/os-windows'
import { simulate } from '@memlayer/simkernel'
import { createOS as createLinux } from '@memlayer/os-linux'
import {
  channels,
  publishEvents,
  readPoints,
  type Point,
  type PointOptions,
  type PublishedEvent,
} from '@memlayer/metrics'
import { observeMemory } from '@memlayer/metrics/opentelemetry'
import { collectMemory } from '@memlayer/metrics/prom-client'
import { Registry } from 'prom-client'
import { describe, expect, it } from 'vitest'
import { expected, inUse } from './world.js'

const MiB = 2 ** 20

describe('the points', () => {
  it("are the memory's statistics, figure by figure", () => {
    const memory = inUse()
    const read = Object.fromEntries(
      readPoints(memory).map(({ name, category, state, value }) => [
        [name, category, state].filter(Boolean).join(' '),
        value,
      ]),
    )
    expect(read).toEqual(expected(memory.stats()))
  })

  it("sum to the total, also when a category has the name 'uncategorized'", () => {
    const memory = inUse()
    memory.sysAlloc(memory.os.traits.pageSize, memory.stat('uncategorized'))
    memory.sysAlloc(memory.os.traits.pageSize, memory.stat('__proto__'))
    const points = readPoints(memory)
    const sum = (name: string): number =>
      points.filter((one) => one.name === name).reduce((total, { value }) => total + value, 0)
    const { total } = memory.stats()
    expect(sum('memlayer.memory.usage')).toBe(total.reserved + total.prepared + total.ready)
    expect(sum('memlayer.memory.held')).toBe(total.held)
    expect(sum('memlayer.operations')).toBe(total.calls)
    expect(new Set(points.map(({ name, category, state }) => `${name} ${category} ${state}`)).size).toBe(points.length)
  })

  it('have the commit limit and its use, where an OS charges what is committed', () => {
    const GiB = 2 ** 30
    const memory = createMemory(createWindows({ kernel: simulate('windows', { limits: { commit: 4 * GiB } }) }))
    const read = (name: string): number | undefined => readPoints(memory).find((point) => point.name === name)?.value
    const before = read('memlayer.system.commit') ?? NaN
    memory.sysAlloc(GiB, null)
    expect([read('memlayer.system.commit'), read('memlayer.system.commit.limit')]).toEqual([before + GiB, 4 * GiB])
    expect(readPoints(createMemory(createOS())).some(({ name }) => name.startsWith('memlayer.system'))).toBe(false)
  })

  it('have the idle pages that stay and those that went, and the limit where one is set', () => {
    const memory = inUse()
    const page = memory.os.traits.pageSize
    const read = (name: string): number | undefined => readPoints(memory).find((point) => point.name === name)?.value
    const { ready } = memory.stats().total
    expect([read('memlayer.memory.retained'), read('memlayer.scavenger.released')]).toEqual([2 * page, page])
    expect([read('memlayer.memory.limit'), read('memlayer.memory.limit.used')]).toEqual([undefined, undefined])
    memory.limit = { bytes: 1000 * page }
    expect([read('memlayer.memory.limit'), read('memlayer.memory.limit.used')]).toEqual([1000 * page, ready + 2 * page])
  })

  it('leave out unknown figures: without a ledger there are no states', () => {
    const memory = createMemory(createOS(), { ledger: false })
    memory.sysAlloc(memory.os.traits.pageSize, memory.stat('cache'))
    const names = new Set(readPoints(memory).map(({ name }) => name))
    expect([...names]).toEqual(['memlayer.memory.held', 'memlayer.operations', 'memlayer.operations.refused'])
  })
})

/** The values of one instrument, by its attributes. */
function valuesOf(points: readonly Point[], name: string): Record<string, number> {
  return Object.fromEntries(
    points
      .filter((point) => point.name === name)
      .map(({ category, state, part, limit, op, error_type, value }) => [
        [category, state, part, limit, op, error_type].filter((one) => one !== undefined).join(' '),
        value,
      ]),
  )
}

describe('categories beyond the cap', () => {
  it('are one, other: all of them still sum to the total, and a category keeps its series while it lives', () => {
    const memory = createMemory(createOS())
    const page = memory.os.traits.pageSize
    const regions = Array.from({ length: 500 }, (_, i) => {
      const region = memory.reserve(4 * page, { name: `r${i}` })
      region.commit(0, page)
      return region
    })
    const points = readPoints(memory, { categories: 10 })
    const held = valuesOf(points, 'memlayer.memory.held')
    expect(Object.keys(held)).toHaveLength(12)
    expect(held).toMatchObject({ r0: page, r9: page, other: 490 * page, uncategorized: 0 })
    const sum = (name: string): number => Object.values(valuesOf(points, name)).reduce((all, value) => all + value, 0)
    const { total } = memory.stats()
    expect(sum('memlayer.memory.usage')).toBe(total.reserved + total.prepared + total.ready)
    expect(sum('memlayer.operations')).toBe(total.calls)
    // Peaks do not add up.
    expect(valuesOf(points, 'memlayer.memory.category.peak')).not.toHaveProperty('other')
    expect(new Set(points.map((point) => JSON.stringify({ ...point, value: 0 }))).size).toBe(points.length)
    expect(points.length).toBeLessThan(120)
    for (const region of regions) region.free()
  })

  it('count operations that never become fewer, while regions with names of their own come and go', () => {
    const memory = createMemory(createOS())
    const page = memory.os.traits.pageSize
    const kept = Array.from({ length: 3 }, (_, i) => memory.reserve(page, { name: `kept ${i}` }))
    for (const region of kept) region.commit(0, page)
    let before = 0
    for (let i = 0; i < 600; i++) {
      const region = memory.reserve(page, { name: `one ${i}` })
      region.commit(0, page)
      const { other = NaN, ...own } = valuesOf(readPoints(memory, { categories: 2 }), 'memlayer.operations')
      expect(Object.keys(own)).toEqual(['uncategorized', 'kept 0', 'kept 1'])
      expect(other).toBeGreaterThan(before)
      before = other
      region.free()
    }
    // A map, a use and a free of each, and what the third that was kept has made.
    expect(before).toBeGreaterThanOrEqual(600 * 2)
    for (const region of kept) region.free()
  })

  it('are as many as an option says, which is a number', () => {
    const memory = createMemory(createOS())
    for (const categories of [-1, 1.5, NaN, '3'])
      for (const call of [
        () => readPoints(memory, { categories } as PointOptions),
        () => collectMemory(memory, { categories, registry: new Registry() } as object),
        () => observeMemory(memory, { categories } as object),
      ])
        expect(call).toThrow(expect.objectContaining({ code: 'ERR_MEMLAYER_OPTION' }) as Error)
    memory.sysAlloc(memory.os.traits.pageSize, memory.stat('a'))
    expect(Object.keys(valuesOf(readPoints(memory, { categories: 0 }), 'memlayer.memory.held'))).toEqual([
      'uncategorized',
      'other',
    ])
  })
})

describe.skipIf(process.platform !== 'linux')('on Linux, the points', () => {
  it('have resident bytes by category as the kernel says, and their age', async () => {
    const memory = createMemory(createLinux())
    const cache = memory.reserve(8 * MiB, { stat: memory.stat('cache'), hugePages: 'off' })
    cache.commit(0, 8 * MiB)
    cache.view(Uint8Array, 0, 3 * MiB).fill(1)
    const raw = memory.sysAlloc(2 * MiB, null)
    const points = readPoints(memory)
    expect(valuesOf(points, 'memlayer.memory.resident')).toEqual({
      cache: memory.residency(cache.address, cache.size)?.resident,
      uncategorized: memory.residency(raw, 2 * MiB)?.resident,
    })
    expect(valuesOf(points, 'memlayer.memory.resident')['cache']).toBe(3 * MiB)
    const [age = NaN] = Object.values(valuesOf(points, 'memlayer.memory.resident.age'))
    expect(age).toBeGreaterThanOrEqual(0)
    expect(age).toBeLessThan(5)
    // A look that took long stands for a while, and says how old it is.
    cache.view(Uint8Array, 3 * MiB, MiB).fill(1)
    await expect
      .poll(() => valuesOf(readPoints(memory), 'memlayer.memory.resident')['cache'], { timeout: 60_000 })
      .toBe(4 * MiB)
    memory.sysFree(raw, 2 * MiB, null)
    cache.free()
  })

  it('look at a large memory in several reads, and then have all of it', () => {
    const memory = createMemory(createLinux())
    const region = memory.reserve(64 * 1024 * MiB, { name: 'large', hugePages: 'off' })
    // The kernel grants in steps what it refuses at once.
    for (let i = 0; i < 64; i++) region.commit(i * 1024 * MiB, 1024 * MiB)
    // Two touched pages in each of 64 steps.
    for (let i = 0; i < 64; i++) region.view(Uint8Array, i * 1024 * MiB, 8192).fill(1)
    let longest = 0
    let resident: number | undefined
    for (let i = 0; i < 10_000 && resident === undefined; i++) {
      const start = performance.now()
      resident = valuesOf(readPoints(memory), 'memlayer.memory.resident')['large']
      longest = Math.max(longest, performance.now() - start)
    }
    expect(resident).toBe(64 * 8192)
    // One step may be as long as the machine is slow. All of it at once would take many of them.
    expect(longest).toBeLessThan(2000)
    region.free()
  })

  it('have the parts of a limit of the layer, which sum to what is used, and the limits of the host by name', () => {
    const memory = createMemory(createLinux(), { scavenge: { share: 0 } })
    const region = memory.reserve(8 * MiB, { name: 'parts' })
    region.commit(0, 8 * MiB)
    region.idle(0, 3 * MiB)
    expect(valuesOf(readPoints(memory), 'memlayer.memory.limit.part')).toEqual({})
    memory.limit = { bytes: 64 * MiB }
    const parts = valuesOf(readPoints(memory), 'memlayer.memory.limit.part')
    expect(parts).toMatchObject({ ready: 5 * MiB, idle: 3 * MiB })
    expect(Object.values(parts).reduce((all, value) => all + value, 0)).toBe(memory.limit?.used)
    expect(parts['others']).toBeGreaterThanOrEqual(0)
    memory.limit = { bytes: 2 ** 40, of: 'process' }
    expect(valuesOf(readPoints(memory), 'memlayer.memory.limit.part')).toEqual({})
    const limits = Object.fromEntries(memory.hostLimits().map(({ name, bytes }) => [name, bytes]))
    expect(valuesOf(readPoints(memory), 'memlayer.process.limit')).toEqual(limits)
    region.free()
  })

  it('have operations by name and failures by error where they are counted, and only there', async () => {
    const memory = createMemory(createLinux())
    const region = memory.reserve(4 * MiB, { name: 'counted' })
    const [counts, plain] = [new Registry(), new Registry()]
    const end = collectMemory(memory, { registry: counts, operations: true })
    collectMemory(memory, { registry: plain })
    region.commit(0, MiB)
    region.unused(0, MiB)
    for (let i = 0; i < 2; i++) expect(() => memory.sysAlloc(2 ** 52, null)).toThrow()
    memory.limit = { bytes: 4096 }
    expect(() => region.commit(0, MiB)).toThrow()
    const text = await counts.metrics()
    expect(text).toContain('memlayer_calls_total{op="sysUnused"} 1')
    expect(text).toContain('memlayer_calls_total{op="sysAlloc"} 2')
    expect(text).toContain('memlayer_failures_total{op="sysAlloc",error_type="ENOMEM"} 2')
    // The layer's own limit is not the kernel's answer.
    expect(text).toMatch(/memlayer_failures_total\{op="sysUsed",error_type="ERR_MEMLAYER_OUT_OF_MEMORY"\} 1/)
    expect(await plain.metrics()).not.toMatch(/memlayer_(calls|failures)_total\{/)
    end()
    memory.limit = null
    region.free()
  })
})

describe('the events', () => {
  it('come on documented channels, failures on a channel of their own, until the end', () => {
    const memory = createMemory(createOS())
    const heard: [string, MemoryEvent['op'], MemoryEvent['outcome'], boolean][] = []
    const listener = (message: unknown, name: string | symbol): void => {
      const event = message as PublishedEvent
      heard.push([String(name), event.op, event.outcome, event.memory === memory])
    }
    for (const name of Object.values(channels)) subscribe(name, listener)
    const end = publishEvents(memory)
    try {
      memory.sysReserve(null, memory.os.traits.pageSize)
      expect(() => memory.sysAlloc(2 ** 52, null)).toThrow()
      end()
      memory.sysReserve(null, memory.os.traits.pageSize)
    } finally {
      for (const name of Object.values(channels)) unsubscribe(name, listener)
    }
    expect(heard).toEqual([
      ['memlayer:operation', 'sysReserve', 'done', true],
      ['memlayer:operation', 'sysAlloc', 'refused', true],
      ['memlayer:failure', 'sysAlloc', 'refused', true],
    ])
  })

  it('cost nothing without a listener', () => {
    const memory = createMemory(createOS())
    let reads = 0
    const end = publishEvents({
      ...memory,
      observe: (observer, options) =>
        memory.observe((event) => ((reads += 1), observer(event)), { wanted: () => options?.wanted?.() ?? true }),
    })
    memory.sysReserve(null, memory.os.traits.pageSize)
    expect(reads).toBe(0)
    const listener = (): void => {}
    subscribe(channels.failure, listener)
    memory.sysReserve(null, memory.os.traits.pageSize)
    unsubscribe(channels.failure, listener)
    expect(reads).toBe(1)
    end()
  })
})
