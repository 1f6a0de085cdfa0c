// How many names of regions the account keeps: those of regions count until code asks for them, and a look for those
// that are not used comes when there are twice as many as were left.
import { beforeEach, describe, expect, it } from 'vitest'
import { Account } from '../src/account/account.js'
import { Ledger } from '../src/ledger/ledger.js'
import { PageOS } from './page-os.js'

let account: Account

beforeEach(() => {
  account = new Account(new PageOS(), new Ledger(true), () => undefined)
})

/** Names of regions, from `from` on. */
function name(from: number, to: number): string[] {
  const names = Array.from({ length: to - from }, (_, i) => `region ${from + i}`)
  for (const one of names) account.statOfRegion(one)
  return names
}

const count = (): number => Object.keys(account.stats().categories).length

describe('names of regions', () => {
  it('are many above 512, each counted once', () => {
    name(0, 512)
    name(0, 512)
    expect(account.hasManyNames).toBe(false)
    name(512, 513)
    expect(account.hasManyNames).toBe(true)
  })

  it('are not those that code has asked for, before or after', () => {
    for (let i = 0; i < 50; i++) account.stat(`region ${i}`)
    const names = name(0, 612)
    for (const one of names.slice(50, 150)) for (let times = 0; times < 2; times++) account.stat(one)
    expect(account.hasManyNames).toBe(false)
    name(612, 663)
    expect(account.hasManyNames).toBe(true)
  })

  it('that are used stay, and are many again when there are twice as many', () => {
    const used = new Set(name(0, 600))
    account.dropNames(used)
    expect([count(), account.hasManyNames]).toEqual([600, false])
    name(600, 1200)
    expect(account.hasManyNames).toBe(false)
    name(1200, 1201)
    expect(account.hasManyNames).toBe(true)
  })

  it('that are not used go, but for the 256 youngest', () => {
    const names = name(0, 600)
    account.dropNames(new Set(names.slice(0, 10)))
    expect(Object.keys(account.stats().categories)).toEqual([...names.slice(0, 10), ...names.slice(-256)])
    expect(account.hasManyNames).toBe(false)
    name(600, 600 + 2 * 266 - 266)
    expect(account.hasManyNames).toBe(false)
    name(2000, 2001)
    expect(account.hasManyNames).toBe(true)
  })

  it('leave their operations with what no category counts', () => {
    const [first] = name(0, 300)
    const place = account.categoryOf('sysAlloc', account.statOfRegion(first as string))
    account.done('sysAlloc', 4096, 4096, place)
    account.failed('sysAlloc', null, 4096, place, new Error('broken'))
    account.dropNames(new Set())
    expect(account.stats().categories).not.toHaveProperty([first as string])
    expect(account.stats().uncategorized.calls).toBe(2)
  })
})
