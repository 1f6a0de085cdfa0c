// memory.onPressure: what counts as pressure, what is given back, who hears of it and how often, over a host and a
// clock that are simulated.
import { createMemory, UsageError } from '@memlayer/core'
import type { PosixLimits, WindowsLimits } from '@memlayer/kernel'
import { describe, expect, it, vi } from 'vitest'
import { errorOf } from './errors-of.js'
import { PageOS } from './page-os.js'
import { MiB, quiet, World } from './pressed-world.js'

describe('a level', () => {
  it.each([
    ['nothing', {}, []],
    ['a stall of a twentieth', { some: 50, full: 10 }, []],
    ['a stall of a tenth', { some: 100, full: 50 }, ['warning']],
    ['a stall of all threads', { some: 900, full: 100 }, ['critical']],
    ['a limit that was met', { reached: 1 }, ['warning']],
  ])('after %s', (_, happens, levels) => {
    const world = new World()
    world.listen()
    world.pass(1, happens)
    expect(world.levels).toEqual(levels)
    expect(world.heard.map(({ source }) => source)).toEqual(levels.map(() => "the host's PSI"))
  })

  it('is critical while the host calls its memory low', () => {
    const world = new World()
    world.listen()
    world.told = { source: 'a notification', some: NaN, full: NaN, reached: NaN, isLow: true }
    world.pass(1)
    expect(world.heard).toMatchObject([{ level: 'critical', source: 'a notification' }])
  })

  it.each<[string, Partial<PosixLimits> | WindowsLimits, string, number, number]>([
    [
      "the control group's memory.max",
      { groupLimit: 1000, groupUsed: 950, dataSize: 1000, dataSizeUsed: 10 },
      'critical',
      1000,
      950,
    ],
    [
      "the control group's memory.high",
      { groupLimit: Infinity, groupUsed: 900, groupHigh: 1000, groupHighUsed: 900 },
      'warning',
      1000,
      900,
    ],
    ['RLIMIT_DATA', { groupLimit: NaN, groupUsed: NaN, dataSize: 100, dataSizeUsed: 91 }, 'warning', 100, 91],
    [
      'the commit limit',
      { groupLimit: NaN, groupUsed: NaN, overcommit: 2, commitLimit: 100, committed: 99 },
      'critical',
      100,
      99,
    ],
    [
      'the commit limit',
      { commitLimit: 1000, commitAvailable: 60, addressSpace: 1, addressSpaceAvailable: 1 },
      'warning',
      1000,
      940,
    ],
  ])('follows %s', (source, limits, level, limit, used) => {
    const world = new World()
    world.listen()
    world.limits = limits
    world.pass(1)
    expect(world.heard).toEqual([{ level, source, limit, used, given: [] }])
  })

  it('follows memory.limit, which is never critical, and a limit without a figure says nothing', () => {
    const world = new World()
    world.listen()
    world.limits = { groupLimit: 1000, groupUsed: NaN, overcommit: 0, commitLimit: 10, committed: 10 }
    world.ownLimit = { bytes: 1000, used: 940 }
    world.pass(1)
    expect(world.heard).toEqual([])
    world.ownLimit = { bytes: 1000, used: 1000 }
    world.pass(1)
    expect(world.heard).toMatchObject([{ level: 'warning', source: 'memory.limit', limit: 1000, used: 1000 }])
  })

  it('comes from what is left where the host tells nothing of pressure', () => {
    const world = new World()
    world.told = null
    world.listen()
    world.pass(5)
    world.limits = { groupLimit: 100, groupUsed: 96 }
    world.pass(1)
    expect(world.heard).toMatchObject([{ level: 'critical', source: "the control group's memory.max" }])
  })
})

