// memory.limit to the byte and to the millisecond: when it asks, whom, for how much, and when it asks again. One byte
// that is missing counts. Where none is missing, no reclaimer is asked.
import { afterEach, describe, expect, it, vi } from 'vitest'
import { hostLimit, processUse } from '../src/limit/host-limit.js'
import { MemoryLimit, type LimitOptions } from '../src/limit/limit.js'
import { Reclaimers } from '../src/limit/reclaimers.js'
import { noLimits } from './no-limits.js'

afterEach(() => void vi.restoreAllMocks())

/** A memory with a limit, and what is asked of whom. */
class World {
  used = 6400
  idle = 0
  time = 0
  /** Milliseconds that the scavenger and a reclaimer take each. */
  cost = 0
  /** What a reclaimer gives, and what the host's allocator gives. */
  gives = 0
  trims = 0
  readonly asked: string[] = []
  readonly reclaimers = new Reclaimers()
  readonly limit: MemoryLimit

  constructor(options: LimitOptions = { bytes: 6400 }) {
    this.reclaimers.add({ name: 'cache' }, ({ want, level }) => {
      this.asked.push(`cache ${level} ${want}`)
      this.time += this.cost
      this.used -= this.gives
    })
    this.limit = new MemoryLimit({
      host: { groupLimits: () => ({ ...noLimits, groupLimit: 2 ** 40, groupUsed: this.used }) },
      reclaimers: this.reclaimers,
      own: () => this.used,
      all: () => this.used,
      idle: () => this.idle,
      scavenge: (bytes) => {
        this.asked.push(`scavenger ${bytes}`)
        this.time += this.cost
        const given = Math.min(bytes, this.idle)
        this.idle -= given
        this.used -= given
        return given
      },
      trim: () => {
        this.asked.push('trim')
        this.used -= this.trims
        return this.trims
      },
      now: () => this.time,
    })
    this.limit.limit = options
  }

  take(n: number): boolean {
    return this.limit.take('sysUsed', n, () => n)
  }

  /** What is asked for an operation. */
  asking(n: number): string[] {
    this.asked.length = 0
    try {
      this.take(n)
    } catch (error) {
      this.asked.push((error as Error).message.includes('Nothing was tried') ? 'at once' : 'refused')
    }
    return [...this.asked]
  }
}

describe('an operation', () => {
  it('up to the very limit asks nobody, and needs no second proof', () => {
    const world = new World()
    world.used = 6000
    expect([world.take(400), world.asked]).toEqual([false, []])
    world.idle = 10
    expect([world.take(401), world.asked]).toEqual([true, ['scavenger 101']])
  })

  it('one byte beyond it asks for that and a 64th of the limit, and of the scavenger once', () => {
    const world = new World()
    world.idle = 1000
    expect(world.asking(1)).toEqual(['scavenger 101'])
    expect([world.used, world.idle]).toEqual([6299, 899])
  })

  it('asks for 64 MiB more at most', () => {
    const world = new World({ bytes: 2 ** 40 })
    world.used = 2 ** 40
    expect(world.asking(1)).toEqual([
      `scavenger ${1 + 2 ** 26}`,
      `cache over ${1 + 2 ** 26}`,
      `scavenger ${1 + 2 ** 26}`,
      'refused',
    ])
  })

  it('asks the reclaimers for what the scavenger left missing, and nobody after what was just enough', () => {
    const world = new World()
    world.idle = 4
    world.gives = 6
    expect(world.asking(10)).toEqual(['scavenger 110', 'scavenger 106', 'cache over 106'])
    expect(world.used).toBe(6390)
  })

  it('of a process asks the allocator only for what is missing still, be it one byte', () => {
    const world = new World({ bytes: 6400, of: 'process' })
    world.gives = 10
    expect(world.asking(10)).toEqual(['scavenger 110', 'cache over 110'])
    world.gives = 9
    world.trims = 1
    expect(world.asking(20)).toEqual(['scavenger 110', 'cache over 110', 'scavenger 101', 'trim'])
    expect(world.used).toBe(6380)
  })

  it('asks reclaimers that give a little as often as one is left, and then no more', () => {
    const world = new World()
    world.reclaimers.add({ name: 'pool', priority: 1 }, ({ want }) => void world.asked.push(`pool ${want}`))
    expect(world.asking(1)).toEqual(['scavenger 101', 'cache over 101', 'pool 101', 'scavenger 101', 'refused'])
  })
})

