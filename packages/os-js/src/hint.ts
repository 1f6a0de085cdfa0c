// From a growth that was refused to a sentence that a person can act on.
import { formatBytes } from '@memlayer/core'
import type { WasmKernel } from '@memlayer/kernel'
import { MAX_PAGES_32 } from './defs.js'
import type { FreeRanges } from './free-ranges.js'

/** Why an address can't be asked for. */
export const hintOfAddress =
  'A WebAssembly memory grows at its end and hands out what is free: no address can be asked for. Pass null.'

/** Why the memory did not grow from `current` to `needed` pages, and what to do about it. */
export function hintOfGrowth(current: number, needed: number, kernel: WasmKernel, free: FreeRanges): string {
  const { maximum, pageSize } = kernel
  const asked = `from ${formatBytes(current * pageSize)} to ${formatBytes(needed * pageSize)}`
  const pieces =
    free.bytes === 0
      ? ''
      : ` ${formatBytes(free.bytes)} are free inside it, in pieces of ${formatBytes(free.largest)} or less.`
  if (maximum === undefined || needed <= maximum) {
    const although = maximum === undefined ? '' : `, although its maximum is ${formatBytes(maximum * pageSize)}`
    const why = 'it has a limit of its own, or the host has no address space left'
    return `The engine did not grow the memory ${asked}${although}: ${why}.${pieces}`
  }
  if (maximum === MAX_PAGES_32 && kernel.address !== 'i64') {
    const instead = "make the kernel with wasmKernel({ address: 'i64' })"
    return `A 32-bit memory ends at 4 GiB, and this would take it ${asked}: ${instead}.${pieces}`
  }
  const most = `${formatBytes(maximum * pageSize)} (${maximum} pages)`
  return `The memory's maximum is ${most}, and this would take it ${asked}: make the kernel with a larger one.${pieces}`
}
