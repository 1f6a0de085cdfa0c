// Reservations at an alignment. It answers to sysReserveAligned in Go's runtime/malloc.go, and
// calls the OS alone: what it returns is not in the ledger yet.
import { alignUp, isAligned, type Address } from '@memlayer/kernel'
import { FatalError } from './errors.js'
import { RESERVED, type Ledger } from './ledger.js'
import type { OS } from './os.js'
import { outOfMemory, refused, takeRefusal } from './refusal.js'

/** A range that was obtained: its first address and its bytes. */
export interface AlignedReservation {
  /** Its first byte, a multiple of the alignment. */
  readonly address: Address
  /** As asked, or more where the OS happened to answer aligned. */
  readonly size: number
}

/** Reserves `size` bytes at a multiple of `align`. A ledger is given what the kernel would not take back. */
export function reserveAligned(
  os: OS,
  ledger: Ledger | null,
  v: Address | null,
  size: number,
  align: number,
): AlignedReservation {
  return os.traits.freesParts ? reserveAndTrim(os, ledger, v, size, align) : reserveAnew(os, ledger, v, size, align)
}

/** Reserves more than asked and frees what stands over; where the OS answers aligned, it stays, as in Go. */
function reserveAndTrim(
  os: OS,
  ledger: Ledger | null,
  v: Address | null,
  size: number,
  align: number,
): AlignedReservation {
  const p = os.sysReserveOS(v, size + align)
  if (p === null) throw outOfMemory(os, 'sysReserveAligned', v, size + align)
  if (isAligned(p, align)) return { address: p, size: size + align }
  const address = alignUp(p, align)
  const end = address + size
  const rest = p + size + align - end
  release(os, ledger, p, address - p, p, size + align)
  if (rest > 0) release(os, ledger, end, rest, address, size + rest)
  return { address, size }
}

/** Where a reservation is released only whole: releases it and asks again for the aligned address within. */
function reserveAnew(
  os: OS,
  ledger: Ledger | null,
  v: Address | null,
  size: number,
  align: number,
): AlignedReservation {
  for (let tries = 0; tries < 100; tries++) {
    const p = os.sysReserveOS(v, size + align)
    if (p === null) throw outOfMemory(os, 'sysReserveAligned', v, size + align)
    if (isAligned(p, align)) return { address: p, size: size + align }
    release(os, ledger, p, size + align, p, size + align)
    const aligned = alignUp(p, align)
    const p2 = os.sysReserveOS(aligned, size)
    if (p2 === aligned) return { address: p2, size }
    // Another thread took the place meanwhile. Go frees p2 even when it is nil, and dies of that.
    if (p2 === null) takeRefusal(os)
    else release(os, ledger, p2, size, p2, size)
  }
  throw new FatalError('failed to allocate aligned heap memory; too many retries', {
    op: 'sysReserveAligned',
    size,
    hint: 'Other threads map memory without pause. Reserve earlier, or with a smaller alignment.',
  })
}

/**
 * Frees [v, v+n) of what is held, [held, held+m). Where the kernel keeps it, all that is held goes
 * back, or is entered, so that no byte is lost. Without a ledger, as in Go: whatever comes of it.
 */
function release(os: OS, ledger: Ledger | null, v: Address, n: number, held: Address, m: number): void {
  if (ledger === null) return os.sysFreeOS(v, n)
  const failure = free(os, v, n, held, m)
  if (failure === null) return
  if (free(os, held, m, held, m) !== null) ledger.enter('sysReserveAligned', held, m, RESERVED, 0)
  throw failure.error
}

/** Frees [v, v+n); null, or what kept it from being freed, as an error about what is held. */
function free(os: OS, v: Address, n: number, held: Address, m: number): { readonly error: unknown } | null {
  try {
    os.sysFreeOS(v, n)
    return os.refusal ? { error: refused(os, 'sysReserveAligned', held, m) } : null
  } catch (error) {
    return { error }
  }
}
