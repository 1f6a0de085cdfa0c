// os-windows over kernel32, as a subject. It runs only in Node for Windows, under Wine or on Windows. VirtualQuery is
// the witness.
import type { Witness } from '@memlayer/conformance'
import { windowsKernel } from '@memlayer/ffi'
import { createOS } from '@memlayer/os-windows'
import { bytesInState, pageRange } from '@memlayer/witness'
import { subjectOf, type AnySubject } from './simulated.js'

const PAGE_READWRITE = 4

/**
 * Reads page states with VirtualQuery, and does not touch the pages. Committed pages count as resident, because the
 * system has promised memory for them.
 */
const witness: Witness = {
  faults: (v) => pageRange(v).protect !== PAGE_READWRITE,
  resident: (v, n) => bytesInState('COMMIT', v, n),
  held: (v, n) => n - bytesInState('FREE', v, n),
}

/** Returns the subject. It runs only where `process.platform` is `win32`. */
export function windowsSubject(): AnySubject {
  return { ...subjectOf('windows on kernel32', () => windowsKernel(), createOS), witness: () => witness }
}
