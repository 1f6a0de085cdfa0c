// The scavenger's policy, over a clock and a memory that are simulated: how much goes, which pages, and how fast.
import { describe, expect, it } from 'vitest'
import { huge, MiB, page, World } from './scavenged-world.js'

describe('how much the scavenger gives back', () => {
  it('is what is idle above a tenth of what is Ready', () => {
    const world = new World()
    world.ready = 100 * MiB
    world.add(huge, 30 * MiB)
    world.pass(5000)
    expect(world.idle.bytes).toBe(10 * MiB)
    expect(world.scavenger.released).toBe(20 * MiB)
  })

  it('is all that was idle for as long as the decay', () => {
    const world = new World({ decay: 2000 })
    world.ready = 1000 * MiB
    world.add(huge, 30 * MiB)
    world.pass(1900)
    expect(world.idle.bytes).toBe(30 * MiB)
    world.pass(3000)
    expect(world.idle.bytes).toBe(0)
  })

  it('is what became idle in a turn, at the first step after the decay', () => {
    const world = new World({ decay: 2000 })
    world.ready = 1000 * MiB
    world.add(huge, 30 * MiB)
    let waited = 0
    while (world.idle.bytes > 0 && waited < 10_000) {
      world.pass(10)
      waited += 10
    }
    // Steps are a second apart while nothing changes.
    expect(waited).toBeGreaterThan(2000)
    expect(waited).toBeLessThan(3000)
  })

  it('is nothing of what became idle in this turn', () => {
    const world = new World()
    world.add(huge, 8 * MiB)
    world.pass(100)
    expect(world.idle.bytes).toBe(8 * MiB)
    world.pass(1000)
    expect(world.idle.bytes).toBe(0)
  })

  it('is nothing with a share of 0, until it is called', () => {
    const world = new World({ share: 0 })
    world.add(huge, 8 * MiB)
    world.pass(100_000)
    expect([world.idle.bytes, world.timers.length]).toEqual([8 * MiB, 0])
    expect(world.scavenger.scavenge(2 * MiB)).toBe(2 * MiB)
    expect(world.scavenger.scavenge(Infinity)).toBe(6 * MiB)
  })
})

describe('which pages go', () => {
  it('are the oldest, and of the last of them no more than need be', () => {
    const world = new World()
    world.ready = 40 * MiB
    for (const [turn, v] of [9, 3, 6].entries()) {
      world.add(v * 4 * MiB, 4 * MiB)
      if (turn < 2) world.idle.nextTurn()
    }
    world.idle.nextTurn()
    world.pass(2000)
    expect(world.idle.bytes).toBe(4 * MiB)
    expect(world.released).toEqual([
      [9 * 4 * MiB, 4 * MiB],
      [3 * 4 * MiB, 4 * MiB],
    ])
  })

  it('are whole huge pages first, and none of a huge page that is nearly full until it is called', () => {
    const world = new World({ retain: 0 }, huge)
    world.ready = huge - 2 * page
    world.readyAt = [huge, huge - 2 * page]
    // Two pages of a full huge page, then a whole one, then a part of one that has nothing else.
    world.add(2 * huge - 2 * page, 2 * page + huge + 3 * page)
    world.idle.nextTurn()
    world.pass(60_000)
    expect(world.released[0]).toEqual([2 * huge, huge])
    expect(world.released.slice(1)).toEqual([[3 * huge, 3 * page]])
    expect(world.idle.bytes).toBe(2 * page)
    expect(world.scavenger.scavenge(Infinity)).toBe(2 * page)
  })
})

describe('how fast the scavenger works', () => {
  it.each([
    { load: 1, most: 0.01, least: 0.008 },
    { load: 0.1, most: 0.05, least: 0.04 },
    { load: NaN, most: 0.01, least: 0.008 },
  ])('is a hundredth of the time, and more where the thread sleeps: load $load', ({ load, most, least }) => {
    const world = new World()
    world.load = load
    world.add(2 ** 40, 2 ** 36)
    world.pass(20_000)
    expect(world.idle.bytes).toBeGreaterThan(0)
    expect(world.scavenger.worked / world.now()).toBeLessThanOrEqual(most * 1.05)
    expect(world.scavenger.worked / world.now()).toBeGreaterThan(least)
  })

  it('is a step of about a millisecond, whatever is idle', () => {
    const world = new World()
    world.add(2 ** 40, 2 ** 36)
    world.pass(150)
    const before = world.worked()
    while (world.worked() === before) world.pass(10)
    expect(world.worked() - before).toBeGreaterThanOrEqual(1)
    expect(world.worked() - before).toBeLessThan(1.5)
  })

  it('ends when nothing is idle, and begins again', () => {
    const world = new World()
    world.add(huge, MiB)
    world.pass(10_000)
    expect([world.idle.bytes, world.timers.length]).toEqual([0, 0])
    world.add(huge, MiB)
    expect(world.timers.length).toBe(1)
    world.pass(10_000)
    expect([world.idle.bytes, world.timers.length]).toEqual([0, 0])
  })

  it('asks once a second where the OS refuses, and goes on when it does not any more', () => {
    const world = new World()
    world.refuses = true
    world.add(huge, MiB)
    world.pass(10_000)
    expect([world.idle.bytes, world.timers.length]).toEqual([MiB, 1])
    world.refuses = false
    world.pass(1000)
    expect(world.idle.bytes).toBe(0)
  })
})
