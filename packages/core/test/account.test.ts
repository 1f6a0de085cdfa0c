// Tests that accounting is a transaction: a category counts an operation completely or not at all.
import { createMemory, FatalError, OutOfMemoryError, UsageError, type SysMemStat } from '@memlayer/core'
import { describe, expect, it } from 'vitest'
import { Account } from '../src/account/account.js'
import { Ledger } from '../src/ledger/ledger.js'
import { PREPARED, READY } from '../src/ledger/states.js'
import { errorOf } from './errors-of.js'
import { EINVAL, ENOMEM, PageOS } from './page-os.js'

const page = 4096

describe('a category', () => {
  it('counts allocated and mapped bytes until they are freed', () => {
    const memory = createMemory(new PageOS())
    const heap = memory.stat('heap')
    const a = memory.sysAlloc(2 * page, heap)
    expect(heap.load()).toBe(2 * page)
    const v = memory.sysReserve(null, 8 * page)
    expect(heap.load()).toBe(2 * page)
    memory.sysMap(v, 4 * page, heap)
    expect(heap.load()).toBe(6 * page)
    memory.sysUsed(v, 4 * page)
    memory.sysUnused(v, 2 * page)
    memory.sysHugePage(v, 8 * page)
    expect(heap.load()).toBe(6 * page)
    memory.sysFree(a, 2 * page, heap)
    // Half of this range is mapped, and half is only reserved. Only the mapped half counts.
    memory.sysFree(v, 8 * page, heap)
    expect(heap.load()).toBe(0)
    memory.check()
  })

  it('still counts faulted pages, until another category maps them', () => {
    const memory = createMemory(new PageOS())
    const [heap, index] = [memory.stat('heap'), memory.stat('index')]
    const v = memory.sysReserve(null, 4 * page)
    memory.sysMap(v, 4 * page, heap)
    memory.sysFault(v, 2 * page)
    expect(memory.stats().categories).toMatchObject({
      heap: { reserved: 2 * page, prepared: 2 * page, held: 4 * page },
    })
    memory.sysMap(v, page, index)
    memory.sysMap(v + page, page, null)
    expect([heap.load(), index.load()]).toEqual([2 * page, page])
    memory.check()
    memory.sysFree(v, 4 * page, null)
    expect([heap.load(), index.load()]).toEqual([0, 0])
  })

  it('is found by the ledger when sysFree gets null, also for a range of several categories', () => {
    const memory = createMemory(new PageOS())
    const stats = ['a', 'b', 'c'].map((name) => memory.stat(name))
    const v = memory.sysReserve(null, 4 * page)
    stats.forEach((stat, i) => memory.sysMap(v + i * page, page, stat))
    memory.sysFree(v, 4 * page, null)
    expect(stats.map((stat) => stat.load())).toEqual([0, 0, 0])
    memory.check()
  })

  it('is one object for each name, and is listed in the order of first use', () => {
    const memory = createMemory(new PageOS())
    expect(memory.stat('b')).toBe(memory.stat('b'))
    memory.stat('a')
    memory.stat('__proto__')
    expect(Object.keys(memory.stats().categories)).toEqual(['b', 'a', '__proto__'])
  })

  it('may be one of hundreds', () => {
    const memory = createMemory(new PageOS({ pages: 512 }))
    const stats = Array.from({ length: 400 }, (_, i) => memory.stat(`category ${i}`))
    const addresses = stats.map((stat) => memory.sysAlloc(page, stat))
    memory.check()
    expect(memory.stats().categories['category 399']).toMatchObject({ ready: page, peak: page, calls: 1 })
    stats.forEach((stat, i) => memory.sysFree(addresses[i] as number, page, stat))
    expect(memory.stats().total).toMatchObject({ ready: 0, held: 0, peak: 400 * page, calls: 800 })
    memory.check()
  })

  it.each(['', 4, null, undefined, {}, Symbol('heap')])('can’t have the name %o', (name) => {
    const error = errorOf(() => createMemory(new PageOS()).stat(name as string))
    expect(error).toBeInstanceOf(UsageError)
    expect(error.code).toBe('ERR_MEMLAYER_STAT')
  })
})

