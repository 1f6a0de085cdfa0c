// What a person can do about a refusal, or about a mistake that the allocator found.
import { formatAddress } from '@memlayer/core'
import type { Address } from '@memlayer/kernel'

/** What to do when the break can't be raised. */
export const hintOfBreak: string =
  'Free some memory, or make the segment larger with plan9Kernel({ size }). ' +
  'The segment is full, or the host has no memory for it.'

/** What to do when a reservation asks for another address than the end of memory. */
export function hintOfAddress(bloc: Address): string {
  return `Pass ${formatAddress(bloc)}, which is the end of memory now, or null. No other address can be reserved.`
}

/** What to do when a freed range is not allocated. */
export const hintOfFree = 'Free only memory that sysAlloc or sysReserve returned, only once, and in whole pages.'

/** What to do when the list of free blocks contradicts itself. */
export const hintOfList = "Report this, because the allocator's list is damaged."

/** What to do when a watched kernel call called back into the layer. */
export const hintOfReentry: string =
  'Do not call the layer from inside a kernel call, for example from onCall of record(). ' +
  'Wait until the call has returned.'
