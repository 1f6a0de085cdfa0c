// Reclaimers under memory.limit: who is asked, what they may do to the memory and to its limit, and what they throw.
import { createMemory, OutOfMemoryError, UsageError, type Memory } from '@memlayer/core'
import { describe, expect, it } from 'vitest'
import { Reclaimers } from '../src/limit/reclaimers.js'
import { errorOf } from './errors-of.js'
import { PageOS } from './page-os.js'

const page = 4096

function memoryOf(bytes: number): Memory {
  const memory = createMemory(new PageOS(), { scavenge: { share: 0 } })
  memory.limit = { bytes }
  return memory
}

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

  it('are told of with what they say, where the count sees less: pages that were zeroed stay Ready', () => {
    const reclaimers = new Reclaimers()
    let missing = 4 * page
    reclaimers.add({ name: 'zeroes' }, () => 3 * page)
    reclaimers.add({ name: 'says less than it gave' }, () => {
      missing -= page
      return 1
    })
    for (const answer of [NaN, Infinity, -page, 'much', undefined])
      reclaimers.add({ name: String(answer) }, () => answer as number)
    expect(
      reclaimers.round(
        'near',
        () => missing,
        () => false,
      ),
    ).toEqual([
      { name: 'zeroes', bytes: 3 * page },
      { name: 'says less than it gave', bytes: page },
      ...[NaN, Infinity, -page, 'much', undefined].map((answer) => ({ name: String(answer), bytes: 0 })),
    ])
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

  it('that change what is Ready of the range do not lead beyond the limit', () => {
    const memory = memoryOf(4 * page)
    using region = memory.reserve(16 * page)
    region.commit(0, 4 * page)
    const end = memory.reclaimer({ name: 'cache' }, () => region.unused(3 * page, page))
    expect(errorOf(() => region.commit(3 * page, 2 * page))).toBeInstanceOf(OutOfMemoryError)
    expect(memory.stats().total.ready).toBe(3 * page)
    end()
    memory.limit = { bytes: 4 * page }
    memory.reclaimer({ name: 'eager' }, () => {
      region.unused(0, 2 * page)
      region.commit(8 * page, 2 * page)
    })
    region.commit(3 * page, page)
    region.commit(8 * page, 2 * page)
    expect(memory.stats().total.ready).toBe(4 * page)
  })

  it('set the limit that decides, whether they raise, lower or end it', () => {
    const memory = memoryOf(4 * page)
    using region = memory.reserve(32 * page)
    region.commit(0, 4 * page)
    const turns = [{ bytes: 8 * page }, { bytes: 6 * page }, null]
    memory.reclaimer({ name: 'tuner' }, () => {
      memory.limit = turns.shift() as { bytes: number } | null
      if (turns.length === 1) region.unused(0, page)
    })
    region.commit(4 * page, 4 * page)
    const error = errorOf(() => region.commit(8 * page, page))
    expect(error.message).toContain(
      '4 KiB would pass the limit of all memories, memory.limit: 28 KiB of 24 KiB are used',
    )
    // A limit that is set ends the rest after a round that failed.
    memory.limit = { bytes: 8 * page }
    region.commit(8 * page, 8 * page)
    expect([memory.limit, memory.stats().total.ready]).toEqual([null, 15 * page])
  })

  it('that were taken away by one before them are not asked', () => {
    const memory = memoryOf(4 * page)
    memory.sysAlloc(4 * page, null)
    const asked: string[] = []
    const ends = ['a', 'b', 'c'].map((name, priority) =>
      memory.reclaimer({ name, priority }, () => {
        asked.push(name)
        ends[1]?.()
      }),
    )
    expect(errorOf(() => memory.sysAlloc(page, null))).toBeInstanceOf(OutOfMemoryError)
    expect(asked).toEqual(['a', 'c'])
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
    memory.reclaimer({ name: 'late', priority: -1 }, (() => Promise.reject(new Error('later'))) as never)
    const end = memory.reclaimer({ name: 'cache' }, () => region.unused(0, page))
    memory.sysAlloc(page, null)
    end()
    expect(errorOf(() => memory.sysAlloc(page, null))).toBeInstanceOf(OutOfMemoryError)
    await new Promise((done) => setImmediate(done))
    process.off('warning', hear)
    expect(warnings.map(({ message }) => message)).toEqual([
      "The reclaimer 'broken' threw Error: mine.",
      "The reclaimer 'late' threw Error: later.",
    ])
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

describe('a round', () => {
  function three(): { reclaimers: Reclaimers; asked: string[] } {
    const reclaimers = new Reclaimers()
    const asked: string[] = []
    for (const name of ['a', 'b', 'c']) reclaimers.add({ name }, () => void asked.push(name))
    return { reclaimers, asked }
  }

  it('that is late from the start asks one, and the next begins with the one behind it', () => {
    const { reclaimers, asked } = three()
    for (let i = 0; i < 4; i++)
      reclaimers.round(
        'near',
        () => 1,
        () => true,
      )
    expect(asked).toEqual(['a', 'b', 'c', 'a'])
  })

  it('that was not late is followed by one that begins with the first', () => {
    const { reclaimers, asked } = three()
    for (let i = 0; i < 2; i++)
      reclaimers.round(
        'near',
        () => 1,
        () => false,
      )
    expect(asked).toEqual(['a', 'b', 'c', 'a', 'b', 'c'])
    expect(
      reclaimers.round(
        'near',
        () => 0,
        () => false,
      ),
    ).toEqual([])
  })

  it('tells what each gave, and nothing below 0 of one that took', () => {
    const reclaimers = new Reclaimers()
    let missing = 10
    reclaimers.add({ name: 'takes' }, () => void (missing += 5))
    reclaimers.add({ name: 'gives' }, () => void (missing -= 12))
    expect(reclaimers.hasAny).toBe(true)
    expect(
      reclaimers.round(
        'over',
        () => missing,
        () => false,
      ),
    ).toEqual([
      { name: 'takes', bytes: 0 },
      { name: 'gives', bytes: 12 },
    ])
  })

  it('is running until it has ended, also where what it needs can not be counted', () => {
    const { reclaimers } = three()
    const wrong = (): number => {
      expect(reclaimers.isRunning).toBe(true)
      throw new Error('mine')
    }
    expect(() => reclaimers.round('near', wrong, () => false)).toThrow('mine')
    expect(reclaimers.isRunning).toBe(false)
  })
})
