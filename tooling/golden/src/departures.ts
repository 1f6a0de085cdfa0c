// Steps that two tests expect otherwise than Go's functions make them: the backend's own, and the one that has a
// simulated kernel beside it. The backend's README says why it departs.
import type { TraceStep } from './trace.js'

/** Go maps over the range. AIX refuses that, so os-aix removes the permissions and gives the pages back. */
export function faultsByProtection(step: TraceStep): TraceStep | undefined {
  const [mapped] = step.calls ?? []
  if (step.op !== 'fault' || mapped === undefined) return undefined
  const [v = 0, n = 0] = mapped.args ?? []
  const protect = { fn: 'mprotect', args: [v, n, 0], ret: 0, ...(mapped.err === undefined ? {} : { err: mapped.err }) }
  const advise = { fn: 'madvise', args: [v, n, 4], ret: 0 }
  // If the first call is refused, no other follows.
  return { ...step, calls: mapped.err === undefined ? [protect, advise] : [protect] }
}

const MAP_NORESERVE = 0x40

/** On Solaris and illumos, os-bsd's sysFault takes no swap space. */
export function faultsWithoutSwap(step: TraceStep): TraceStep | undefined {
  const [call] = step.calls ?? []
  if (step.op !== 'fault' || call?.args === undefined || call.args === null) return undefined
  const [v = 0, n = 0, prot = 0, flags = 0, ...rest] = call.args
  return { ...step, calls: [{ ...call, args: [v, n, prot, flags | MAP_NORESERVE, ...rest] }] }
}
