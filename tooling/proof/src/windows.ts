// os-windows and os-engine over kernel32, as subjects. They run only in Node for Windows, under Wine or on Windows.
// VirtualQuery is the witness.
import type { Witness } from '@memlayer/conformance'
import { windowsKernel } from '@memlayer/ffi'
import { createOS as engine } from '@memlayer/os-engine'
import { createOS } from '@memlayer/os-windows'
import { residencyBits } from '@memlayer/kernel'
import { bytesInState, pageRange } from '@memlayer/witness'
import { subjectOf, type AnySubject } from './simulated.js'

const PAGE_READWRITE = 4

const held = (v: number, n: number): number => n - bytesInState('FREE', v, n)

/**
 * Reads page states with VirtualQuery, and does not touch the pages. Committed pages count as resident, because the
 * system has promised memory for them.
 */
const witness: Witness = {
  faults: (v) => pageRange(v).protect !== PAGE_READWRITE,
  resident: (v, n) => bytesInState('COMMIT', v, n),
  held,
}

/** Reads resident bytes from the working set, because what os-engine gives back stays committed. */
function residentBytes(v: number, n: number): number {
  const words = windowsKernel().residency?.(v, n) ?? []
  let sum = 0
  for (let i = 0; i < words.length; i += 3) {
    if (((words[i + 2] ?? 0) & residencyBits.resident) !== 0) sum += words[i + 1] ?? 0
  }
  return sum
}

/**
 * Pages of a buffer that are not committed lie beyond its length, where no view reaches. So nothing that JavaScript can
 * touch faults.
 */
const engineWitness: Witness = {
  faults: (v) => {
    const { state, protect } = pageRange(v)
    return state === 'FREE' || (state === 'COMMIT' && protect !== PAGE_READWRITE)
  },
  resident: residentBytes,
  held,
}

/** Returns os-engine as a subject. It runs only where `process.platform` is `win32`. */
export function engineOnWindows(): AnySubject {
  return { ...subjectOf('engine on kernel32', () => windowsKernel(), engine), witness: () => engineWitness }
}

/** Returns the subject. It runs only where `process.platform` is `win32`. */
export function windowsSubject(): AnySubject {
  return { ...subjectOf('windows on kernel32', () => windowsKernel(), createOS), witness: () => witness }
}