describe('what is given back', () => {
  it('is idle memory first, then that of reclaimers in their order, until it is enough', () => {
    const world = new World()
    world.idle = 4 * MiB
    const second = world.reclaimer('second', 8 * MiB, 2)
    const first = world.reclaimer('first', 4 * MiB, 1)
    const last = world.reclaimer('last', 8 * MiB, 3)
    world.listen()
    const want = (640 * MiB + 4 * MiB) / 64
    world.pass(1, { some: 200 })
    expect([first, second, last]).toEqual([[want - 4 * MiB], [want - 8 * MiB], []])
    expect(world.heard[0]?.given).toEqual([
      { name: 'the scavenger', bytes: 4 * MiB },
      { name: 'first', bytes: 4 * MiB },
      { name: 'second', bytes: 8 * MiB },
    ])
    expect(world.idle).toBe(0)
  })

  it('is more where it is critical, and what leads below nine tenths of a limit', () => {
    const world = new World()
    const asked = world.reclaimer('cache', 80 * MiB)
    world.pass(1, { full: 500, some: 500 })
    expect(asked).toEqual([80 * MiB])
    world.limits = { groupLimit: 1000 * MiB, groupUsed: 1000 * MiB }
    world.pass(1)
    expect(asked[1]).toBe(100 * MiB)
  })

  it('is also what stays committed for late accesses, where it is critical', () => {
    const world = new World()
    world.listen()
    world.pass(1, { some: 200 })
    expect(world.decommitted).toBe(0)
    world.limits = { commitLimit: 1000 * MiB, commitAvailable: MiB, addressSpace: NaN, addressSpaceAvailable: NaN }
    world.pass(1)
    expect(world.decommitted).toBe(1)
  })

  it('is nothing while nothing is short, and what a listener hears is empty', () => {
    const world = new World()
    const asked = world.reclaimer('cache', MiB)
    world.idle = MiB
    world.listen()
    world.pass(10)
    expect([asked, world.heard, world.idle]).toEqual([[], [], MiB])
  })

  it('takes a twentieth of the time at most: a long look is followed by a longer rest', () => {
    const world = new World()
    world.cost = 300
    const asked = world.reclaimer('slow', 0)
    const other = world.reclaimer('late', 0, 1)
    world.pass(60, { some: 500 })
    // Every 6 seconds, and the 300 ms of each pass as well. The two take turns, because one takes all of the time.
    expect(asked.length + other.length).toBeGreaterThan(7)
    expect(asked.length + other.length).toBeLessThan(11)
    expect(Math.abs(asked.length - other.length)).toBeLessThan(2)
  })
})

describe('a listener', () => {
  it('hears of a change at once, of the same every ten seconds, and of the end after three quiet looks', () => {
    const world = new World()
    world.listen()
    world.pass(21, { some: 300 })
    expect(world.levels).toEqual(['warning', 'warning', 'warning'])
    world.pass(1, { full: 300, some: 300 })
    world.pass(2)
    world.pass(1, { full: 300, some: 300 })
    expect(world.levels.slice(3)).toEqual(['critical'])
    world.pass(3)
    expect(world.levels.slice(3)).toEqual(['critical', 'normal'])
    world.pass(30)
    expect(world.levels.length).toBe(5)
  })

  it('is taken away, and without any and without reclaimers there is no timer', () => {
    const world = new World()
    const stops = [world.listen(), world.listen()]
    world.pass(1, { some: 300 })
    expect(world.levels.length).toBe(2)
    stops[0]?.()
    stops[0]?.()
    world.pass(10, { some: 300 })
    expect(world.levels.length).toBe(3)
    stops[1]?.()
    world.pass(1)
    expect(world.isWaiting).toBe(false)
    const { looks } = world
    world.pass(10)
    expect(world.looks).toBe(looks)
    world.listen()
    world.pass(1, { some: 300 })
    expect(world.isWaiting).toBe(true)
  })

  it('counts from its first second: what the host counted before is not its business', () => {
    const world = new World()
    world.told = { ...quiet, some: 1e9, full: 1e9, reached: 1e6 }
    world.listen()
    world.pass(1)
    expect(world.heard).toEqual([])
  })

  it('that throws harms no other one, and is warned of once', () => {
    const emitted = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    try {
      const world = new World()
      world.pressure.listen(() => {
        throw new Error('mine')
      })
      world.listen()
      world.pass(30, { some: 300 })
      expect(world.levels.length).toBe(3)
      expect(emitted.mock.calls.map(([message, options]) => [message, (options as { code: string }).code])).toEqual([
        ['A listener of memory.onPressure threw Error: mine.', 'MEMLAYER_PRESSURE'],
      ])
    } finally {
      emitted.mockRestore()
    }
  })

  it('that is async and throws later is warned of as well, and ends no process', async () => {
    const emitted = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    try {
      const world = new World()
      // The type allows a function that returns a promise.
      const listener = (): unknown => Promise.reject(new Error('later'))
      world.pressure.listen(listener)
      world.listen()
      world.pass(30, { some: 300 })
      await new Promise((done) => setImmediate(done))
      expect(world.levels.length).toBe(3)
      expect(emitted.mock.calls.map(([message]) => message)).toEqual([
        'A listener of memory.onPressure threw Error: later.',
      ])
    } finally {
      emitted.mockRestore()
    }
  })

  it('that was taken away by one before it hears nothing more', () => {
    const world = new World()
    const heard: string[] = []
    const ends: (() => void)[] = []
    world.pressure.listen(() => {
      heard.push('first')
      ends[0]?.()
    })
    ends.push(world.pressure.listen(() => void heard.push('second')))
    world.pass(3, { some: 300 })
    expect(heard).toEqual(['first'])
  })

  it('must be a function, and needs the ledger', () => {
    const error = errorOf(() => createMemory(new PageOS()).onPressure(1 as never))
    expect(error).toBeInstanceOf(UsageError)
    expect(error.message).toContain('onPressure: the listener is 1')
    expect(errorOf(() => createMemory(new PageOS(), { ledger: false }).onPressure(() => {})).message).toContain(
      'onPressure',
    )
  })
})
