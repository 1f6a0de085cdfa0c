// memory.limit: what counts, what is tried before an operation is refused, and that a limit below what is held costs
// next to nothing.
import { createMemory, OutOfMemoryError, UsageError, type Memory } from '@memlayer/core'
import { describe, expect, it } from 'vitest'
import { hostLimit, hostLimits } from '../src/limit/host-limit.js'
import { MemoryLimit, type Limited } from '../src/limit/limit.js'
import { Reclaimers } from '../src/limit/reclaimers.js'
import { errorOf } from './errors-of.js'
import { noLimits } from './no-limits.js'
import { PageOS } from './page-os.js'

const page = 4096

function memoryOf(bytes: number, os = new PageOS()): Memory {
  const memory = createMemory(os, { scavenge: { share: 0 } })
  memory.limit = { bytes }
  return memory
}

describe('memory.limit', () => {
  it('is null until it is set, and tells what is in force', () => {
    const memory = createMemory(new PageOS())
    expect(memory.limit).toBe(null)
    memory.limit = { bytes: 8 * page, ratio: 0.5 }
    memory.sysAlloc(page, null)
    expect(memory.limit).toEqual({
      bytes: 4 * page,
      used: page,
      of: 'layer',
      source: 'memory.limit',
      beyond: 'refuse',
    })
    memory.limit = null
    expect(memory.limit).toBe(null)
  })

  it.each([
    [{ bytes: -1 }, 'bytes is -1'],
    [{ bytes: 'all' }, "Pass a number of bytes, or 'auto'."],
    [{ bytes: 1, of: 'host' }, 'the option of is'],
    [{ bytes: 1, ratio: 0 }, 'ratio is 0'],
    [{ bytes: 1, beyond: 'wait' }, 'the option beyond is'],
    [{ byte: 1 }, "Did you mean 'bytes'?"],
    ['2GiB', 'Pass an object'],
  ])('%j is refused, and the limit before it stays', (given, words) => {
    const memory = memoryOf(4 * page)
    const error = errorOf(() => {
      memory.limit = given as never
    })
    expect(error).toBeInstanceOf(UsageError)
    expect(error.message).toContain(words)
    expect(memory.limit?.bytes).toBe(4 * page)
  })

  it('refuses sysAlloc, sysUsed and commit beyond it before any effect, and counts a refusal', () => {
    const os = new PageOS()
    const memory = memoryOf(4 * page, os)
    using region = memory.reserve(16 * page)
    region.commit(0, 3 * page)
    const calls = os.calls.length
    for (const refused of [
      () => memory.sysAlloc(2 * page, null),
      () => region.commit(0, 5 * page),
      () => region.commit(8 * page, 2 * page),
    ]) {
      const error = errorOf(refused)
      expect(error).toBeInstanceOf(OutOfMemoryError)
      expect(error.message).toContain('would pass the limit of all memories, memory.limit: 12 KiB of 16 KiB are used')
    }
    expect([os.calls.length, memory.stats().total.ready, memory.stats().total.refusals]).toEqual([calls, 3 * page, 3])
    region.commit(0, 4 * page)
    region.map(8 * page, page)
    expect(errorOf(() => region.used(8 * page, page))).toBeInstanceOf(OutOfMemoryError)
    region.unused(0, page)
    region.used(8 * page, page)
    memory.check()
  })

  it('asks no reclaimer for more than the whole limit, and gives back nothing idle', () => {
    const memory = memoryOf(8 * page)
    using cache = memory.reserve(4 * page)
    cache.commit()
    using idle = memory.reserve(2 * page)
    idle.commit()
    idle.idle()
    let asked = 0
    memory.reclaimer({ name: 'cache' }, () => {
      asked += 1
      cache.unused(0, 4 * page)
    })
    using large = memory.reserve(16 * page)
    const error = errorOf(() => large.commit(0, 9 * page))
    expect(error).toBeInstanceOf(OutOfMemoryError)
    expect(error.message).toContain('Nothing was tried, because it is more than the whole limit.')
    expect([asked, memory.stats().total.ready]).toEqual([0, 4 * page])
    // What fits in the limit by itself is asked for.
    large.commit(0, 8 * page)
    expect([asked, memory.stats().total.ready]).toEqual([1, 8 * page])
    memory.check()
  })

  it('counts idle pages, gives them back first, and lets them be taken back at the limit', () => {
    const memory = memoryOf(4 * page)
    using region = memory.reserve(16 * page)
    region.commit(0, 4 * page)
    region.idle(0, 2 * page)
    region.used(0, page)
    expect(memory.limit?.used).toBe(4 * page)
    region.commit(8 * page, page)
    expect([memory.stats().retained, memory.stats().total.ready]).toEqual([0, 4 * page])
    memory.check()
  })

  it('bounds what is Ready where idle pages of the range itself are given back for it', () => {
    const memory = memoryOf(10 * page)
    using region = memory.reserve(32 * page)
    region.commit(0, 10 * page)
    region.idle(5 * page, 5 * page)
    expect(errorOf(() => region.commit(5 * page, 8 * page))).toBeInstanceOf(OutOfMemoryError)
    expect(errorOf(() => region.commit(5 * page, 6 * page)).message).toContain('24 KiB would pass')
    region.commit(5 * page, 5 * page)
    expect(memory.stats().total.ready).toBe(10 * page)
  })

  it('gives back idle pages also right after a try that gave too little', () => {
    let time = 0
    const [reclaimers, slow] = [new Reclaimers(), () => void (time += 100)]
    reclaimers.add({ name: 'slow' }, slow)
    let [used, idle] = [4 * page, 0]
    const scavenge = (): number => {
      const bytes = idle
      used -= bytes
      idle = 0
      return bytes
    }
    const world = { host: undefined, reclaimers, own: () => used, all: () => used, idle: () => idle, trim: () => 0 }
    const limit = new MemoryLimit({ ...world, scavenge, now: () => time })
    limit.limit = { bytes: 4 * page }
    const take = (): boolean => limit.take('sysUsed', page, () => page)
    expect(take).toThrow(/0 bytes by slow/)
    idle = 2 * page
    expect(take()).toBe(true)
    idle = page
    used = 6 * page
    expect(take).toThrow(/Given back: 4 KiB by the scavenger\. No reclaimer was asked, because the last try gave too/)
    expect(take).toThrow(/Nothing was tried, because the last try gave too little, and the next is in \d+ ms\./)
    expect(time).toBe(100)
  })

  it('lets an operation through where it was told to, after all was tried', () => {
    const memory = createMemory(new PageOS(), { scavenge: { share: 0 } })
    memory.limit = { bytes: 2 * page, beyond: 'allow' }
    let asked = 0
    memory.reclaimer({ name: 'cache' }, () => void (asked += 1))
    memory.sysAlloc(4 * page, null)
    expect([asked, memory.stats().total.ready]).toEqual([1, 4 * page])
  })
})

