// What the tests on kernel32 share: sizes, the kernel's own account by VirtualQuery, and reservations side by side.
import type { Memory } from '@memlayer/core'
import { bytesInState } from '@memlayer/witness'

/** Bytes. */
export const KiB: number = 2 ** 10
/** Bytes. */
export const MiB: number = 2 ** 20

// From winnt.h.
/** Commits pages of a reservation. */
export const MEM_COMMIT = 0x1000
/** Reserves address space. */
export const MEM_RESERVE = 0x2000
/** Decommits pages. */
export const MEM_DECOMMIT = 0x4000
/** Releases a whole reservation. */
export const MEM_RELEASE = 0x8000
/** Pages that can be read and written. */
export const PAGE_READWRITE = 4

/** Bytes by state, as VirtualQuery tells. */
export function states(v: number, n: number): { commit: number; reserve: number; free: number } {
  return {
    commit: bytesInState('COMMIT', v, n),
    reserve: bytesInState('RESERVE', v, n),
    free: bytesInState('FREE', v, n),
  }
}

/** The bytes of a range. */
export function bytesOf(memory: Memory, v: number, n: number): Uint8Array {
  return new Uint8Array(memory.os.view(v, n))
}

/** Two reservations of `n` bytes side by side. One VirtualFree can't reach over both. */
export function neighbours(memory: Memory, n: number): number {
  for (let tries = 0; tries < 100; tries++) {
    const v = memory.sysReserve(null, 2 * n)
    memory.sysFree(v, 2 * n, null)
    const first = memory.sysReserve(v, n)
    const second = memory.sysReserve(v + n, n)
    if (first === v && second === v + n) return v
    memory.sysFree(first, n, null)
    memory.sysFree(second, n, null)
  }
  throw new Error('no two reservations are side by side: run the test again')
}
