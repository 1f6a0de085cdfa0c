// Turns a refused growth into a sentence that a person can act on.
import { formatBytes } from '@memlayer/core'
import type { WasmKernel } from '@memlayer/kernel'
import { MAX_PAGES_32 } from './defs.js'
import type { FreeRanges } from './free-ranges.js'

/** What to do when a caller asks for an address. */
export const hintOfAddress = 'Pass null. A WebAssembly memory chooses the address itself.'

/** What to do when the engine keeps the memory of pages. */
export const hintOfDiscard = 'Free the memory as a whole. The engine did not discard these pages, and they were zeroed.'

/** What to do when the memory did not grow from `current` to `needed` pages, and why it did not. */
export function hintOfGrowth(current: number, needed: number, kernel: WasmKernel, free: FreeRanges): string {
  const { maximum, pageSize } = kernel
  const asked = `from ${formatBytes(current * pageSize)} to ${formatBytes(needed * pageSize)}`
  const pieces =
    free.bytes === 0
      ? ''
      : ` ${formatBytes(free.bytes)} are free inside it, in pieces of ${formatBytes(free.largest)} or less.`
  if (maximum === undefined || needed <= maximum) {
    const although = maximum === undefined ? '' : `, although its maximum is ${formatBytes(maximum * pageSize)}`
    const why = 'The engine has a limit of its own, or the host has no address space left.'
    return `Free memory, or ask for less. The engine did not grow the memory ${asked}${although}. ${why}${pieces}`
  }
  if (maximum === MAX_PAGES_32 && kernel.address !== 'i64') {
    const action = "Make the kernel with wasmKernel({ address: 'i64' })."
    return `${action} A 32-bit memory ends at 4 GiB, and this would take it ${asked}.${pieces}`
  }
  const most = `${formatBytes(maximum * pageSize)} (${maximum} pages)`
  const action = 'Make the kernel with a larger maximum.'
  return `${action} The memory's maximum is ${most}, and this would take it ${asked}.${pieces}`
}
