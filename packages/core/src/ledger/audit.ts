// The proof of the ledger's sums: counted anew from its ranges, for `memory.check()`.
import type { Address } from '@memlayer/kernel'
import { formatAddress } from '../text.js'
import { categoryOf, nameOfState, READY, stateOf, type LedgerRange } from './states.js'

/** The first disagreement, as a sentence; null where all agrees. `ranges` are in order of address. */
export function firstFault(
  ranges: readonly LedgerRange[],
  bytes: Float64Array,
  ready: number,
  reservations: ReadonlyMap<Address, number> | null,
  nameOf: (category: number) => string,
): string | null {
  return faultInOrder(ranges) ?? faultInSums(ranges, bytes, ready, nameOf) ?? faultInReservations(ranges, reservations)
}

function faultInOrder(ranges: readonly LedgerRange[]): string | null {
  let end = 0
  for (const { address, size } of ranges) {
    if (address < end) return `the range at ${formatAddress(address)} overlaps the one before it`
    if (!(size > 0)) return `the range at ${formatAddress(address)} has ${size} bytes`
    end = address + size
  }
  return null
}

function faultInSums(
  ranges: readonly LedgerRange[],
  bytes: Float64Array,
  ready: number,
  nameOf: (category: number) => string,
): string | null {
  const sums = new Float64Array(bytes.length)
  let readySum = 0
  for (const { size, packed } of ranges) {
    sums[packed] = (sums[packed] ?? 0) + size
    if (stateOf(packed) === READY) readySum += size
  }
  for (let i = 1; i < sums.length; i++) {
    if (sums[i] === bytes[i]) continue
    const category = `category '${nameOf(categoryOf(i))}'`
    return `${category} counts ${bytes[i]} bytes ${nameOfState(i)}, but its ranges have ${sums[i]}`
  }
  return readySum === ready ? null : `${ready} bytes are counted Ready, but the Ready ranges have ${readySum}`
}

/** Every owned byte came with a reservation that is known, and all of each reservation is owned. */
function faultInReservations(
  ranges: readonly LedgerRange[],
  reservations: ReadonlyMap<Address, number> | null,
): string | null {
  if (reservations === null) return null
  let reserved = 0
  for (const [v, n] of reservations) {
    reserved += n
    const gap = firstGap(ranges, v, v + n)
    if (gap !== null) return `the reservation at ${formatAddress(v)} is not owned from ${formatAddress(gap)} on`
  }
  const owned = ranges.reduce((sum, { size }) => sum + size, 0)
  return reserved === owned ? null : `the reservations have ${reserved} bytes, but the owned ranges have ${owned}`
}

/** The first address of [v, end) that no range holds; null: there is none. */
function firstGap(ranges: readonly LedgerRange[], v: Address, end: Address): Address | null {
  let at = v
  for (const { address, size } of ranges) if (address <= at && address + size > at) at = address + size
  return at >= end ? null : at
}
