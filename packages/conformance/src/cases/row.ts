// A row: reservations that lie side by side. A range may begin in one of them and end in another, and some kernels then
// take no call for all of it.
import type { Address } from '@memlayer/kernel'
import { thrownBy } from '../claim.js'
import type { Stage } from '../stage.js'
import { placeIn, type Place } from './place.js'

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

/** Makes `count` reservations of `bytes` side by side, by default few pages; null: the kernel gives none there. */
export function rowOf(
  { memory, pageSize, unit }: Stage,
  count: number,
  bytes: number = partPages * pageSize,
): Row | null {
  const part = Math.ceil(bytes / unit) * unit
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

/** More pages are not probed each. */
const probedMax = 8 * partPages

/** All of a row as a place whose probes are its pages from `from` to `to`. The pages beside them are not guards. */
export function pagesOf({ v, count, part }: Row, page: number, from = 0, to: number = count * part): Place {
  const pages = Math.max(0, Math.ceil((to - from) / page))
  const probes =
    pages <= probedMax
      ? Array.from({ length: pages }, (_, i) => from + i * page)
      : placeIn(v + from, to - from, page).probes.map((at) => from + at)
  return { whole: v, size: count * part, v, n: count * part, probes }
}
