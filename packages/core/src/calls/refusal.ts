// The error for the kernel's refusal, of which the backend kept what the kernel said.
import type { Address } from '@memlayer/kernel'
import type { Operation } from '../account/observer.js'
import { asOwn, FatalError, OutOfMemoryError } from '../errors.js'
import { MIXED, PREPARED, READY, stateOf, type Packed } from '../ledger/states.js'
import type { OS, Refusal } from '../os.js'
import { formatAddress, formatBytes } from '../text.js'
import type { Parts } from './parts.js'

/**
 * The error for a `*OS` function that returned null. Takes the OS's refusal. `rest` says what else the OS was to have
 * room for.
 */
export function outOfMemory(os: OS, op: Operation, v: Address | null, n: number, rest?: string): OutOfMemoryError {
  return noMemory(os, op, v, n, takeRefusal(os), rest)
}

/**
 * The error for what sysMapOS threw. Go throws "out of memory" where the kernel has none. Here nothing is broken: the
 * caller can ask for less. A kernel may have unmapped the range before it refused, as Linux does before 6.12. So the
 * reservation is put back, and the backend's error stays only where that fails.
 */
export function noMemoryToMap(os: OS, v: Address, n: number, error: unknown): unknown {
  return noMemoryTo(os, 'sysMap', v, n, error, () => os.sysFaultOS(v, n))
}

/**
 * The error for what sysUsedOS threw over Prepared or Reserved memory. As for sysMapOS. `undo` makes of the range what
 * it was.
 */
export function noMemoryToUse(os: OS, v: Address, n: number, error: unknown, undo: () => void): unknown {
  return noMemoryTo(os, 'sysUsed', v, n, error, undo)
}

/**
 * The error for what sysUsedOS threw over Prepared memory, or a mix of Prepared and Ready. What was Prepared is so
 * again. What was Ready keeps its contents where the OS keeps them, and elsewhere the backend's error stays.
 */
export function undoUsed({ os, ledger }: Parts, v: Address, n: number, packed: Packed, error: unknown): unknown {
  const isPrepared = packed !== MIXED && stateOf(packed) === PREPARED
  if (!isPrepared && os.usedKeepsReady !== true) return error
  return noMemoryToUse(os, v, n, error, () => {
    for (const part of ledger.within(v, n)) {
      if (stateOf(part.packed) !== READY) os.sysUnusedOS(part.address, part.size)
    }
  })
}

function noMemoryTo(os: OS, op: Operation, v: Address, n: number, thrown: unknown, undo: () => void): unknown {
  const error = asOwn(thrown)
  if (!(error instanceof FatalError)) return error
  if (!error.message.startsWith('out of memory')) {
    // All or nothing: an OS that commits in pieces may have committed some.
    if (op === 'sysUsed' && os.usedKeepsReady === true) putBack(os, undo)
    return error
  }
  takeRefusal(os)
  if (!putBack(os, undo)) return error
  const { syscall, errno, errnoName, hint } = error
  return noMemory(os, op, v, n, { syscall, errno, errnoName, hint } as Partial<Refusal>)
}

/** Runs `undo`. False: the OS can't. */
export function putBack(os: OS, undo: () => void): boolean {
  try {
    undo()
  } catch {
    return false
  }
  return takeRefusal(os) === null
}

function noMemory(
  os: OS,
  op: Operation,
  v: Address | null,
  n: number,
  refusal: Partial<Refusal> | null,
  rest?: string,
): OutOfMemoryError {
  const at = (v === null ? '' : ` at ${formatAddress(v)}`) + (rest === undefined ? '' : ` ${rest}`)
  return new OutOfMemoryError(`${op}: ${os.name} refused ${formatBytes(n)}${at}${answerOf(refusal)}`, {
    ...refusal,
    hint: refusal?.hint ?? 'Free memory, or ask for less.',
    op,
    size: n,
    ...(v === null ? {} : { address: v }),
  })
}

/** A backend need not know the error number of the call that failed. */
function answerOf(refusal: Partial<Refusal> | null): string {
  if (refusal?.syscall === undefined) return ''
  const { syscall, errno, errnoName } = refusal
  const number =
    errnoName === undefined ? `errno ${errno}` : errno === undefined ? errnoName : `${errnoName} (${errno})`
  return errno === undefined && errnoName === undefined ? `: ${syscall} failed` : `: ${syscall} answered ${number}`
}

/**
 * The error for a refusal that Go ignores: a kernel that does not unmap. Without it, the account would count the range
 * as gone while it is there. Takes the OS's refusal.
 */
export function refused(os: OS, op: Operation, v: Address, n: number): OutOfMemoryError | FatalError {
  if (os.refusal?.errnoName === 'ENOMEM') return outOfMemory(os, op, v, n)
  return new FatalError(`${op}: the kernel kept the range`, { ...takeRefusal(os), op, address: v, size: n })
}

/** Takes the OS's refusal, so that no other error is made from it; null: it has none. */
export function takeRefusal(os: OS): Refusal | null {
  const { refusal } = os
  if (!refusal) return null
  os.refusal = null
  return refusal
}