describe('a limit that can not be kept', () => {
  it('is tried again only after twenty times the time that a round took', () => {
    let [time, tried] = [0, 0]
    const world: Limited = {
      host: undefined,
      reclaimers: new Reclaimers(),
      own: () => 10 * page,
      all: () => 10 * page,
      idle: () => 0,
      scavenge() {
        tried += 1
        time += 2
        return 0
      },
      trim: () => 0,
      now: () => time,
    }
    const limit = new MemoryLimit(world)
    limit.limit = { bytes: 4 * page }
    let refused = 0
    for (let i = 0; i < 10_000; i++) {
      time += 0.1
      expect(() => limit.take('sysUsed', page, () => page)).toThrow(/would pass the limit/)
      refused += 1
    }
    expect(refused).toBe(10_000)
    expect((tried * 2) / time).toBeLessThan(0.05)
    expect(() => limit.take('sysUsed', page, () => page)).toThrow(/Nothing was tried/)
  })

  it('is tried for another category meanwhile: a cache gives nothing while it is filled, and much afterwards', () => {
    let [time, used, isFilling] = [0, 4 * page, true]
    const asked: string[] = []
    const reclaimers = new Reclaimers()
    reclaimers.add({ name: 'cache' }, () => {
      asked.push(isFilling ? 'filling' : 'at rest')
      time += 10
      if (!isFilling) used -= page
    })
    const world = { host: undefined, reclaimers, own: () => used, all: () => used, idle: () => 0, trim: () => 0 }
    const limit = new MemoryLimit({ ...world, scavenge: () => 0, now: () => time })
    limit.limit = { bytes: 4 * page }
    const take = (category: number) => () => limit.take('sysUsed', page, () => page, category)
    const [cache, other] = [1, 2]
    expect(take(cache)).toThrow(/0 bytes by cache/)
    isFilling = false
    expect(take(cache)).toThrow(/Nothing was tried, because the last try gave too little, and the next is in 200 ms/)
    expect(take(other)()).toBe(true)
    expect(asked).toEqual(['filling', 'at rest'])
    // Two others may fail as well. Then all rest.
    isFilling = true
    used = 4 * page
    for (const category of [other, 3]) expect(take(category)).toThrow(/0 bytes by cache/)
    expect(take(4)).toThrow(/Nothing was tried/)
    expect(asked).toHaveLength(4)
    time += 1000
    expect(take(4)).toThrow(/0 bytes by cache/)
  })
})

