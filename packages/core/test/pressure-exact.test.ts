// memory.onPressure to the byte and to the millisecond: whose word listeners hear, and who is asked.
import { describe, expect, it, vi } from 'vitest'
import { World } from './pressed-world.js'

describe('what a listener hears first', () => {
  it("is the host's own word where a limit says as much, and the limit where that is worse", () => {
    const world = new World()
    world.listen()
    world.limits = { groupLimit: 1000, groupUsed: 910 }
    world.pass(1, { some: 300 })
    expect(world.heard.at(-1)).toMatchObject({ level: 'warning', source: "the host's PSI" })
    world.limits = { groupLimit: 1000, groupUsed: 990 }
    world.pass(1, { some: 300 })
    expect(world.heard.at(-1)).toMatchObject({ level: 'critical', source: "the control group's memory.max" })
  })

  it('is the nearer of two limits, whoever has set it', () => {
    const world = new World()
    world.listen()
    world.limits = { groupLimit: 1000, groupUsed: 920 }
    world.ownLimit = { bytes: 100, used: 97 }
    world.pass(1)
    expect(world.heard.at(-1)).toMatchObject({ source: 'memory.limit', level: 'warning', limit: 100, used: 97 })
    world.limits = { groupLimit: 1000, groupUsed: 980 }
    world.pass(1)
    expect(world.heard.at(-1)).toMatchObject({ level: 'critical', limit: 1000, used: 980 })
  })

  it("is the host's limit where the program's own is as near, because that ends no process", () => {
    const world = new World()
    world.listen()
    world.limits = { groupLimit: 1000, groupUsed: 960 }
    world.ownLimit = { bytes: 100, used: 96 }
    world.pass(1)
    expect(world.heard.at(-1)).toMatchObject({ level: 'critical', limit: 1000 })
  })

  it('is no limit of which little is used', () => {
    const world = new World()
    world.listen()
    world.limits = { groupLimit: 1000, groupUsed: 899 }
    world.pass(5)
    expect(world.heard).toEqual([])
    world.limits = { groupLimit: 1000, groupUsed: 900 }
    world.pass(1)
    expect(world.levels).toEqual(['warning'])
  })

  it('is a source that is a text, also of the end where the host tells nothing', () => {
    const world = new World()
    world.told = null
    world.listen()
    world.limits = { groupLimit: 100, groupUsed: 96 }
    world.pass(1)
    world.limits = { groupLimit: Infinity }
    world.pass(3)
    expect(world.heard.at(-1)).toEqual({ level: 'normal', source: '', limit: NaN, used: NaN, given: [] })
  })
})

describe('a look', () => {
  it('asks nobody in a memory that has nothing, where no limit is passed', () => {
    const world = new World()
    world.ready = 0
    const asked = world.reclaimer('cache', 0)
    world.listen()
    world.pass(1, { some: 300 })
    expect([asked, world.levels]).toEqual([[], ['warning']])
  })

  it('asks the next reclaimer after 50 ms of the ones before, and none after more', () => {
    for (const [cost, second] of [
      [50, 1],
      [51, 0],
    ] as const) {
      const world = new World()
      world.cost = cost
      const [first, next] = [world.reclaimer('first', 0), world.reclaimer('next', 0, 1)]
      world.pass(1, { some: 300 })
      expect([first.length, next.length]).toEqual([1, second])
    }
  })

  it('of a memory that was dropped is none, unless it has a listener', () => {
    class Dropped {
      deref(): undefined {
        return undefined
      }
    }
    vi.stubGlobal('WeakRef', Dropped)
    try {
      const [heard, dropped] = [new World(), new World()]
      heard.listen()
      dropped.reclaimer('cache', 0)
      const before = [heard.looks, dropped.looks]
      for (const world of [heard, dropped]) world.pass(1)
      expect([heard.looks, dropped.looks]).toEqual([(before[0] as number) + 1, before[1]])
      expect([heard.isWaiting, dropped.isWaiting]).toEqual([true, false])
    } finally {
      vi.unstubAllGlobals()
    }
  })
})
