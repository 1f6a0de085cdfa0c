// Zeroes written before pages go back, for the systems that may bring old bytes back. darwin.ts and windows.ts call it.
import { writeZeroes, type Address } from '@memlayer/kernel'
import type { EngineKernel } from './system.js'

// A write gives memory to a page that has none. In pieces, a range that was never touched has this much at most.
const pieceBytesMax = 2 ** 20

/**
 * Makes all of [v, v+n) read zero. Calls `drop` for each piece, until it is refused. Returns its answer: 0, or minus
 * the error number.
 */
export function zeroInPieces(
  kernel: EngineKernel,
  v: Address,
  n: number,
  drop: (v: Address, n: number) => number,
): number {
  let answer = 0
  for (let at = v; at < v + n; at += pieceBytesMax) {
    const size = Math.min(pieceBytesMax, v + n - at)
    writeZeroes(kernel, at, size)
    if (answer === 0) answer = drop(at, size)
  }
  return answer
}
