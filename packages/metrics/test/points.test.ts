// The figures and the events.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { createMemory, type MemoryEvent } from '@memlayer/core'
import { createOS } from '@memlayer/os-js'
import { createOS as createWindows } from '@memlayer/os-windows'
import { simulate } from '@memlayer/simkernel'
import { channels, publishEvents, readPoints, type PublishedEvent } from '@memlayer/metrics'
import { describe, expect, it } from 'vitest'
import { expected, inUse } from './world.js'

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
