// The table: each function of the contract, and each way of being wrong. It is made anew for each backend, because a
// fault must change something there.
import { factsOf, type Facts } from './facts.js'
import {
  copyFaults,
  detachFaults,
  listFaults,
  mappingFaults,
  onDetachFaults,
  refusalFaults,
  traitFaults,
  viewFaults,
} from './other-faults.js'
import { hiddenUpTo, obtainFaults, rangeFaults } from './range-faults.js'
import type { AnySubject } from '../simulated.js'
import type { Fault } from './wrong-os.js'

/** The answers of the functions that have one. */
const answer: Readonly<Record<string, boolean>> = { sysPopulateOS: true, sysRenewOS: true, sysRetireOS: true }

/** All faults of a backend. */
export function faultsOf(subject: AnySubject): Fault[] {
  const facts = factsOf(subject)
  const { os, functions, keeps, throws } = facts
  const said = [...functions, 'sysAllocOS', 'sysReserveOS'].flatMap((fn) => [
    ...(keeps.has(fn) ? refusalFaults(fn, 'keeps') : []),
    ...(throws.has(fn) ? refusalFaults(fn, 'throws') : []),
  ])
  return [
    ...obtainFaults('sysAllocOS'),
    ...functions.flatMap((fn) => rangeFaults(fn, answer[fn])),
    ...obtainFaults('sysReserveOS'),
    ...said,
    ...viewFaults,
    ...(os.detach === undefined ? [] : detachFaults),
    ...(os.onDetach === undefined ? [] : onDetachFaults),
    ...(os.sysUnusedAllOS === undefined ? [] : listFaults),
    ...(os.host?.read === undefined ? [] : copyFaults('host.read')),
    ...(os.host?.write === undefined ? [] : copyFaults('host.write')),
    ...(os.host?.mappings === undefined ? [] : mappingFaults),
    ...traitFaults(os),
  ].filter((fault) => changesSomething(fault, facts))
}

/** Whether a fault can show in this backend at all. */
function changesSomething({ fn, way }: Fault, { os, idle, largest, showsAll }: Facts): boolean {
  if ((hiddenUpTo[way] ?? 0) >= Math.max(largest, 1)) return false
  if (way.includes('hint') && way.startsWith('drops') && !os.traits.hints) return false
  // A function that does nothing can only do what another does.
  const other = /^does what (\w+) does$/.exec(way)?.[1]
  if (other !== undefined && other !== fn) {
    return Reflect.has(os, other) && !(idle.has(fn) && idle.has(other)) && !(fn === 'sysPopulateOS' && idle.has(other))
  }
  if (idle.has(fn)) return false
  // Where a view shows all of memory, its range does not matter.
  if (fn === 'view' && showsAll) return !/page|MiB/.test(way) || way.includes('copy')
  return true
}
