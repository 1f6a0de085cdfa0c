// What the account makes of a failure: who hears of it, what it counts, and the one warning about memory that the
// kernel keeps.
import { afterEach, describe, expect, it, vi } from 'vitest'
import { Account } from '../src/account/account.js'
import type { MemoryEvent } from '../src/account/observer.js'
import { OutOfMemoryError } from '../src/errors.js'
import { Ledger } from '../src/ledger/ledger.js'
import { PageOS } from './page-os.js'

const page = 4096
const accountOf = (os: unknown = new PageOS()): Account => new Account(os as PageOS, new Ledger(true), () => undefined)

afterEach(() => {
  vi.restoreAllMocks()
  vi.resetModules()
})

describe('a failure', () => {
  it('is told to observers that want events, and to no other', () => {
    const account = accountOf()
    const heard: MemoryEvent[] = []
    let isWanted = false
    account.observe((event) => heard.push(event), { wanted: () => isWanted })
    const error = new OutOfMemoryError('sysAlloc: no', { op: 'sysAlloc', size: page, hint: 'Wait.' })
    expect(account.failed('sysAlloc', null, page, 0, error)).toBe(error)
    expect(heard).toEqual([])
    isWanted = true
    account.failed('sysAlloc', null, page, 0, error)
    expect(heard).toEqual([{ op: 'sysAlloc', address: null, size: page, category: null, outcome: 'refused', error }])
    expect(account.stats().total).toMatchObject({ calls: 2, refusals: 2 })
  })

  it('of a frozen OS that tells no refusals is the error alone, and so is a success', () => {
    const account = accountOf(Object.freeze({ traits: new PageOS().traits }))
    const error = new Error('broken')
    expect(account.failed('sysAlloc', null, page, 0, error)).toBe(error)
    account.done('sysAlloc', page, page, 0)
    expect(account.stats().total).toMatchObject({ calls: 2, refusals: 0 })
  })
})

describe('memory that the kernel keeps', () => {
  it.each([
    [{ syscall: 'madvise', errno: 22, errnoName: 'EINVAL', hint: 'Wait.' }, ' madvise answered EINVAL.'],
    [{ syscall: 'madvise', errno: 22, hint: 'Wait.' }, ' madvise answered errno 22.'],
    [{ hint: 'Wait.' }, ''],
  ])('is counted each time, and warned of once: %j', async (refusal, why) => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
    const { Account: Anew } = await import('../src/account/account.js')
    const account = new Anew(new PageOS(), null, () => undefined)
    account.kept(page, refusal)
    account.kept(2 * page, refusal)
    expect(account.stats().kept).toBe(3 * page)
    expect(warned.mock.calls.map(([text]) => text)).toEqual([
      `sysUnused: the kernel does not take the memory of 4 KiB back.${why}`,
    ])
    expect(warned.mock.calls[0]?.[1]).toMatchObject({ code: 'MEMLAYER_KEPT', detail: 'Wait.' })
  })
})

describe('an account without a ledger', () => {
  it('does not know the most that was Ready', () => {
    const account = new Account(new PageOS(), null, () => undefined)
    expect(account.stats().total.peak).toBe(NaN)
  })
})

describe('a category', () => {
  it('that nobody knows is called by its number', () => {
    const account = accountOf()
    const stat = account.stat('heap')
    expect([account.nameOf(account.categoryOf('sysAlloc', stat)), account.nameOf(99)]).toEqual(['heap', '99'])
  })
})
