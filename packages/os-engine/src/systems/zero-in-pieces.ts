// Zeroes written before pages go back, for the systems that may bring old bytes back. darwin.ts and windows.ts call it.
import { writeZeroes, type Address } from '@memlayer/kernel'
import type { EngineKernel } from './system.js'

// A write gives memory to a page that has none. In pieces, a range that was never touched has this much at most.
const pieceBytesMax = 2 ** 20
// Measured: 64 KiB of zeroes stay in the processor's cache, and serve a call as long as it lasts.
const zeroBytesMax = 2 ** 16

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
  const zeroes = new Uint8Array(Math.min(n, zeroBytesMax))
  let answer = 0
  for (let at = v; at < v + n; at += pieceBytesMax) {
    const size = Math.min(pieceBytesMax, v + n - at)
    writePiece(kernel, at, size, zeroes)
    if (answer === 0) answer = drop(at, size)
  }
  return answer
}

function writePiece(kernel: EngineKernel, v: Address, n: number, zeroes: Uint8Array): void {
  if (kernel.write === undefined) return writeZeroes(kernel, v, n)
  for (let at = v; at < v + n; at += zeroes.length) {
    const rest = v + n - at
    kernel.write(at, rest < zeroes.length ? zeroes.subarray(0, rest) : zeroes)
  }
}
