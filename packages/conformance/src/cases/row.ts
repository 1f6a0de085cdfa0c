// A row: reservations that lie side by side. A range may begin in one of them and end in another, and some kernels then
// take no call for all of it.
import type { Address } from '@memlayer/kernel'
import { thrownBy } from '../claim.js'
import type { Stage } from '../stage.js'
import type { Place } from './place.js'

/** Reservations side by side. */
export interface Row {
  readonly v: Address
  /** The number of reservations. */
  readonly count: number
  /** The bytes of each one. */
  readonly part: number
}

/** The pages of a reservation in a row: enough to end a range at different ones. */
const partPages = 8

/** Makes `count` reservations side by side; null: the kernel gives none there. */
export function rowOf({ memory, pageSize, unit }: Stage, count: number): Row | null {
  const part = Math.ceil((partPages * pageSize) / unit) * unit
  for (let times = 0; times < 8; times++) {
    // A hole that is large enough for all of them.
    const hole = memory.sysReserve(null, count * part)
    memory.sysFree(hole, count * part, null)
    let isWhole = true
    for (let i = 0; i < count && isWhole; i++) {
      const wanted = hole + i * part
      let found = NaN
      // A break does not support hints.
      if (thrownBy(() => (found = memory.sysReserve(wanted, part))) !== null) return null
      isWhole = found === wanted
    }
    if (isWhole) return { v: hole, count, part }
  }
  return null
}

/** All of a row as a place whose probes are its pages from `from` to `to`. The pages beside them are not guards. */
export function pagesOf({ v, count, part }: Row, page: number, from = 0, to: number = count * part): Place {
  const probes: number[] = []
  for (let at = from; at < to; at += page) probes.push(at)
  return { whole: v, size: count * part, v, n: count * part, probes }
}
