// Reservations, anywhere or at an alignment. They answer to sysReserve in Go's runtime/mem.go and sysReserveAligned
// in runtime/malloc.go. A region's reservation is entered before observers hear of it, so that they may free it.
import { alignUp, isAligned, type Address } from '@memlayer/kernel'
import { checkAddress, checkAlignment, checkSize, checkTogether } from '../check.js'
import type { RegionRecord } from '../claims/region-record.js'
import { FatalError } from '../errors.js'
import { AS_IS } from '../ledger/intent.js'
import { isAddress, noAddress } from '../ledger/misuse.js'
import { RESERVED } from '../ledger/states.js'
import type { OS } from '../os.js'
import { givingBack, reserveAt } from './obtain.js'
import type { Parts } from './parts.js'
import { outOfMemory, refused, takeRefusal } from './refusal.js'
import { failed, settle } from './settle.js'

/** A range that was obtained: its first address and its bytes. */
export interface AlignedReservation {
  /** Its first byte, a multiple of the alignment. */
  readonly address: Address
  /** As asked, or more where the OS happened to answer aligned. */
  readonly size: number
}

/** Part of an aligned reservation that the kernel would not take back. It is owned, and belongs to no region. */
type Leftover = (v: Address, n: number) => void

const triesMax = 100

/** sysReserve, of a range that was checked. */
export function reserve(parts: Parts, v: Address | null, n: number, region: RegionRecord | null): Address {
  const { os, ledger, account, budget, space, claims, intent, record } = parts
  if (intent.isOpen) settle(parts)
  let p: Address | null = null
  try {
    budget.cut('sysReserve', n)
    space.take('sysReserve', n, 0)
    intent.begin(AS_IS, NaN, 0)
    p = reserveAt(parts, v, n)
    if (p === null) throw outOfMemory(os, 'sysReserve', v, n)
    ledger.enter('sysReserve', p, n, RESERVED, 0)
    record?.log.add(p, n)
  } catch (error) {
    throw failed(parts, 'sysReserve', v, n, 0, error)
  }
  budget.obtained(p, n)
  if (region !== null) claims.enter(region, p, n)
  intent.end()
  account.done('sysReserve', p, n, 0)
  return p
}

/** sysReserveAligned, with its checks. */
export function reserveAligned(
  parts: Parts,
  v: Address | null,
  size: number,
  align: number,
  region: RegionRecord | null,
): AlignedReservation {
  const { os, ledger, account, budget, space, claims, intent, retired, record } = parts
  if (intent.isOpen) settle(parts)
  const alignment = checkAligned(v, size, align, os.traits.pageSize)
  const enter: Leftover = (at, n) => {
    ledger.enter('sysReserveAligned', at, n, RESERVED, 0)
    record?.log.add(at, n)
  }
  let range: AlignedReservation
  try {
    budget.cut('sysReserveAligned', size)
    space.take('sysReserveAligned', size + alignment, 0)
    intent.begin(AS_IS, NaN, 0)
    const reused = v === null ? retired.reserve(size, alignment) : null
    range =
      reused === null
        ? givingBack(parts, () => obtainAligned(os, enter, v, size, alignment))
        : { address: reused, size }
    enter(range.address, range.size)
  } catch (error) {
    throw failed(parts, 'sysReserveAligned', v, size, 0, error)
  }
  if (region !== null) claims.enter(region, range.address, range.size)
  intent.end()
  account.done('sysReserveAligned', range.address, range.size, 0)
  return range
}

/** The alignment that is asked of the OS: never less than `page`. @throws UsageError for arguments that are wrong. */
export function checkAligned(v: Address | null, size: number, align: number, page: number): number {
  checkAlignment('sysReserveAligned', align)
  checkSize('sysReserveAligned', size, 1, page)
  const alignment = Math.max(align, page)
  checkTogether('sysReserveAligned', size, alignment)
  if (v !== null) checkAddress('sysReserveAligned', v, size + alignment, page)
  return alignment
}

/**
 * Obtains `size` bytes at a multiple of `align` from the OS. `leave` takes what the kernel does not take back; null:
 * as in Go, no answer to a free is looked at.
 */
export function obtainAligned(
  os: OS,
  leave: Leftover | null,
  v: Address | null,
  size: number,
  align: number,
): AlignedReservation {
  return os.traits.freesParts ? reserveAndTrim(os, leave, v, size, align) : reserveAnew(os, leave, v, size, align)
}

/** Reserves more than asked and frees the rest. If the OS answers aligned, all of it stays, as in Go. */
function reserveAndTrim(
  os: OS,
  leave: Leftover | null,
  v: Address | null,
  size: number,
  align: number,
): AlignedReservation {
  const p = reserveMore(os, v, size + align)
  if (isAligned(p, align)) return { address: p, size: size + align }
  const address = alignUp(p, align)
  const end = address + size
  const rest = p + size + align - end
  release(os, leave, p, address - p, p, size + align)
  if (rest > 0) release(os, leave, end, rest, address, size + rest)
  return { address, size }
}

/** Where the OS releases only whole reservations: releases it and asks again for the aligned address within. */
function reserveAnew(
  os: OS,
  leave: Leftover | null,
  v: Address | null,
  size: number,
  align: number,
): AlignedReservation {
  for (let tries = 0; tries < triesMax; tries++) {
    const p = reserveMore(os, v, size + align)
    if (isAligned(p, align)) return { address: p, size: size + align }
    release(os, leave, p, size + align, p, size + align)
    const aligned = alignUp(p, align)
    const p2 = os.sysReserveOS(aligned, size)
    if (p2 === aligned) return { address: p2, size }
    // Another thread took the place meanwhile. Go frees p2 even when it is nil, and dies of that.
    if (p2 === null) takeRefusal(os)
    else release(os, leave, p2, size, p2, size)
  }
  throw new FatalError('failed to allocate aligned heap memory; too many retries', {
    op: 'sysReserveAligned',
    size,
    hint: 'Reserve earlier, or with a smaller alignment. Other threads map memory all the time.',
  })
}

/** Reserves `n` bytes, in which an aligned range is to be found. */
function reserveMore(os: OS, v: Address | null, n: number): Address {
  const p = os.sysReserveOS(v, n)
  if (p === null) throw outOfMemory(os, 'sysReserveAligned', v, n)
  if (!isAddress(p)) throw noAddress('sysReserveAligned', p, n)
  return p
}

/** Frees [v, v+n) of [all, all+m). If the kernel keeps it, all of it goes back, or is left, so that no byte is lost. */
function release(os: OS, leave: Leftover | null, v: Address, n: number, all: Address, m: number): void {
  if (leave === null) return os.sysFreeOS(v, n)
  const failure = failureToFree(os, v, n, all, m)
  if (failure === null) return
  if (failureToFree(os, all, m, all, m) !== null) leave(all, m)
  throw failure.error
}

/** Frees [v, v+n). Null, or why the kernel kept it, as an error about [all, all+m). */
function failureToFree(os: OS, v: Address, n: number, all: Address, m: number): { readonly error: unknown } | null {
  try {
    takeRefusal(os)
    os.sysFreeOS(v, n)
    return os.refusal ? { error: refused(os, 'sysReserveAligned', all, m) } : null
  } catch (error) {
    return { error }
  }
}
