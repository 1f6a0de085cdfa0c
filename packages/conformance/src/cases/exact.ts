// The exact effect of each function of the contract on one range: contents, kernel and neighbours, before and after.
// Other cases run these checks at many sizes, at many places, after refusals, many times, and on two backends at once.
import { alignDown, alignUp, isAligned, type Address } from '@memlayer/kernel'
import { withBytes } from '../bytes.js'
import { claim, rangeText, same } from '../claim.js'
import { coveredBy } from '../coverage.js'
import type { Stage } from '../stage.js'
import {
  claimCalls,
  claimEmpty,
  claimMarks,
  claimNoRefusal,
  claimWritable,
  field,
  MARK,
  marksOf,
  obtained,
} from './field.js'

/** The most bytes of one view. */
const VIEW_MAX = 2 ** 24
/** The most bytes that are given memory page by page. */
const FULL_MAX = 2 ** 24

/** Checks one function on a new range of `n` bytes. False: the kernel has no room for it. */
export type Exact = (stage: Stage, n: number) => boolean

const alloc: Exact = (stage, n) => {
  const { memory, os, witness, pageSize } = stage
  const before = witness.total?.()
  let first = Infinity
  for (let round = 0; round < 2; round++) {
    const v = obtained(stage, () => memory.sysAlloc(n, null))
    if (v === null) return false
    const found = { v, n, marks: marksOf(n, pageSize) }
    claimNoRefusal(stage, 'sysAlloc')
    if (before !== undefined && os.traits.reservedTraps)
      same((witness.total?.() ?? 0) - before, n, `what the kernel holds for sysAlloc of ${n} bytes`)
    claimMarks(stage, found, [0], 'after sysAlloc')
    claimWritable(stage, found, 'after sysAlloc')
    memory.sysFree(v, n, null)
    // Memory that stays with the process is there for the next request of its size.
    const total = witness.total?.() ?? 0
    claim(total <= first, `sysAlloc and sysFree of ${n} bytes, and memory grew by ${total - first} bytes in round 2`)
    first = total
  }
  return true
}

const unused: Exact = (stage, n) => {
  const { memory, os, witness } = stage
  const found = field(stage, n)
  if (found === null) return false
  const { v, marks } = found
  memory.sysUnused(v, n)
  found.guards('after sysUnused')
  claimEmpty(stage, found, os.traits.unusedDropsContents, 'after sysUnused')
  if (os.traits.unusedTraps && witness.faults !== undefined)
    for (const at of marks)
      claim(witness.faults(v + at, 'read'), `a read at offset ${at} does not fault after sysUnused`)
  memory.sysUsed(v, n)
  claimMarks(stage, found, os.traits.unusedDropsContents ? [0] : [0, MARK], 'after sysUnused and sysUsed')
  found.clear()
  return true
}

const used: Exact = (stage, n) => {
  const { memory, os, takeCalls, pageSize } = stage
  const found = field(stage, n)
  if (found === null) return false
  const [w, end] = n > 4 * pageSize ? [found.v + pageSize, found.v + n - pageSize] : [found.v, found.v + n]
  takeCalls()
  memory.sysUnused(w, end - w)
  // What sysUnused did to huge pages at its ends has to be undone.
  const isCut = coveredBy(takeCalls() ?? []).some(([from, to]) => from < w || to > end)
  memory.sysUsed(found.v, n)
  const calls = takeCalls()
  claimNoRefusal(stage, 'sysUsed')
  // A backend commits all of the range, or advises the whole huge pages in it, or does nothing.
  const [from, to] = wholeHugePages(os.traits.hugePageSize, found.v, n)
  const covered = coveredBy(calls ?? [])
  if (calls !== null && (covered.length > 0 || (from < to && isCut))) {
    const isAll = covered[0]?.[0] === found.v && covered[0]?.[1] === found.v + n
    if (!isAll) claimCalls(calls, from, to, 'sysUsed')
  }
  claimWritable(stage, found, 'after sysUsed')
  found.guards('after sysUsed')
  found.clear()
  return true
}

/** The whole huge pages within a range. */
function wholeHugePages(huge: number, v: Address, n: number): [from: Address, to: Address] {
  return huge === 0 ? [v, v] : [alignUp(v, huge), alignDown(v + n, huge)]
}

const hugePage: Exact = (stage, n) => {
  const { memory, os, takeCalls } = stage
  const found = field(stage, n)
  if (found === null) return false
  takeCalls()
  memory.sysHugePage(found.v, n)
  claimCalls(takeCalls(), ...wholeHugePages(os.traits.hugePageSize, found.v, n), 'sysHugePage')
  claimNoRefusal(stage, 'sysHugePage')
  claimMarks(stage, found, [MARK], 'after sysHugePage')
  found.guards('after sysHugePage')
  found.clear()
  return true
}

