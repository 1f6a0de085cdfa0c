// Alignment in doubles. Bitwise operators would cut an address to 32 bits. Dividing by a power of two is exact, so
// these functions hold for every address.

/** The next multiple of `align` at or above `v`. `align` is a power of two. */
export function alignUp(v: number, align: number): number {
  return Math.ceil(v / align) * align
}

/** The last multiple of `align` at or below `v`. `align` is a power of two. */
export function alignDown(v: number, align: number): number {
  return Math.floor(v / align) * align
}

/** Whether `v` is a multiple of `align`, a power of two. */
export function isAligned(v: number, align: number): boolean {
  const quotient = v / align
  return Math.floor(quotient) === quotient
}

/** Whether `n` is a power of two, 1 or more. */
export function isPowerOfTwo(n: number): boolean {
  // A logarithm may be off by a rounding. A power of two has no lower bits that rounding could lose.
  return Number.isInteger(n) && n > 0 && 2 ** Math.round(Math.log2(n)) === n
}
