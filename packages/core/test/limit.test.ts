// memory.limit: what counts, what is tried before an operation is refused, and that a limit below what is held costs
// next to nothing.
import { createMemory, OutOfMemoryError, UsageError, type Memory } from '@memlayer/core'
import { describe, expect, it } from 'vitest'
import { hostLimit, hostLimits } from '../src/limit/host-limit.js'
import { MemoryLimit, type Limited } from '../src/limit/limit.js'
import { Reclaimers } from '../src/limit/reclaimers.js'
import { errorOf } from './errors-of.js'
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

  it('lets an operation through where it was told to, after all was tried', () => {
    const memory = createMemory(new PageOS(), { scavenge: { share: 0 } })
    memory.limit = { bytes: 2 * page, beyond: 'allow' }
    let asked = 0
    memory.reclaimer({ name: 'cache' }, () => void (asked += 1))
    memory.sysAlloc(4 * page, null)
    expect([asked, memory.stats().total.ready]).toEqual([1, 4 * page])
  })
})

describe('reclaimers', () => {
  it('are asked by priority until there is room, and what they give is in no error', () => {
    const memory = memoryOf(4 * page)
    using region = memory.reserve(16 * page)
    region.commit(0, 4 * page)
    const asked: string[] = []
    memory.reclaimer({ name: 'last', priority: 9 }, () => void asked.push('last'))
    memory.reclaimer({ name: 'second' }, ({ want, level }) => {
      asked.push(`second ${level} ${want >= page}`)
      region.unused(0, 2 * page)
    })
    memory.reclaimer({ name: 'first', priority: -1 }, () => void asked.push('first'))
    region.commit(8 * page, page)
    expect(asked).toEqual(['first', 'second over true'])
    expect(memory.stats().total.ready).toBe(3 * page)
  })

  it('are named in the error with what each gave', () => {
    const memory = memoryOf(4 * page)
    using region = memory.reserve(16 * page)
    region.commit(0, 4 * page)
    memory.reclaimer({ name: 'cache' }, () => region.unused(0, page))
    const error = errorOf(() => memory.sysAlloc(3 * page, null))
    expect(error.message).toContain('Given back: 0 bytes by the scavenger, 4 KiB by cache.')
    expect(memory.stats().total.ready).toBe(3 * page)
  })

  it('may free the very range that is about to be used: it is proved again', () => {
    const memory = memoryOf(4 * page)
    using region = memory.reserve(16 * page)
    region.commit(0, 4 * page)
    region.map(8 * page, 2 * page)
    memory.reclaimer({ name: 'cache' }, () => region.free())
    expect(errorOf(() => memory.sysUsed(region.address + 8 * page, 2 * page))).toMatchObject({
      code: 'ERR_MEMLAYER_NOT_OWNED',
    })
    expect(memory.ranges()).toEqual([])
    memory.check()
  })

  it('ask no other one by what they do themselves, and are refused at once', () => {
    const memory = memoryOf(4 * page)
    using region = memory.reserve(16 * page)
    region.commit(0, 4 * page)
    let depth = 0
    const refusals: Error[] = []
    memory.reclaimer({ name: 'cache' }, () => {
      depth += 1
      refusals.push(errorOf(() => memory.sysAlloc(page, null)))
    })
    expect(errorOf(() => memory.sysAlloc(page, null))).toBeInstanceOf(OutOfMemoryError)
    expect([depth, refusals.length]).toEqual([1, 1])
    expect(refusals[0]).toBeInstanceOf(OutOfMemoryError)
  })

  it('that throw harm nobody, and warn once', async () => {
    const warnings: Error[] = []
    const hear = (warning: Error): void => void warnings.push(warning)
    process.on('warning', hear)
    const memory = memoryOf(4 * page)
    using region = memory.reserve(16 * page)
    region.commit(0, 4 * page)
    memory.reclaimer({ name: 'broken', priority: -1 }, () => {
      throw new Error('mine')
    })
    const end = memory.reclaimer({ name: 'cache' }, () => region.unused(0, page))
    memory.sysAlloc(page, null)
    end()
    expect(errorOf(() => memory.sysAlloc(page, null))).toBeInstanceOf(OutOfMemoryError)
    await new Promise((done) => setImmediate(done))
    process.off('warning', hear)
    expect(warnings.map(({ message }) => message)).toEqual(["The reclaimer 'broken' threw Error: mine."])
  })

  it.each<[object, unknown]>([
    [{ name: '' }, () => undefined],
    [{ name: 'x', priority: NaN }, () => undefined],
    [{ name: 'x' }, null],
    [{ title: 'x' }, () => undefined],
  ])('%j with %j is no reclaimer', (options, reclaim) => {
    const memory = createMemory(new PageOS())
    expect(errorOf(() => memory.reclaimer(options as never, reclaim as never))).toBeInstanceOf(UsageError)
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
      expect(() => limit.take('sysUsed', page)).toThrow(/would pass the limit/)
      refused += 1
    }
    expect(refused).toBe(10_000)
    expect((tried * 2) / time).toBeLessThan(0.05)
    expect(() => limit.take('sysUsed', page)).toThrow(/Nothing was tried/)
  })
})

describe('a slow machine', () => {
  /** A world where a look at what is used takes longer than all reclaimers may, and `first` gives nothing. */
  function slowWorld(): [limit: MemoryLimit, asked: string[], pass: (milliseconds: number) => void] {
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
      scavenge: () => 0,
      trim: () => 0,
      now: () => time,
    })
    limit.limit = { bytes: 4 * page }
    return [limit, asked, (milliseconds) => void (time += milliseconds)]
  }

  it('asks one reclaimer in each round, and those that had no turn in the next', () => {
    const [limit, asked, pass] = slowWorld()
    expect(() => limit.take('sysUsed', page)).toThrow(/Given back: 0 bytes by the scavenger, 0 bytes by first\./)
    expect(asked).toEqual(['first'])
    pass(100_000)
    limit.take('sysUsed', page)
    expect(asked).toEqual(['first', 'second'])
  })
})

describe("the host's limit", () => {
  const none = {
    addressSpace: Infinity,
    addressSpaceUsed: 0,
    lockedMemory: 0,
    maxMappings: 65530,
    mappings: 0,
    overcommit: 0,
    commitLimit: 0,
    committed: 0,
    groupLimit: Infinity,
    groupUsed: 0,
  }

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
    expect(hostLimit({ limits: () => ({ ...none, ...limits }) })).toEqual(expected)
  })

  it('is the commit limit on Windows, and none where the host tells nothing', () => {
    const windows = { commitLimit: 2 ** 33, commitAvailable: 1, addressSpace: 2 ** 47, addressSpaceAvailable: 1 }
    expect(hostLimit({ limits: () => windows })).toEqual({ bytes: 2 ** 33, name: 'the commit limit' })
    expect([hostLimit({}), hostLimit(undefined)]).toEqual([null, null])
    expect([hostLimits({}), hostLimits(undefined)]).toEqual([[], []])
  })

  it('is one of a list, the smallest first, each with what is used of it where the host tells', () => {
    const limits = () => ({
      ...none,
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
