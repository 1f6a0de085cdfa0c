// Reservations at an alignment. It answers to sysReserveAligned in Go's runtime/malloc.go, and
// calls the OS alone: what it returns is not in the ledger yet.
import { alignUp, isAligned, type Address } from '@memlayer/kernel'
import { FatalError } from './errors.js'
import { RESERVED, type Ledger } from './ledger.js'
import type { OS } from './os.js'
import { outOfMemory, refused } from './refusal.js'

/** A range that was obtained: its first address and its bytes. */
export interface AlignedReservation {
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
  return os.traits.freesParts ? reserveAndTrim(os, ledger, v, size, align) : reserveAnew(os, v, size, align)
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
  os.sysFreeOS(p, address - p)
  if (os.refusal && ledger !== null) return giveUp(os, ledger, p, size + align)
  if (rest > 0) os.sysFreeOS(end, rest)
  if (os.refusal && ledger !== null) return giveUp(os, ledger, address, size + rest)
  return { address, size }
}

/** The kernel keeps what was to be trimmed off: all of it goes back, or is entered, so that no byte is lost. */
function giveUp(os: OS, ledger: Ledger, v: Address, n: number): never {
  const error = refused(os, 'sysReserveAligned', v, n)
  os.sysFreeOS(v, n)
  if (os.refusal) ledger.enter('sysReserveAligned', v, n, RESERVED, 0)
  throw error
}

/** Where a reservation is released only whole: releases it and asks again for the aligned address within. */
function reserveAnew(os: OS, v: Address | null, size: number, align: number): AlignedReservation {
  for (let tries = 0; tries < 100; tries++) {
    const p = os.sysReserveOS(v, size + align)
    if (p === null) throw outOfMemory(os, 'sysReserveAligned', v, size + align)
    if (isAligned(p, align)) return { address: p, size: size + align }
    os.sysFreeOS(p, size + align)
    const aligned = alignUp(p, align)
    const p2 = os.sysReserveOS(aligned, size)
    if (p2 === aligned) return { address: p2, size }
    // Another thread took the place meanwhile. Go frees p2 even when it is nil, and dies of that.
    if (p2 !== null) os.sysFreeOS(p2, size)
  }
  throw new FatalError('failed to allocate aligned heap memory; too many retries', {
    op: 'sysReserveAligned',
    size,
    hint: 'Other threads map memory without pause. Reserve earlier, or with a smaller alignment.',
  })
}
