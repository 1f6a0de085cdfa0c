// What a person can do about a refusal, or about what the allocator found wrong.
import { formatAddress } from '@memlayer/core'
import type { Address } from '@memlayer/kernel'

/** The break was not raised. */
export const hintOfBreak =
  'The segment is full, or the host has no memory for it. Free some, or make it larger: plan9Kernel({ size }).'

/** A reservation was wanted elsewhere than at the end of memory. */
export function hintOfAddress(bloc: Address): string {
  return `Only the end of memory can be reserved by address, ${formatAddress(bloc)} now: pass that, or null.`
}

/** A range was freed that is not allocated. */
export const hintOfFree = 'Free what sysAlloc or sysReserve handed out, once, and in whole pages.'

/** A kernel that is watched called back into the layer. */
export const hintOfReentry =
  'Do not call the layer from within a kernel call, as an onCall of record() would: wait until it has returned.'
