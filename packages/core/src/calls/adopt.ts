// Adoption: the whole pages of a buffer that other code allocated become a region, Ready from the start. It answers to
// nothing in Go. Observers and the account hear of it as of sysAlloc, which makes the same transition.
import { alignDown, alignUp, bufferLength, viewOffset } from '@memlayer/kernel'
import type { SysMemStat } from '../account/mem-stat.js'
import type { RegionRecord } from '../claims/region-record.js'
import { AS_IS } from '../ledger/intent.js'
import { READY, type LedgerRange } from '../ledger/states.js'
import type { AdoptedPages } from '../os.js'
import { adoptedBefore, gone, noWholePage, notEngine, type Owner } from './adopt-misuse.js'
import { freeParts } from './free-parts.js'
import type { Parts } from './parts.js'
import { outOfMemory, takeRefusal } from './refusal.js'
import { takeOfAdopt } from './scavenge.js'
import { failed, settle } from './settle.js'
import type { Wrappers } from './wrappers.js'

/**
 * None to Ready: the pages of a buffer, with their contents. `isCollected` tells whether a region was dropped by the
 * program.
 *
 * @throws UsageError ERR_MEMLAYER_OPTION for pages that this memory has, ERR_MEMLAYER_SIZE where no page is whole.
 * OutOfMemoryError when they would pass a limit, and when the OS refuses.
 */
export function adopt(
  parts: Parts,
  ops: Wrappers,
  region: RegionRecord,
  bufferNow: () => ArrayBufferLike,
  stat: SysMemStat,
  isCollected: (record: RegionRecord) => boolean,
): void {
  const { ledger, account, budget, claims, intent, os } = parts
  if (os.sysAdoptOS === undefined) notEngine(os.name)
  if (intent.isOpen) settle(parts)
  const category = account.categoryOf('sysAlloc', stat)
  const length = bufferLength(bufferNow()) ?? 0
  if (length < os.traits.pageSize) throw noWholePage(length, os.traits.pageSize)
  takeRoom(parts, ops, category, length)
  let pages = ask(parts, category, bufferNow)
  if ((pages === null || !isFree(parts, pages)) && forgetGone(parts, ops)) pages = ask(parts, category, bufferNow)
  if (pages === null || !isFree(parts, pages)) {
    const taken = pages === null ? pagesOf(parts, bufferNow()) : pages
    if (taken !== null) expectFree(parts, taken, isCollected)
    throw failed(parts, 'sysAlloc', null, NaN, category, refusal(parts, bufferNow))
  }
  const { address: v, size: n } = pages
  intent.begin(AS_IS, NaN, 0)
  ledger.enter('sysAlloc', v, n, READY, category)
  budget.obtained(v, n)
  budget.mapped()
  account.add(n, category)
  region.isThere = pages.isThere
  claims.enter(region, v, n)
  intent.end()
  account.done('sysAlloc', v, n, category)
}

/**
 * Makes room in the count and under the limits. Reclaimers may do anything, so the OS has not been asked yet. Where in
 * a page the buffer begins is not known, so this may be for a page more than it has.
 */
function takeRoom(parts: Parts, ops: Wrappers, category: number, length: number): void {
  const n = alignDown(length, parts.os.traits.pageSize)
  parts.account.expectRoom('sysAlloc', n, category)
  if (!parts.limit.isSet) return
  void forgetGone(parts, ops)
  try {
    takeOfAdopt(parts, n, category)
  } catch (error) {
    throw failed(parts, 'sysAlloc', null, n, category, error)
  }
}

/** The pages of the buffer, by the OS. Null: refused. */
function ask(parts: Parts, category: number, bufferNow: () => ArrayBufferLike): AdoptedPages | null {
  const { os } = parts
  takeRefusal(os)
  try {
    return os.sysAdoptOS?.(bufferNow) ?? null
  } catch (error) {
    throw failed(parts, 'sysAlloc', null, NaN, category, error)
  }
}

/** The error for what the OS refused. It gives no reason of its kernel for a buffer without a whole page. */
function refusal({ os }: Parts, bufferNow: () => ArrayBufferLike): unknown {
  const length = bufferLength(bufferNow()) ?? 0
  const { pageSize } = os.traits
  if (os.refusal?.syscall !== undefined || length >= 2 * pageSize - 1) return outOfMemory(os, 'sysAlloc', null, length)
  takeRefusal(os)
  return noWholePage(length, pageSize)
}

type Pages = Pick<AdoptedPages, 'address' | 'size'>

/** The whole pages of a buffer that the OS has told the place of. Null: it has none, or the place is not known. */
function pagesOf({ os }: Parts, buffer: ArrayBufferLike): Pages | null {
  // An empty range at address 0 lies so far before the buffer's first byte.
  const first = -viewOffset(buffer, 0, NaN)
  const { pageSize } = os.traits
  const address = alignUp(first, pageSize)
  const size = alignDown(first + (bufferLength(buffer) ?? 0), pageSize) - address
  return first > 0 && size > 0 ? { address, size } : null
}

/** What of the pages this memory has already. */
const taken = ({ ledger }: Parts, { address, size }: Pages): LedgerRange | undefined =>
  ledger.within(address, size).find(({ packed }) => packed !== 0)

const isFree = (parts: Parts, pages: Pages): boolean => taken(parts, pages) === undefined

/** @throws UsageError ERR_MEMLAYER_OPTION when this memory has some of the pages. */
function expectFree(parts: Parts, pages: Pages, isCollected: (record: RegionRecord) => boolean): void {
  const range = taken(parts, pages)
  if (range === undefined) return
  const { address } = range
  takeRefusal(parts.os)
  const record = parts.claims.at(address)
  const owner: Owner | null =
    record === undefined
      ? null
      : { name: record.name, isAdopted: record.isThere !== null, isCollected: isCollected(record) }
  adoptedBefore(address, owner)
}

/** Frees the regions whose buffers have lost their pages. Another buffer may lie there by now. False: there is none. */
function forgetGone(parts: Parts, ops: Wrappers): boolean {
  const lost = parts.claims.list().filter(({ isThere }) => isThere?.() === false)
  for (const record of lost) freeLost(parts, ops, record)
  return lost.length > 0
}

/** Frees a region whose buffer has lost its pages. What held or shared them has nothing to keep any more. */
function freeLost(parts: Parts, ops: Wrappers, record: RegionRecord): void {
  for (const [v, n] of record.owned()) parts.borrows.shares.drop(v, n)
  freeParts(parts, ops, record)
}

/** Whether the buffer of an adopted region has lost its pages. Then the region is freed. */
export function endLost(parts: Parts, ops: Wrappers, record: RegionRecord): boolean {
  if (record.isThere === null || record.isThere()) return false
  if (!record.isDisposed) freeLost(parts, ops, record)
  return true
}

/** @throws UsageError ERR_MEMLAYER_DISPOSED when the buffer of an adopted region has lost its pages. */
export function expectThere(parts: Parts, ops: Wrappers, op: string, record: RegionRecord): void {
  if (endLost(parts, ops, record)) gone(op, record.name)
}
