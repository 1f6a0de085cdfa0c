// How many retired addresses a Linux process can spare. They count to RLIMIT_AS. Writable ones count to RLIMIT_DATA,
// and under strict overcommit to what the host may commit. Elsewhere they cost nothing until they are touched.
import type { Quarantine } from '@memlayer/core'
import type { PosixLimits } from '@memlayer/kernel'

/** An eighth of the address space of a process with four levels of page tables on x86-64. */
const spaceMax = 2 ** 44
/** Of a limit on the process. Beyond it, the engine would be short of it. */
const limitPart = 8
/** Under strict overcommit, of what the host may commit. */
const commitPart = 64
const committedMax = 2 ** 28

/** The quarantine under these limits. A limit that is not known bounds nothing. */
export function quarantineOf(limits: PosixLimits | undefined): Quarantine {
  const strict = limits?.overcommit === 2 ? least(committedMax, limits.commitLimit / commitPart) : Infinity
  return {
    space: least(spaceMax, (limits?.addressSpace ?? Infinity) / limitPart),
    writable: least(strict, (limits?.dataSize ?? Infinity) / limitPart),
  }
}

function least(a: number, b: number): number {
  return b < a ? b : a
}
