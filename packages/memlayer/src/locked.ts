// Whether the process locks all that it maps, as after mlockall(MCL_FUTURE). doctor.ts and self-test.ts ask, because
// the kernel does not take locked pages back.
import type { Memory } from '@memlayer/core'
import type { Limits } from './limit-text.js'

/**
 * The limits while a few bytes are reserved. If the process locks all that it maps, those bytes are locked, and the
 * count of locked memory tells. Null: the backend does not report limits.
 */
export function limitsWhileReserved(memory: Memory): Limits | null {
  const { host, traits } = memory.os
  if (host?.limits === undefined) return null
  const region = reserved(memory, traits.granularity)
  try {
    return host.limits()
  } finally {
    region?.free()
  }
}

/** Whether a new mapping is locked. False where the backend does not tell. */
export function locksMappings(memory: Memory): boolean {
  const before = lockedBytes(memory.os.host?.limits?.() ?? null)
  return lockedBytes(limitsWhileReserved(memory)) - before >= memory.os.traits.granularity
}

function reserved(memory: Memory, size: number): { free(): void } | null {
  try {
    return memory.reserve(size, { name: 'memlayer-doctor' })
  } catch {
    // The self-test meets the same refusal and tells it.
    return null
  }
}

function lockedBytes(limits: Limits | null): number {
  return limits !== null && 'lockedMemoryUsed' in limits ? (limits.lockedMemoryUsed ?? NaN) : NaN
}
