// Tests the bytes of one category. The count is a whole number from 0 to 2^53 - 1, and only operations change it.
import { createMemory, FatalError, UsageError, type Memory, type SysMemStat } from '@memlayer/core'
import { testSeed } from '@memlayer/witness'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { errorOf } from './errors-of.js'
import { PageOS } from './page-os.js'

fc.configureGlobal({ seed: testSeed() })

const MAX = Number.MAX_SAFE_INTEGER

/** Makes a memory without a ledger over an OS that grants every request, so that it only counts. */
function counting(): { memory: Memory; stat: SysMemStat } {
  const os = Object.assign(new PageOS(), { sysAllocOS: () => 4096, sysFreeOS: () => {}, sysMapOS: () => {} })
  const memory = createMemory(os, { ledger: false })
  return { memory, stat: memory.stat('heap') }
}

/** Adds `n` bytes by an operation, or subtracts them if `n` is negative. */
function add({ memory, stat }: ReturnType<typeof counting>, n: number): void {
  if (n < 0) memory.sysFree(4096, -n, stat)
  else if (n > 0) memory.sysAlloc(n, stat)
}

describe('SysMemStat', () => {
  it('counts the bytes that operations add and subtract, from 0 to 2^53 - 1', () => {
    const counts = counting()
    expect(counts.stat.load()).toBe(0)
    add(counts, MAX)
    expect(counts.stat.load()).toBe(MAX)
    add(counts, -MAX)
    expect(counts.stat.load()).toBe(0)
  })

  it.each([
    ['below zero', 4096, -4097, 'Free each range with the stat that it was mapped with'],
    ['above 2^53 - 1', MAX, 1, 'Ask for less'],
    ['by far', 1, MAX, 'Ask for less'],
  ])('stops an operation before any change if the sum would be wrong: %s', (_, counted, n, hint) => {
    const counts = counting()
    add(counts, counted)
    const error = errorOf(() => add(counts, n))
    expect(error).toBeInstanceOf(FatalError)
    expect(error.message).toMatch(new RegExp(`^sysMemStat overflow: heap holds ${counted} bytes, adding ${n}\\. `))
    expect(error).toMatchObject({ code: 'ERR_MEMLAYER_ACCOUNT', size: Math.abs(n) })
    expect(error.hint).toContain(hint)
    expect(counts.stat.load()).toBe(counted)
  })

  it('is the sum of all added numbers, for every history', () => {
    fc.assert(
      fc.property(fc.array(fc.maxSafeInteger()), (steps) => {
        const counts = counting()
        let sum = 0n
        for (const n of steps) {
          const next = sum + BigInt(n)
          if (next >= 0n && next <= BigInt(MAX)) {
            add(counts, n)
            sum = next
          } else expect(() => add(counts, n)).toThrow('sysMemStat overflow')
          expect(BigInt(counts.stat.load())).toBe(sum)
        }
      }),
    )
  })

  it('has a name and a count, and no property that changes them', () => {
    const { stat } = counting()
    expect(Object.keys(stat)).toEqual(['name'])
    expect(Object.getOwnPropertyNames(Object.getPrototypeOf(stat)).toSorted()).toEqual(['constructor', 'limit', 'load'])
    expect(Reflect.defineProperty(stat, 'name', { value: 'other' })).toBe(false)
    expect(stat.name).toBe('heap')
  })

  it('differs from a forgery, whose code core does not run', () => {
    const { memory, stat } = counting()
    const trap = (): never => {
      throw new Error('code of the forgery ran')
    }
    const revoked = Proxy.revocable(stat, {})
    revoked.revoke()
    const Stat = stat.constructor as unknown as new (...given: unknown[]) => SysMemStat
    for (const forgery of [
      Object.create(Stat.prototype as object) as object,
      new Stat('heap', 1, { bytes: 5 }),
      { name: 'heap' },
      new Proxy(stat, { get: trap, getPrototypeOf: trap, has: trap }),
      revoked.proxy,
      undefined,
      'heap',
    ]) {
      const error = errorOf(() => memory.sysAlloc(4096, forgery as SysMemStat))
      expect(error).toBeInstanceOf(UsageError)
      expect(error.code).toBe('ERR_MEMLAYER_STAT')
    }
    memory.sysAlloc(4096, stat)
    expect(stat.load()).toBe(4096)
  })
})