const noHugePage: Exact = (stage, n) => {
  const { os, takeCalls } = stage
  if (os.sysNoHugePageOS === undefined) return true
  const found = field(stage, n)
  if (found === null) return false
  takeCalls()
  os.sysHugePageOS(found.v, n)
  const advice = takeCalls()?.at(-1)?.args.at(-1)
  os.sysNoHugePageOS(found.v, n)
  const calls = takeCalls()
  claimCalls(calls, found.v, os.traits.hugePageSize === 0 ? found.v : found.v + n, 'sysNoHugePage')
  const again = advice !== undefined && calls?.some(({ args }) => args.at(-1) === advice)
  claim(again !== true, `sysNoHugePage gives the advice of sysHugePage, ${advice}`)
  claimMarks(stage, found, [MARK], 'after sysNoHugePage')
  found.guards('after sysNoHugePage')
  found.clear()
  return true
}

const populate: Exact = (stage, n) => {
  const { memory, os, witness } = stage
  if (os.sysPopulateOS === undefined || n > FULL_MAX) return true
  const found = field(stage, n, 'untouched')
  if (found === null) return false
  const before = witness.resident?.(found.v - stage.unit, stage.unit) ?? 0
  const does = memory.sysPopulate(found.v, n)
  claimNoRefusal(stage, 'sysPopulate')
  const resident = witness.resident?.(found.v, n) ?? n
  if (does) same(resident, n, `resident bytes of ${rangeText(found.v, n)} after sysPopulate`)
  else
    claim(resident < n || n <= 2 * stage.pageSize, 'sysPopulate says that it can do nothing, but the range has memory')
  same(witness.resident?.(found.v - stage.unit, stage.unit) ?? 0, before, 'resident bytes before the range')
  claimMarks(stage, found, [0], 'after sysPopulate')
  found.guards('after sysPopulate')
  found.clear()
  return true
}

const free: Exact = (stage, n) => {
  const { memory, os, witness } = stage
  const { freesParts, reservedTraps } = os.traits
  const found = freesParts ? field(stage, n) : null
  if (freesParts && found === null) return false
  const v = found?.v ?? obtained(stage, () => memory.sysAlloc(n, null))
  if (v === null) return false
  const before = witness.total?.()
  memory.sysFree(v, n, null)
  if (reservedTraps) {
    if (witness.held !== undefined)
      same(witness.held(v, n), 0, `what the kernel holds of ${rangeText(v, n)} after sysFree`)
    if (before !== undefined) same(before - (witness.total?.() ?? 0), n, 'what sysFree gave back')
  } else if (before !== undefined) {
    // Such memory stays with the process, so the next request takes it.
    const again = memory.sysReserve(null, n)
    claim((witness.total?.() ?? 0) <= before, `sysFree of ${n} bytes, and memory grew for the next ${n}`)
    memory.sysFree(again, n, null)
  }
  found?.guards('after sysFree')
  found?.clear(true)
  return true
}

const fault: Exact = (stage, n) => {
  const { memory, os, witness } = stage
  const found = field(stage, n)
  if (found === null) return false
  const { v, marks } = found
  memory.sysFault(v, n)
  if (os.traits.faultTraps) {
    claimEmpty(stage, found, true, 'after sysFault')
    for (const at of marks)
      claim(witness.faults?.(v + at, 'read') ?? true, `a read at offset ${at} of ${rangeText(v, n)} does not fault`)
  }
  found.guards('after sysFault')
  memory.sysMap(v, n, null)
  memory.sysUsed(v, n)
  claimWritable(stage, found, 'after sysFault, sysMap and sysUsed')
  found.clear()
  return true
}

const reserve: Exact = (stage, n) => {
  const { memory, os, witness, unit } = stage
  const before = witness.total?.()
  const v = obtained(stage, () => memory.sysReserve(null, n))
  if (v === null) return false
  claimNoRefusal(stage, 'sysReserve')
  claim(isAligned(v, os.traits.granularity), `${rangeText(v, n)} does not begin at a multiple of the granularity`)
  if (witness.total !== undefined && os.traits.reservedTraps)
    same(witness.total() - (before ?? 0), n, `what the kernel holds for sysReserve of ${n} bytes`)
  if (os.traits.reservedTraps && witness.faults !== undefined)
    for (const at of marksOf(n, stage.pageSize))
      claim(witness.faults(v + at, 'read'), `a read at offset ${at} of Reserved ${rangeText(v, n)} does not fault`)
  memory.sysFree(v, n, null)
  if (os.traits.hints) hinted(stage, n, unit)
  return true
}

