// The faults that the suite does not catch: how many a backend may have, and why nobody could tell one from the right
// backend. A new survivor without a reason fails the run.
import { nameOf, type Fault } from './fault.js'

/** The survivors without a reason that a backend may have. A number may only become smaller. */
export const unexplainedMax: Readonly<Record<string, number>> = { linux: 285 }

/** Reasons by backend and name of the fault. */
const reasons: readonly (readonly [backend: string, name: RegExp, reason: string])[] = [
  ['linux', /^sys(Unused|HugePage)OS throws an error of its own/, 'the function throws no error that a kernel causes'],
]

/** Why no kernel and no user could tell this fault; null: a case is missing. */
export function reasonOf(backend: string, fault: Fault): string | null {
  const found = reasons.find(([of, name]) => backend === of && name.test(nameOf(fault)))
  return found?.[2] ?? null
}
