// Alignment far above 2^32, where bitwise operators lose an address.
import { alignDown, alignUp, isAligned, isPowerOfTwo } from '@memlayer/kernel'
import { testSeed } from '@memlayer/witness'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

fc.configureGlobal({ seed: testSeed(), numRuns: 1000 })

// AIX and illumos map this high. The last is the highest page address that exists.
const addresses = [0, 0x1000, 2 ** 32, 2 ** 47 - 4096, 0x0700_0000_0000_0000, 0xffff_fd7f_0000_0000, 2 ** 64 - 4096]
const powers = Array.from({ length: 53 }, (_, i) => 2 ** i)

/** In whole numbers of any size. Slower, but without rounding errors. */
const exact = {
  up: (v: number, align: number): number => Number(((BigInt(v) + BigInt(align) - 1n) / BigInt(align)) * BigInt(align)),
  down: (v: number, align: number): number => Number((BigInt(v) / BigInt(align)) * BigInt(align)),
}

describe('alignUp and alignDown', () => {
  it.each([
    [0, 4096, 0, 0],
    [1, 4096, 4096, 0],
    [4096, 4096, 4096, 4096],
    [4097, 4096, 8192, 4096],
    [5, 1, 5, 5],
    [2 ** 47 - 1, 2 ** 30, 2 ** 47, 2 ** 47 - 2 ** 30],
  ])('%d by %d: up to %d, down to %d', (v, align, up, down) => {
    expect(alignUp(v, align)).toBe(up)
    expect(alignDown(v, align)).toBe(down)
  })

  it('leave every page-aligned address up to 2^64 where it is', () => {
    for (const v of addresses) {
      expect(alignUp(v, 4096)).toBe(v)
      expect(alignDown(v, 4096)).toBe(v)
      expect(isAligned(v, 4096)).toBe(true)
    }
  })

  it('agree with whole-number arithmetic for every address and alignment', () => {
    const power = fc.constantFrom(...powers)
    fc.assert(
      fc.property(fc.maxSafeInteger(), power, (n, align) => {
        const v = Math.abs(n)
        const up = exact.up(v, align)
        // Past 2^53 a sum of odd bytes is not an address and rounds.
        if (up <= Number.MAX_SAFE_INTEGER) expect(alignUp(v, align)).toBe(up)
        expect(alignDown(v, align)).toBe(exact.down(v, align))
        expect(isAligned(v, align)).toBe(exact.down(v, align) === v)
      }),
    )
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 52n - 1n }), fc.integer({ min: 12, max: 52 }), (page, bits) => {
        const v = Number(page * 4096n)
        const align = 2 ** bits
        expect(alignUp(v, align)).toBe(exact.up(v, align))
        expect(alignDown(v, align)).toBe(exact.down(v, align))
        expect(isAligned(v, align)).toBe(exact.down(v, align) === v)
      }),
    )
  })
})

describe('isPowerOfTwo', () => {
  it('holds for every power of two up to 2^63', () => {
    for (let bits = 0; bits < 64; bits++) expect(isPowerOfTwo(2 ** bits), `2^${bits}`).toBe(true)
  })

  it('does not hold one above or below a power of two', () => {
    for (const power of powers.slice(2)) {
      expect(isPowerOfTwo(power - 1), String(power - 1)).toBe(false)
      if (power < 2 ** 52) expect(isPowerOfTwo(power + 1), String(power + 1)).toBe(false)
    }
    expect(isPowerOfTwo(2 ** 63 + 2048)).toBe(false)
  })

  it.each([0, -0, -1, -4096, 0.5, 1.5, 3, NaN, Infinity, -Infinity])('does not hold for %d', (n) => {
    expect(isPowerOfTwo(n)).toBe(false)
  })
})
