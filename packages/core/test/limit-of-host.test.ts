// memory.limit where the host has a say: a limit of 'auto', and a limit of the process. A limit that lets operations
// pass looks at the clock now and then.
import { describe, expect, it } from 'vitest'
import { nearestLimit } from '../src/limit/host-limit.js'
import { MemoryLimit } from '../src/limit/limit.js'
import { Reclaimers } from '../src/limit/reclaimers.js'
import { noLimits } from './no-limits.js'

/** So many bytes are about to become Ready, and a reclaimer changes nothing about that. */
function take(limit: MemoryLimit, n: number): boolean {
  return limit.take('sysUsed', n, () => n)
}

describe("a limit of 'auto'", () => {
  const quiet = { reclaimers: new Reclaimers(), idle: () => 0, scavenge: () => 0, trim: () => 0 }

  it("is nine tenths of the host's smallest limit, which is read anew after a second", () => {
    let [time, groupLimit, reads] = [5, 1000, 0]
    const limits = () => {
      reads += 1
      return { ...noLimits, groupLimit, groupUsed: 1 }
    }
    const limit = new MemoryLimit({ ...quiet, host: { limits }, own: () => 7, all: () => 7, now: () => time })
    limit.limit = { bytes: 'auto' }
    const source = "the control group's memory.max"
    expect(limit.limit).toEqual({ bytes: 900, used: 7, of: 'layer', source, beyond: 'refuse' })
    groupLimit = 2000
    time += 999
    expect([limit.limit?.bytes, reads]).toEqual([900, 1])
    time += 1
    expect([limit.limit?.bytes, reads]).toEqual([1800, 2])
    limit.limit = { bytes: 'auto', ratio: 0.5 }
    expect([limit.limit?.bytes, reads]).toEqual([1000, 3])
    expect(() => take(limit, 1000)).toThrow(`would pass the limit of all memories, ${source}`)
  })

  it('bounds nothing where the host tells none', () => {
    const limit = new MemoryLimit({ ...quiet, host: {}, own: () => 7, all: () => 7, now: () => 0 })
    limit.limit = { bytes: 'auto' }
    expect(limit.limit).toMatchObject({ bytes: Infinity, source: 'none that the host tells' })
    take(limit, Number.MAX_SAFE_INTEGER)
    expect(limit.nearBy).toBe(-Infinity)
  })
})

describe('a limit of the process', () => {
  /** A process whose control group tells what it uses. */
  function processWorld(): { limit: MemoryLimit; world: { time: number; used: number; own: number }; asked: string[] } {
    const world = { time: 0, used: 100, own: 10 }
    const asked: string[] = []
    const reclaimers = new Reclaimers()
    reclaimers.add({ name: 'cache' }, () => void asked.push('cache'))
    const limit = new MemoryLimit({
      host: { groupLimits: () => ({ ...noLimits, groupLimit: 2 ** 40, groupUsed: world.used }) },
      reclaimers,
      own: () => world.own,
      all: () => world.own,
      idle: () => 0,
      scavenge: () => {
        asked.push('scavenger')
        return 0
      },
      trim: () => {
        asked.push('trim')
        world.used -= 40
        return 40
      },
      now: () => world.time,
    })
    limit.limit = { bytes: 128, of: 'process' }
    return { limit, world, asked }
  }

  it('reads what the process uses every 10 ms, and counts what this memory takes between', () => {
    const { limit, world } = processWorld()
    expect(limit.limit).toMatchObject({ used: 100, of: 'process', source: 'memory.limit' })
    world.own += 5
    world.used = 90
    world.time += 9
    expect(limit.limit?.used).toBe(105)
    world.time += 1
    expect(limit.limit?.used).toBe(90)
  })

  it("asks the scavenger, the reclaimers, the scavenger again, and then the host's allocator", () => {
    const { limit, asked } = processWorld()
    take(limit, 28)
    expect(asked).toEqual([])
    take(limit, 29)
    expect(asked).toEqual(['scavenger', 'cache', 'scavenger', 'trim'])
    expect(limit.limit?.used).toBe(60)
  })

  it('says in a refusal what each of them gave', () => {
    const { limit } = processWorld()
    const limits = 'would pass the limit of the process, memory.limit: 60 bytes of 128 bytes are used'
    const given = "0 bytes by the scavenger, 0 bytes by cache, 40 bytes by the host's allocator."
    expect(() => take(limit, 100)).toThrow(
      `${limits}. Free memory, add a reclaimer, or raise memory.limit. Given back: ${given}`,
    )
  })
})

describe('a limit that lets operations pass', () => {
  it('looks at the clock once in 16 operations while it is too soon to try again', () => {
    let looks = 0
    let time = 0
    const limit = new MemoryLimit({
      host: undefined,
      reclaimers: new Reclaimers(),
      own: () => 5,
      all: () => 5,
      idle: () => 0,
      scavenge: () => {
        time += 10
        return 0
      },
      trim: () => 0,
      now: () => {
        looks += 1
        return time
      },
    })
    limit.limit = { bytes: 1, beyond: 'allow' }
    take(limit, 1)
    const before = looks
    for (let i = 0; i < 160; i++) take(limit, 1)
    expect(looks - before).toBe(10)
  })
})

describe('the nearest limit', () => {
  const nearest = (limits: object): string | undefined =>
    nearestLimit({ limits: () => ({ ...noLimits, ...limits }) })?.name

  it('is the one of which the greatest part is used, be it large or small', () => {
    const [full, empty] = [900, 2 ** 20]
    const group = "the control group's memory.max"
    expect(nearest({ groupLimit: 1000, groupUsed: full, dataSize: 2 ** 30, dataSizeUsed: empty })).toBe(group)
    expect(nearest({ groupLimit: 2 ** 30, groupUsed: empty, dataSize: 1000, dataSizeUsed: full })).toBe('RLIMIT_DATA')
    expect(nearest({ groupLimit: 2 ** 30, groupUsed: 2 ** 29, dataSize: 1000, dataSizeUsed: 400 })).toBe(group)
    expect(nearest({})).toBe(undefined)
  })
})
