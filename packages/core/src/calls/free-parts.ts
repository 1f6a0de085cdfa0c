// The free of a region of which parts were freed before: one sysFree for each part that is left. All of them can go, or
// none of them goes. If the kernel refuses one all the same, those before it are reserved again. A part that had memory
// has lost it, so it stays free, and the error tells.
import type { Address } from '@memlayer/kernel'
import type { RegionRecord } from '../claims/region-record.js'
import { addHint } from '../errors.js'
import { FROM_OWNED, RESERVED } from '../ledger/states.js'
import { formatBytes } from '../text.js'
import type { Parts } from './parts.js'
import { putBack } from './refusal.js'
import type { Wrappers } from './wrappers.js'

interface Part {
  readonly v: Address
  readonly n: number
  /** Whether it was only reserved, so that it can be reserved again. */
  readonly isReserved: boolean
}

/** Any state to None, for all that is left of a region. */
export function freeParts(parts: Parts, ops: Wrappers, record: RegionRecord): void {
  for (const [v, n] of record.owned()) parts.borrows.expectEndable('sysFree', v, n)
  const owned: Part[] = []
  for (const [v, n] of record.owned()) owned.push({ v, n, isReserved: isOnlyReserved(parts, v, n) })
  owned.sort((a, b) => Number(b.isReserved) - Number(a.isReserved))
  for (const [i, part] of owned.entries()) {
    // Observers of the parts before it may have freed it.
    if (!record.has(part.v, part.n)) continue
    try {
      ops.sysFree(part.v, part.n, null)
    } catch (error) {
      takeBack(parts, owned.slice(0, i), part.v, error)
      throw error
    }
  }
}

/** Whether a range was never mapped, and no view of it ever was. Category 0 counts it. */
function isOnlyReserved({ ledger, retired }: Parts, v: Address, n: number): boolean {
  return ledger.expect('sysFree', v, n, FROM_OWNED) === RESERVED && !retired.hasSeen(v, n)
}

/** Reserves again what was freed of the region that owns the page at `rest`. The error tells of what stays free. */
function takeBack(parts: Parts, freed: readonly Part[], rest: Address, error: unknown): void {
  const { ledger, claims, record } = parts
  let lost = 0
  for (const { v, n, isReserved } of freed) {
    if (isReserved && isReservedAgain(parts, v, n)) {
      ledger.enter('sysFree', v, n, RESERVED, 0)
      record?.log.add(v, n)
      claims.regain(rest, v, n)
    } else lost += n
  }
  if (lost > 0) addHint(error, `${formatBytes(lost)} of it were freed before. Call free() again for the rest.`)
}

function isReservedAgain({ os }: Parts, v: Address, n: number): boolean {
  const found: { p: Address | null } = { p: null }
  const isDone = putBack(os, () => (found.p = os.sysReserveOS(v, n)))
  if (isDone && found.p === v) return true
  const { p } = found
  if (p !== null) putBack(os, () => os.sysFreeOS(p, n))
  return false
}
