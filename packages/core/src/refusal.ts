// From what a backend kept of the kernel's refusal to the error that the caller gets.
import type { Address } from '@memlayer/kernel'
import { FatalError, formatAddress, formatBytes, OutOfMemoryError } from './errors.js'
import type { Operation } from './observer.js'
import type { OS, Refusal } from './os.js'

/** The error for a `*OS` function that returned null. Takes the OS's refusal. */
export function outOfMemory(os: OS, op: Operation, v: Address | null, n: number): OutOfMemoryError {
  const refusal = takeRefusal(os)
  const at = v === null ? '' : ` at ${formatAddress(v)}`
  const answer =
    refusal?.syscall === undefined ? '' : `: ${refusal.syscall} answered ${refusal.errnoName} (${refusal.errno})`
  return new OutOfMemoryError(`${op}: ${os.name} refused ${formatBytes(n)}${at}${answer}`, {
    hint: 'Free memory, or ask for less.',
    ...refusal,
    op,
    size: n,
    ...(v === null ? {} : { address: v }),
  })
}

/**
 * The error for a refusal that Go ignores: a kernel that does not unmap. The range would be counted as
 * gone while it is there. Takes the OS's refusal.
 */
export function refused(os: OS, op: Operation, v: Address, n: number): OutOfMemoryError | FatalError {
  if (os.refusal?.errnoName === 'ENOMEM') return outOfMemory(os, op, v, n)
  return new FatalError(`${op}: the kernel kept the range`, { ...takeRefusal(os), op, address: v, size: n })
}

/** The OS's refusal, which is nobody else's from now on; null: it has none. */
export function takeRefusal(os: OS): Refusal | null {
  const refusal = os.refusal ?? null
  if (refusal !== null) os.refusal = null
  return refusal
}
