// The ledger's errors: what is wrong with a range, where in it, and what to do.
import type { Address } from '@memlayer/kernel'
import { FatalError, UsageError, type ErrorCode } from '../errors.js'
import { formatAddress, formatBytes, show } from '../text.js'
import { namesOfStates, nameOfState, type Packed, type RegionState } from './states.js'

/** [v, v+n) is not in one of the states `from`: at the address `at` it is in the state of `packed`. */
export function wrongState(op: string, v: Address, n: number, from: number, at: Address, packed: Packed): UsageError {
  const found = nameOfState(packed)
  const code: ErrorCode = found === 'None' ? 'ERR_MEMLAYER_NOT_OWNED' : 'ERR_MEMLAYER_STATE'
  const where = at === v ? 'from its start' : `from offset ${at - v} (${formatAddress(at)})`
  const is = found === 'None' ? 'is not owned by this memory' : `is ${found}`
  const message = `${op}(${formatAddress(v)}, ${n}): the range has to be ${namesOfStates(from)}, and ${is} ${where}`
  return new UsageError(code, message, { op, address: v, size: n, hint: hintFor(op, found) })
}

function hintFor(op: string, found: RegionState): string {
  if (found === 'None')
    return 'Pass a range that sysReserve or sysAlloc of this memory returned and that was not freed.'
  if (op === 'sysMap') return 'Pass a Reserved range. For a Prepared range call sysUsed. A Ready range needs no call.'
  if (op.startsWith('sysUnused')) return 'Leave that part out, because it has no pages to give back.'
  if (op === 'sysFault') return 'Leave that part out, because it is Reserved already.'
  if (op === 'zero') {
    const instead = 'A part that is not Ready has nothing to clear: leave it out, '
    return `${instead}or make it Ready first with region.commit.`
  }
  if (op === 'sysUsed') return 'Call sysMap on it first, or region.commit, which does both.'
  const steps = found === 'Reserved' ? 'sysMap and then sysUsed' : 'sysUsed'
  return `Call ${steps} on that part, or region.commit, to make it Ready.`
}

/** `found` counts bytes of [v, v+n) from the address `at` on, and the caller named `named`. */
export function wrongCategory(
  op: string,
  v: Address,
  n: number,
  at: Address,
  found: string,
  named: string,
): UsageError {
  const counted = `the bytes at ${formatAddress(at)} are counted under '${found}', not '${named}'`
  const message = `${op}(${formatAddress(v)}, ${n}): ${counted}`
  return new UsageError('ERR_MEMLAYER_STAT', message, {
    op,
    address: v,
    size: n,
    hint: 'Free a range with the stat that it was mapped with, or with null to let the ledger find it.',
  })
}

/** [v, v+n) is not a whole reservation. The one that begins at `v` has `size` bytes; undefined: none begins there. */
export function wrongReservation(op: string, v: Address, n: number, size: number | undefined): UsageError {
  const found =
    size === undefined
      ? `${formatAddress(v)} is not where a reservation begins`
      : `the reservation at ${formatAddress(v)} is ${size} bytes`
  return new UsageError('ERR_MEMLAYER_RESERVATION', `${op}(${formatAddress(v)}, ${n}): ${found}`, {
    op,
    address: v,
    size: n,
    hint:
      'Pass the address and size of a whole reservation, because this operating system releases only whole ones. ' +
      'To give back the memory of a part, call sysUnused, or unused of its region.',
  })
}

/** Whether a backend's answer is an address. Go's word for refused is 0, so 0 is not one. */
export function isAddress(v: unknown): boolean {
  return Number.isInteger(v) && (v as number) > 0
}

/** The backend returned `v` for a range of `n` bytes, and that is not an address. */
export function noAddress(op: string, v: unknown, n: number): FatalError {
  return new FatalError(
    `${op}: the backend returned ${show(v)} for ${formatBytes(n)}, which is not the address of a page`,
    {
      op,
      size: n,
      hint: 'Have the backend return the address of the first byte, as a number, or null where the kernel refuses.',
    },
  )
}

/** The kernel handed out [v, v+n), of which the ledger has a part already. */
export function foreignRange(op: string, v: Address, n: number): FatalError {
  const range = `${formatBytes(n)} at ${formatAddress(v)}`
  return new FatalError(`${op}: the kernel returned ${range}, but this memory owns a part of that already`, {
    op,
    address: v,
    size: n,
    hint: 'Look for code that unmaps ranges of this memory, or for a second memory over the same kernel.',
  })
}
