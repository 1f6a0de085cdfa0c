// Alignment in doubles. Bitwise operators would cut an address to 32 bits; dividing by a
// power of two is exact, so these hold for every address.

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

/** Whether `n` is a power of two. */
export function isPowerOfTwo(n: number): boolean {
  return n > 0 && Number.isSafeInteger(n) && Number.isInteger(Math.log2(n)) && 2 ** Math.log2(n) === n
}
