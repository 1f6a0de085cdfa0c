// The error for the kernel's refusal, of which the backend kept what the kernel said.
import type { Address } from '@memlayer/kernel'
import type { Operation } from '../account/observer.js'
import { FatalError, OutOfMemoryError } from '../errors.js'
import type { OS, Refusal } from '../os.js'
import { formatAddress, formatBytes } from '../text.js'

/** The error for a `*OS` function that returned null. Takes the OS's refusal. */
export function outOfMemory(os: OS, op: Operation, v: Address | null, n: number): OutOfMemoryError {
  const refusal = takeRefusal(os)
  const at = v === null ? '' : ` at ${formatAddress(v)}`
  return new OutOfMemoryError(`${op}: ${os.name} refused ${formatBytes(n)}${at}${answerOf(refusal)}`, {
    hint: 'Free memory, or ask for less.',
    ...refusal,
    op,
    size: n,
    ...(v === null ? {} : { address: v }),
  })
}

/** A backend need not know the error number of the call that failed. */
function answerOf(refusal: Refusal | null): string {
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
