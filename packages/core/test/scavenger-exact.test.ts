// The scavenger to the page and to the millisecond: when it looks, how much it gives back, and where it ends.
import { describe, expect, it } from 'vitest'
import { Scavenger, scavenging } from '../src/scavenge/scavenger.js'
import { huge, MiB, page, World } from './scavenged-world.js'

describe('the defaults', () => {
  it('are those that the options name', () => {
    expect(scavenging).toEqual({ lazy: false, retain: 0.1, decay: 10_000, share: 0.01 })
  })
})

describe('one timer', () => {
  it('serves however many ranges become idle, and looks first after 100 ms', () => {
    const world = new World()
    for (let i = 1; i <= 3; i++) world.add(i * huge, MiB)
    expect(world.timers.map(({ at }) => at)).toEqual([100])
    world.pass(100)
    // Nothing old is idle yet, and something new is: the next look comes soon, at the rate of a thread that sleeps.
    expect(world.timers.map(({ at }) => at)).toEqual([120])
  })

  it('comes a fifth as often to a thread at work, and half of its time counts as asleep', () => {
    for (const [load, at] of [
      [0.5, 120],
      [0.51, 200],
      [NaN, 200],
    ] as const) {
      const world = new World()
      world.load = load
      world.add(huge, MiB)
      world.pass(100)
      expect(world.timers.map((timer) => timer.at)).toEqual([at])
    }
  })

  it('comes after a second where nothing went and nothing is new', () => {
    const world = new World()
    world.ready = 100 * MiB
    world.add(huge, MiB)
    world.pass(120)
    expect(world.timers.map(({ at }) => at)).toEqual([1120])
  })

  it('lends no more than the whole thread', () => {
    const world = new World({ share: 1 })
    world.add(huge, MiB)
    world.pass(100)
    expect(world.timers.map(({ at }) => at)).toEqual([200])
  })
})

describe('what a step gives back', () => {
  it('is the part by which a limit is near, where that is more than what is kept', () => {
    const world = new World()
    world.ready = 1000 * MiB
    world.near = 3 * MiB
    world.add(huge, 8 * MiB)
    world.pass(120)
    expect(world.scavenger.released).toBe(3 * MiB)
  })

  it('is nothing more once there is no excess, to the byte', () => {
    const world = new World({ retain: 1 })
    world.ready = 4 * MiB
    world.add(huge, 2 * MiB)
    world.idle.nextTurn()
    world.add(3 * huge, 2 * MiB)
    world.idle.nextTurn()
    world.pass(5000)
    expect(world.scavenger.released).toBe(0)
    world.ready = 2 * MiB
    world.pass(1000)
    expect(world.released).toEqual([[huge, 2 * MiB]])
  })

  it('is what is due in the order of its age, at the decay to the millisecond', () => {
    const world = new World({ decay: 1010 })
    world.ready = 1000 * MiB
    world.add(huge, MiB)
    // The first turn ends at 100, the steps after it come at 120 and each second from then on.
    world.pass(1119)
    expect(world.scavenger.released).toBe(0)
    world.pass(1)
    expect(world.released).toEqual([[huge, MiB]])
  })

  it('is not of turns that are younger than the decay', () => {
    const world = new World({ decay: 1500 })
    world.ready = 1000 * MiB
    world.add(huge, MiB)
    world.pass(1000)
    world.add(3 * huge, MiB)
    world.pass(1200)
    expect(world.released).toEqual([[huge, MiB]])
  })

  it('ends where a batch came back in part, and after a millisecond', () => {
    const world = new World({ retain: 0 })
    for (let i = 1; i <= 100; i++) world.add(2 * i * page, page)
    world.idle.nextTurn()
    // 64 ranges are a batch. The OS refuses, so the other 36 are not asked for.
    world.refuses = true
    let asked = 0
    const counted = new Scavenger(
      { ...memoryOf(world), release: (pairs) => ((asked += pairs.length / 2), 0) },
      { ...scavenging, share: 0 },
      world,
    )
    expect([counted.scavenge(Infinity), asked]).toEqual([0, 64])
  })

  it('is in batches of 4 MiB, and a millisecond is 10 MiB here', () => {
    const world = new World({ retain: 0 })
    world.add(huge, 64 * MiB)
    world.pass(120)
    expect(world.released.map(([, n]) => n / MiB)).toEqual([4, 4, 4])
  })
})

