// The faults that the suite does not catch: how many a backend may have, and why nobody could tell one from the right
// backend. A new survivor without a reason fails the run.
import { nameOf, type Fault } from './fault.js'

/** Reasons by backend (null: all of them) and name of the fault. */
const reasons: readonly (readonly [backend: string | null, name: RegExp, reason: string])[] = [
  [
    'linux',
    /^sys(Used|HugePage)OS does nothing for a single page$/,
    'no huge page fits in a single page, so the right one does nothing either',
  ],
  [
    'linux',
    /^sysUsedOS (hides a refusal|throws an error of its own)/,
    'the kernel is only advised, and no refusal shows',
  ],
  [
    'linux',
    /^host\.residency tells nothing$/,
    'the contract allows null for a host that can’t tell, and core copes with it',
  ],
  [null, /^traits (denies|claims) threadsShare$/, 'only a second thread could tell, and a case runs in one'],
]

/** Why no kernel and no user could tell this fault; null: a case is missing. */
export function reasonOf(backend: string, fault: Fault): string | null {
  const found = reasons.find(([of, name]) => (of === null || backend === of) && name.test(nameOf(fault)))
  return found?.[2] ?? null
}