describe('a slow machine', () => {
  /** A world where a look at what is used takes long, and `first` gives nothing. */
  function slowWorld(): [limit: MemoryLimit, asked: string[]] {
    let [time, used] = [0, 10 * page]
    const asked: string[] = []
    const reclaimers = new Reclaimers()
    reclaimers.add({ name: 'first', priority: 1 }, () => {
      asked.push('first')
      time += 80
    })
    reclaimers.add({ name: 'second', priority: 2 }, () => {
      asked.push('second')
      used -= 8 * page
    })
    const slow = (): number => {
      time += 80
      return used
    }
    const limit = new MemoryLimit({
      host: undefined,
      reclaimers,
      own: slow,
      all: slow,
      idle: () => 0,
      scavenge: () => 0,
      trim: () => 0,
      now: () => time,
    })
    limit.limit = { bytes: 4 * page }
    return [limit, asked]
  }

  it('asks every reclaimer before it refuses, however late it is', () => {
    const [limit, asked] = slowWorld()
    limit.take('sysUsed', page, () => page)
    expect(asked).toEqual(['first', 'second'])
  })
})

describe("the host's limit", () => {
  it.each([
    [{}, null],
    [{ hostMemory: 2 ** 34 }, { bytes: 2 ** 34, name: "the host's memory" }],
    [
      { hostMemory: 2 ** 34, groupLimit: 2 ** 29 },
      { bytes: 2 ** 29, name: "the control group's memory.max" },
    ],
    [
      { groupLimit: 2 ** 29, groupHigh: 2 ** 28 },
      { bytes: 2 ** 28, name: "the control group's memory.high" },
    ],
    [
      { groupLimit: 2 ** 29, dataSize: 2 ** 27 },
      { bytes: 2 ** 27, name: 'RLIMIT_DATA' },
    ],
    [
      { addressSpace: 2 ** 31, hostMemory: 2 ** 34 },
      { bytes: 2 ** 31, name: 'RLIMIT_AS' },
    ],
  ])('is the smallest: %j', (limits, expected) => {
    expect(hostLimit({ limits: () => ({ ...noLimits, ...limits }) })).toEqual(expected)
  })

  it('is the commit limit on Windows, and none where the host tells nothing', () => {
    const windows = { commitLimit: 2 ** 33, commitAvailable: 1, addressSpace: 2 ** 47, addressSpaceAvailable: 1 }
    expect(hostLimit({ limits: () => windows })).toEqual({ bytes: 2 ** 33, name: 'the commit limit' })
    expect([hostLimit({}), hostLimit(undefined)]).toEqual([null, null])
    expect([hostLimits({}), hostLimits(undefined)]).toEqual([[], []])
  })

  it('is one of a list, the smallest first, each with what is used of it where the host tells', () => {
    const limits = () => ({
      ...noLimits,
      hostMemory: 2 ** 34,
      groupLimit: 2 ** 30,
      groupUsed: 2 ** 29,
      dataSize: 2 ** 32,
      dataSizeUsed: NaN,
      overcommit: 2,
      commitLimit: 2 ** 33,
      committed: 2 ** 31,
    })
    expect(hostLimits({ limits })).toEqual([
      { name: "the control group's memory.max", bytes: 2 ** 30, used: 2 ** 29 },
      { name: 'RLIMIT_DATA', bytes: 2 ** 32, used: NaN },
      { name: 'the commit limit', bytes: 2 ** 33, used: 2 ** 31 },
      { name: "the host's memory", bytes: 2 ** 34, used: NaN },
    ])
    expect(createMemory(new PageOS()).hostLimits()).toEqual([])
  })
})
