// Tests the bytes of one category. The count is always a whole number from 0 to 2^53 - 1.
import { FatalError, SysMemStat, UsageError } from '@memlayer/core'
import { testSeed } from '@memlayer/witness'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { errorOf } from './errors-of.js'

fc.configureGlobal({ seed: testSeed() })

const MAX = Number.MAX_SAFE_INTEGER

describe('SysMemStat', () => {
  it('adds and subtracts, between 0 and 2^53 - 1', () => {
    const stat = new SysMemStat('heap', 1)
    expect(stat.load()).toBe(0)
    stat.add(MAX)
    expect(stat.load()).toBe(MAX)
    stat.add(-MAX)
    expect(stat.load()).toBe(0)
  })

  it.each([
    ['below zero', 4096, -4097],
    ['above 2^53 - 1', MAX, 1],
    ['by far', 1, MAX],
    ['by a number above the exact integers', 0, 2 ** 53],
    ['by a number below the exact integers', 2 ** 52, -(2 ** 53)],
  ])('throws before any change when the sum would be wrong: %s', (_, held, n) => {
    const stat = new SysMemStat('heap', 1)
    stat.add(held)
    const error = errorOf(() => stat.add(n))
    expect(error).toBeInstanceOf(FatalError)
    expect(error.message).toMatch(new RegExp(`^sysMemStat overflow: heap holds ${held} bytes, adding ${n}\\. `))
    expect(error).toMatchObject({ code: 'ERR_MEMLAYER_ACCOUNT', size: n })
    expect(error.hint).toContain('free each range with the stat')
    expect(stat.load()).toBe(held)
  })

  it.each<unknown>([0.5, NaN, Infinity, '4096', 1n, null, undefined, {}, Symbol('n'), { valueOf: () => 4096 }])(
    'refuses %s as a number of bytes',
    (n) => {
      const stat = new SysMemStat('heap', 1)
      stat.add(4096)
      const error = errorOf(() => stat.add(n as number))
      expect(error).toBeInstanceOf(UsageError)
      expect(error.code).toBe('ERR_MEMLAYER_SIZE')
      expect(stat.load()).toBe(4096)
    },
  )

  it('is the sum of all added numbers, for every history', () => {
    fc.assert(
      fc.property(fc.array(fc.maxSafeInteger()), (steps) => {
        const stat = new SysMemStat('heap', 1)
        let sum = 0n
        for (const n of steps) {
          const next = sum + BigInt(n)
          if (next >= 0n && next <= BigInt(MAX)) {
            stat.add(n)
            sum = next
          } else expect(() => stat.add(n)).toThrow('sysMemStat overflow')
          expect(BigInt(stat.load())).toBe(sum)
        }
      }),
    )
  })

  it('keeps its name and its index after writes to them', () => {
    const stat = new SysMemStat('heap', 1)
    expect(Reflect.set(stat, 'index', 2)).toBe(false)
    expect(Reflect.defineProperty(stat, 'name', { value: 'other' })).toBe(false)
    expect(stat).toMatchObject({ name: 'heap', index: 1 })
  })

  it('differs from a forgery by instanceof, which runs no code of the forgery', () => {
    const stat = new SysMemStat('heap', 1)
    const trap = (): never => {
      throw new Error('code of the forgery ran')
    }
    const revoked = Proxy.revocable(stat, {})
    revoked.revoke()
    expect(stat instanceof SysMemStat).toBe(true)
    for (const forgery of [
      Object.create(SysMemStat.prototype),
      { name: 'heap', index: 1 },
      new Proxy(stat, { get: trap, getPrototypeOf: trap, has: trap }),
      revoked.proxy,
      null,
      undefined,
      'heap',
    ]) {
      expect((forgery as unknown) instanceof SysMemStat).toBe(false)
    }
  })
})