describe('a stat that does not belong to this memory', () => {
  const others = (): [string, unknown][] => [
    ['undefined', undefined],
    ['a name', 'heap'],
    ['a number', 1],
    ['another memory’s', createMemory(new PageOS()).stat('heap')],
    ['a forgery', { name: 'heap', index: 1 }],
    [
      'a trap',
      new Proxy(createMemory(new PageOS()).stat('heap'), {
        get: () => {
          throw new Error('the trap was sprung')
        },
      }),
    ],
  ]

  it.each(others())('is refused before any call on the OS: %s', (_, stat) => {
    const os = new PageOS()
    const memory = createMemory(os)
    memory.stat('heap')
    const v = memory.sysReserve(null, page)
    const before = [memory.stats(), os.calls.length]
    const unchecked = createMemory(new PageOS(), { ledger: false })
    const free = 'Pass the stat that the range was mapped with, or null.'
    for (const [call, hint] of [
      [() => memory.sysAlloc(page, stat as SysMemStat), "stat('name')"],
      [() => memory.sysMap(v, page, stat as SysMemStat), "stat('name')"],
      // With a ledger, null does not mean that no category counted the range.
      [() => memory.sysFree(v, page, stat as SysMemStat), free],
      [() => unchecked.sysFree(v, page, stat as SysMemStat), 'or null to count under no category'],
    ] as const) {
      const error = errorOf(call)
      expect(error).toBeInstanceOf(UsageError)
      expect(error.code).toBe('ERR_MEMLAYER_STAT')
      expect(error.hint).toContain(hint)
    }
    expect([memory.stats(), os.calls.length]).toEqual(before)
    memory.check()
  })

  it('is named as another memory’s stat if it is one', () => {
    const error = errorOf(() => createMemory(new PageOS()).sysAlloc(page, createMemory(new PageOS()).stat('heap')))
    expect(error.message).toMatch(/^sysAlloc: the stat is another memory's\. /)
  })

  it('is refused for a range of another category, which the error names', () => {
    const os = new PageOS()
    const memory = createMemory(os)
    const [heap, index] = [memory.stat('heap'), memory.stat('index')]
    const v = memory.sysReserve(null, 4 * page)
    memory.sysMap(v, 2 * page, heap)
    memory.sysMap(v + 2 * page, 2 * page, index)
    const calls = os.calls.length
    const error = errorOf(() => memory.sysFree(v, 4 * page, heap))
    expect(error).toMatchObject({ code: 'ERR_MEMLAYER_STAT', op: 'sysFree', address: v, size: 4 * page })
    expect(error.message).toContain(
      `the bytes at 0x${(v + 2 * page).toString(16)} are counted under 'index', not 'heap'`,
    )
    // A range that lies in one other category alone is found without a look at its parts.
    expect(errorOf(() => memory.sysFree(v + 2 * page, page, heap)).code).toBe('ERR_MEMLAYER_STAT')
    expect(os.calls).toHaveLength(calls)
    expect([heap.load(), index.load()]).toEqual([2 * page, 2 * page])
  })
})

describe('a refused or broken operation counts nothing', () => {
  it('a refused sysAlloc, although Go would keep its count', () => {
    const os = new PageOS({ fate: () => ENOMEM })
    const memory = createMemory(os)
    const heap = memory.stat('heap')
    expect(errorOf(() => memory.sysAlloc(page, heap))).toBeInstanceOf(OutOfMemoryError)
    expect(heap.load()).toBe(0)
    expect(memory.stats().categories['heap']).toMatchObject({ held: 0, ready: 0, peak: 0, calls: 1, refusals: 1 })
  })

  it('a broken sysMap over faulted pages, which their category still counts', () => {
    const os = new PageOS()
    const memory = createMemory(os)
    const [heap, index] = [memory.stat('heap'), memory.stat('index')]
    const v = memory.sysReserve(null, 3 * page)
    memory.sysMap(v, 2 * page, heap)
    memory.sysFault(v, 2 * page)
    os.fate = () => new FatalError('out of memory')
    expect(errorOf(() => memory.sysMap(v, 3 * page, index))).toBeInstanceOf(FatalError)
    expect([heap.load(), index.load()]).toEqual([2 * page, 0])
    memory.check()
  })

  it.each([
    ['refused', ENOMEM, OutOfMemoryError],
    ['kept', EINVAL, FatalError],
    ['broken', new FatalError('failed to release pages'), FatalError],
  ])('a sysFree that the OS answers with "%s", after which each category has its bytes again', (_, fate, kind) => {
    const os = new PageOS()
    const memory = createMemory(os)
    const [heap, index] = [memory.stat('heap'), memory.stat('index')]
    const v = memory.sysReserve(null, 4 * page)
    memory.sysMap(v, 2 * page, heap)
    memory.sysMap(v + 2 * page, page, index)
    const before = memory.ranges()
    os.fate = () => fate
    expect(errorOf(() => memory.sysFree(v, 4 * page, null))).toBeInstanceOf(kind)
    expect([heap.load(), index.load()]).toEqual([2 * page, page])
    expect(memory.ranges()).toEqual(before)
    memory.check()
  })
})

describe('a full category', () => {
  it('stops sysAlloc and sysMap before any call on the OS', () => {
    const bytesMax = 2 ** 53 - 2 * page
    const os = Object.assign(new PageOS(), { sysAllocOS: () => 2 ** 60 })
    const memory = createMemory(os)
    const heap = memory.stat('heap')
    const v = memory.sysReserve(null, 2 * page)
    memory.sysAlloc(bytesMax, heap)
    const calls = os.calls.length
    const ranges = memory.ranges()
    for (const [op, call] of [
      ['sysAlloc', () => memory.sysAlloc(2 * page, heap)],
      ['sysMap', () => memory.sysMap(v, 2 * page, heap)],
    ] as const) {
      const error = errorOf(call)
      expect(error).toBeInstanceOf(UsageError)
      expect(error).toMatchObject({ code: 'ERR_MEMLAYER_SIZE', op })
      expect(heap.load()).toBe(bytesMax)
    }
    expect(os.calls).toHaveLength(calls)
    expect(memory.ranges()).toEqual(ranges)
    memory.check()
  })
})

describe('the check of the account', () => {
  it('finds sums that disagree with the ranges, names the category, and lets a right account pass', () => {
    const ledger = new Ledger(true)
    const account = new Account(new PageOS(), ledger, () => undefined)
    const heap = account.categoryOf('sysAlloc', account.stat('heap'))
    ledger.enter('sysAlloc', page, 4 * page, READY, heap)
    const check = (): void => account.check()
    expect(check).toThrow(`the account is wrong: category 'heap' counts 0 bytes, but its ranges have ${4 * page}`)
    expect(check).toThrow(expect.objectContaining({ code: 'ERR_MEMLAYER_ACCOUNT' }) as Error)
    account.add(4 * page, heap)
    account.check()
    // A script ended between the ranges and the sums of the ledger.
    ledger.force(page, page, PREPARED)
    expect(check).toThrow("the account is wrong: category 'heap' counts 0 bytes Prepared")
    ledger.recount()
    account.check()
    account.add(page, heap)
    expect(check).toThrow(`category 'heap' counts ${5 * page} bytes, but its ranges have ${4 * page}`)
    account.recount()
    account.check()
    expect(account.stat('heap').load()).toBe(4 * page)
  })
})

describe('the limit of a category', () => {
  it('is null until it is set, and null takes it away', () => {
    const memory = createMemory(new PageOS())
    const heap = memory.stat('heap')
    expect(heap.limit).toBe(null)
    heap.limit = page
    expect(errorOf(() => memory.sysAlloc(2 * page, heap))).toBeInstanceOf(OutOfMemoryError)
    heap.limit = null
    expect(heap.limit).toBe(null)
    memory.sysAlloc(2 * page, heap)
    expect(heap.load()).toBe(2 * page)
  })
})

it('a refusal that the OS left behind when it broke is not for the next operation', () => {
  const os = new PageOS({
    fate: (_, k, own) => {
      if (k > 1) return undefined
      own.refusal = ENOMEM
      return new FatalError('broken')
    },
  })
  const memory = createMemory(os)
  expect(errorOf(() => memory.sysAlloc(page, null))).toBeInstanceOf(FatalError)
  expect(os.refusal).toBe(null)
  memory.sysAlloc(page, null)
  expect(memory.stats().total).toMatchObject({ calls: 2, refusals: 0 })
})
