// Alignment in doubles. ToInt32 keeps the low 32 bits of a whole number of any size, and a mask takes no
// more of them: so these hold for every address, and cost no division.

// Beyond, a mask would reach into the sign.
const MOST_MASKED = 2 ** 31

/** The next multiple of `align` at or above `v`, a whole number. `align` is a power of two. */
export function alignUp(v: number, align: number): number {
  if (align > MOST_MASKED) return Math.ceil(v / align) * align
  const over = v & (align - 1)
  return over === 0 ? v : v - over + align
}

/** The last multiple of `align` at or below `v`, a whole number. `align` is a power of two. */
export function alignDown(v: number, align: number): number {
  return align > MOST_MASKED ? Math.floor(v / align) * align : v - (v & (align - 1))
}

/** Whether `v`, a whole number, is a multiple of `align`, a power of two. */
export function isAligned(v: number, align: number): boolean {
  if (align <= MOST_MASKED) return (v & (align - 1)) === 0
  const quotient = v / align
  return Math.floor(quotient) === quotient
}

/** Whether `n` is a power of two, 1 or more. */
export function isPowerOfTwo(n: number): boolean {
  // A logarithm may be off by a rounding; a power of two has no bit to round away.
  return Number.isInteger(n) && n > 0 && 2 ** Math.round(Math.log2(n)) === n
}