describe('a step that took its millisecond', () => {
  it('leaves what became idle later to the next one, and all its time is told', () => {
    const world = new World({ retain: 0 })
    world.add(huge, 12 * MiB)
    world.idle.nextTurn()
    world.add(100 * huge, 8 * MiB)
    world.idle.nextTurn()
    world.pass(100)
    expect(world.released.map(([, n]) => n / MiB)).toEqual([4, 4, 4])
    world.pass(10_000)
    expect([world.idle.bytes, world.scavenger.worked]).toEqual([0, world.worked()])
  })
})

describe('a caller', () => {
  it('gets no more bytes than it asked for, over turns, oldest first', () => {
    const world = new World({ share: 0 })
    for (let turn = 0; turn < 3; turn++) {
      world.add((3 - turn) * huge, 2 * page)
      world.idle.nextTurn()
    }
    expect(world.scavenger.scavenge(3 * page)).toBe(3 * page)
    expect(world.released).toEqual([
      [3 * huge, 2 * page],
      [2 * huge, page],
    ])
    const large = new World({ share: 0 })
    large.add(huge, 64 * MiB)
    expect([large.scavenger.scavenge(5 * MiB), large.scavenger.scavenge(9 * MiB)]).toEqual([5 * MiB, 9 * MiB])
    expect(world.scavenger.scavenge(0)).toBe(0)
    expect(world.scavenger.scavenge(1)).toBe(page)
    expect(world.scavenger.released).toBe(4 * page)
  })
})

describe('many ranges', () => {
  it('go all of them, in batches of 64', () => {
    const world = new World({ share: 0 })
    for (let i = 1; i <= 200; i++) world.add(2 * i * page, page)
    const batches: number[] = []
    const release = (pairs: readonly number[]): number => {
      batches.push(pairs.length / 2)
      for (let i = 0; i < pairs.length; i += 2) world.idle.forget(pairs[i] as number, pairs[i + 1] as number)
      return (pairs.length / 2) * page
    }
    const scavenger = new Scavenger({ ...memoryOf(world), release }, { ...scavenging, share: 0 }, world)
    expect([scavenger.scavenge(Infinity), batches, world.idle.bytes]).toEqual([200 * page, [64, 64, 64, 8], 0])
  })
})

describe('a huge page', () => {
  /** A whole one of which all but `idle` pages are Ready. */
  const holed = (idle: number): World => {
    const world = new World({ retain: 0 }, huge)
    world.readyAt = [huge + idle * page, huge - idle * page]
    world.add(huge, idle * page)
    world.idle.nextTurn()
    world.pass(2000)
    return world
  }

  it('keeps a hole while seven eighths of it are Ready, to the page', () => {
    const pages = huge / page
    expect(holed(pages / 8).idle.bytes).toBe((pages / 8) * page)
    expect(holed(pages / 8 + 1).idle.bytes).toBe(0)
  })

  it('goes as a whole, and what is asked for is rounded up to it', () => {
    const world = new World({ retain: 0, share: 0 }, huge)
    world.add(huge - page, page + 3 * huge + page)
    expect(world.scavenger.scavenge(huge + page)).toBe(2 * huge)
    expect(world.released).toEqual([[huge, 2 * huge]])
  })

  it('is looked for first, and then the rest goes, from the lowest address on', () => {
    const world = new World({ retain: 0, share: 0 }, huge)
    world.add(huge - page, 2 * huge)
    expect(world.scavenger.scavenge(Infinity)).toBe(2 * huge)
    expect(world.released).toEqual([
      [huge, huge],
      [huge - page, page],
      [2 * huge, huge - page],
    ])
  })
})

/** The memory that a world's own scavenger sees. */
function memoryOf(world: World): ConstructorParameters<typeof Scavenger>[0] {
  return {
    idle: world.idle,
    pageSize: page,
    hugePageSize: 0,
    ready: () => world.ready,
    near: () => 0,
    readyIn: () => 0,
    release: () => 0,
  }
}