/** Reserves at a free place. Several are tried, because other threads of the process map memory too. */
function hinted(stage: Stage, n: number, unit: number): void {
  const { memory } = stage
  for (let i = 0; i < 8; i++) {
    const place = obtained(stage, () => memory.sysReserve(null, alignUp(n, unit) + 2 * unit))
    if (place === null) return
    memory.sysFree(place, alignUp(n, unit) + 2 * unit, null)
    const p = memory.sysReserve(place + unit, n)
    memory.sysFree(p, n, null)
    if (p === place + unit) return
  }
  claim(false, `sysReserve of ${n} bytes ignored eight hints at free addresses`)
}

const map: Exact = (stage, n) => {
  const { memory, os, witness, pageSize } = stage
  const found = field(stage, n, 'Reserved')
  if (found === null) return false
  const { v, marks } = found
  if (n > 3 * pageSize) {
    // Its first and its last page stay Reserved for now, and must go on trapping.
    memory.sysMap(v + pageSize, n - 2 * pageSize, null)
    for (const at of [0, n - pageSize]) {
      const does = witness.faults?.(v + at, 'read') ?? true
      claim(
        does || !os.traits.reservedTraps,
        `the Reserved page beside a sysMap of ${n - 2 * pageSize} bytes does not fault`,
      )
      memory.sysMap(v + at, pageSize, null)
    }
  } else memory.sysMap(v, n, null)
  memory.sysUsed(v, n)
  claimMarks(stage, found, [0], 'after sysMap and sysUsed')
  claimWritable(stage, { v, n, marks: [...new Set([...marks, 0, n - pageSize])] }, 'after sysMap and sysUsed')
  found.guards('after sysMap')
  found.clear()
  return true
}

const renew: Exact = (stage, n) => {
  const { os } = stage
  if (os.sysRenewOS === undefined) return true
  const found = field(stage, n)
  if (found === null) return false
  const isNew = os.sysRenewOS(found.v, n)
  claimNoRefusal(stage, 'sysRenewOS')
  if (isNew) claimEmpty(stage, found, true, 'after sysRenewOS')
  claimMarks(stage, found, isNew ? [0] : [0, MARK], 'after sysRenewOS')
  claimWritable(stage, found, 'after sysRenewOS')
  found.guards('after sysRenewOS')
  found.clear()
  return true
}

const retire: Exact = (stage, n) => {
  const { memory, os } = stage
  if (os.sysRetireOS === undefined) return true
  for (const isMapped of [true, false]) {
    const found = field(stage, n)
    if (found === null) return false
    if (!isMapped) memory.sysFault(found.v, n)
    for (let round = 0; round < 2; round++) {
      claim(os.sysRetireOS(found.v, n, isMapped), `sysRetireOS of ${rangeText(found.v, n)} says that it can't`)
      // Where Prepared pages trap, a witness may count what is committed, and retired pages are.
      if (!os.traits.unusedTraps) claimEmpty(stage, found, true, 'after sysRetireOS')
      claimMarks(stage, found, [0], 'after sysRetireOS')
      claimWritable(stage, found, 'after sysRetireOS')
    }
    found.guards('after sysRetireOS')
    // The account has it as Reserved or Ready, and the kernel as mapped: both may be freed.
    found.clear()
  }
  return true
}

const view: Exact = (stage, n) => {
  const { os, pageSize } = stage
  if (n > VIEW_MAX) return true
  const found = field(stage, n)
  if (found === null) return false
  const { v, marks } = found
  withBytes(os, v, n, (bytes) => {
    const { byteLength } = bytes.buffer
    claim(byteLength === n || byteLength >= v + n, `a view of ${rangeText(v, n)} has ${byteLength} bytes`)
    for (const at of marks) {
      same(bytes[at], MARK, `the byte at offset ${at} of a view of ${n} bytes`)
      same(bytes[at + pageSize - 1], MARK, `the byte at offset ${at + pageSize - 1} of a view of ${n} bytes`)
      bytes[at] = 0x66
      bytes[at + pageSize - 1] = 0x66
    }
  })
  claimMarks(stage, found, [0x66], 'after it was written through a view of the whole')
  found.guards('after a view was written')
  found.clear()
  return true
}

/** Each function of the contract, by the name of its wrapper or its own. */
export const exact: Readonly<Record<string, Exact>> = {
  sysAlloc: alloc,
  sysUnused: unused,
  sysUsed: used,
  sysHugePage: hugePage,
  sysPopulate: populate,
  sysNoHugePage: noHugePage,
  sysFree: free,
  sysFault: fault,
  sysReserve: reserve,
  sysMap: map,
  sysRenew: renew,
  sysRetire: retire,
  view,
}
