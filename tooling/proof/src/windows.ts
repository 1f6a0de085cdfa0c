// os-windows over kernel32, as a subject: in Node for Windows alone, under Wine or not. VirtualQuery
// is the witness.
import type { Witness } from '@memlayer/conformance'
import { windowsKernel } from '@memlayer/ffi'
import { createOS } from '@memlayer/os-windows'
import { bytesInState, pageRange } from '@memlayer/witness'
import { subjectOf, type AnySubject } from './simulated.js'

const PAGE_READWRITE = 4

/** VirtualQuery: what is committed counts as resident, because the system has promised memory for it. Nobody touches the page. */
const witness: Witness = {
  faults: (v) => pageRange(v).protect !== PAGE_READWRITE,
  resident: (v, n) => bytesInState('COMMIT', v, n),
  held: (v, n) => n - bytesInState('FREE', v, n),
}

/** The subject; it runs where `process.platform` is `win32`. */
export function windowsSubject(): AnySubject {
  return { ...subjectOf('windows on kernel32', () => windowsKernel(), createOS), witness: () => witness }
}