describe('a round that gave too little', () => {
  it.each<[LimitOptions['beyond'], number]>([
    ['refuse', 20],
    ['allow', 40],
  ])('of a limit that says %s is followed by a rest of %i times its time, to the millisecond', (beyond, times) => {
    const world = new World({ bytes: 6400, beyond })
    world.cost = 10
    const all = ['scavenger 101', 'cache over 101', 'scavenger 101']
    expect(world.asking(1).slice(0, 3)).toEqual(all)
    world.time += 30 * times - 1
    expect(world.asking(1).filter((one) => one !== 'at once')).toEqual([])
    world.time += 1
    // One of 16 operations looks at the clock where they pass.
    for (let i = 0; i < 15; i++) if (beyond === 'allow') expect(world.asking(1)).toEqual([])
    expect(world.asking(1).slice(0, 3)).toEqual(all)
  })

  it('is not one that gave just enough: the next begins at once', () => {
    const world = new World()
    world.cost = 10
    world.gives = 1
    expect(world.asking(1)).toEqual(['scavenger 101', 'cache over 101'])
    expect(world.asking(2)).toEqual(['scavenger 101', 'cache over 101'])
  })

  it('takes no rest where it took no time, also where operations may pass', () => {
    const world = new World({ bytes: 6400, beyond: 'allow' })
    for (let i = 0; i < 20; i++) expect(world.asking(1)).toContain('cache over 101')
  })

  it('is forgotten with the limit that it was for', () => {
    const world = new World()
    world.cost = 10
    world.asking(1)
    expect(world.asking(1)).toEqual(['at once'])
    world.limit.limit = { bytes: 6400 }
    expect(world.asking(1)).toContain('cache over 101')
  })

  it('still lets the scavenger give what became idle since', () => {
    const world = new World()
    world.cost = 10
    world.asking(1)
    world.idle = 1
    expect(world.asking(1)).toEqual(['scavenger 101'])
    expect(world.asking(2)).toEqual(['at once'])
  })
})

describe('a limit', () => {
  it('is near above 95 hundredths', () => {
    const world = new World({ bytes: 1000 })
    world.used = 950
    expect(world.limit.nearBy).toBe(0)
    world.used = 960
    expect(world.limit.nearBy).toBe(10)
    world.limit.limit = null
    expect([world.limit.nearBy, world.limit.use, world.limit.isSet]).toEqual([0, null, false])
  })

  it('of 0 bytes refuses the first byte, and no operation of no bytes', () => {
    const world = new World({ bytes: 0 })
    world.used = 0
    expect(world.take(0)).toBe(false)
    expect(() => world.take(1)).toThrow('would pass the limit')
  })

  it('tells of itself what pressure has to know', () => {
    const world = new World({ bytes: 8000, ratio: 0.5 })
    expect(world.limit.use).toEqual({ name: 'memory.limit', bytes: 4000, used: 6400, isOwn: true })
  })

  it('needs whole bytes of a part: it is rounded down', () => {
    expect(new World({ bytes: 999, ratio: 0.5 }).limit.limit?.bytes).toBe(499)
  })
})

describe('what the process uses', () => {
  it('is what its control group uses where that has a limit, and else its resident memory', () => {
    vi.spyOn(process.memoryUsage, 'rss').mockReturnValue(77)
    const group = { ...noLimits, groupLimit: 1000, groupUsed: 500 }
    expect(processUse({ groupLimits: () => group })).toBe(500)
    expect(processUse({ limits: () => group })).toBe(500)
    expect(processUse({ limits: () => ({ ...group, groupLimit: Infinity }) })).toBe(77)
    const windows = { commitLimit: 9, commitAvailable: 1, addressSpace: 9, addressSpaceAvailable: 1 }
    expect([processUse({ limits: () => windows }), processUse({}), processUse(undefined)]).toEqual([77, 77, 77])
  })

  it('is what the host tells where the engine does not, or not known', () => {
    vi.stubGlobal('process', {})
    try {
      expect([processUse({ residentMemory: () => 66 }), processUse({}), processUse(undefined)]).toEqual([66, NaN, NaN])
    } finally {
      vi.unstubAllGlobals()
    }
  })
})

describe("the host's limits", () => {
  it('of 0 bytes, of none and of an unknown number bound nothing', () => {
    for (const bytes of [0, Infinity, NaN, -1])
      expect(hostLimit({ limits: () => ({ ...noLimits, groupLimit: bytes }) })).toBe(null)
    expect(hostLimit({ limits: () => ({ ...noLimits, groupLimit: 1 }) })?.bytes).toBe(1)
  })
})
