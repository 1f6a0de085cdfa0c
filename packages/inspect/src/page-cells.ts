// Finds which pages of a range are resident, in cells of whole pages. The number of cells and the time are limited.
// A range may be a terabyte, and the process has other work.
import type { Address, Memory } from '@memlayer/core'
import type { PageCells } from './snapshot.js'

/** The largest number of cells in one answer. */
export const cellsMax = 8192
/** Bytes that one look covers: it starts at the first, and the second is its largest. */
const FIRST_STEP = 2 ** 24
const LAST_STEP = 2 ** 36

/**
 * Looks at [address, address + size) in cells of `unit` bytes. Stops at the time `until`, by performance.now().
 * Null: the host can't tell.
 */
export function lookAt(memory: Memory, address: Address, size: number, unit: number, until: number): PageCells | null {
  const count = Math.min(cellsMax, Math.ceil(size / unit))
  const cells = { resident: new Float64Array(count), huge: new Float64Array(count), swapped: new Float64Array(count) }
  const sums = { resident: 0, huge: 0, swapped: 0 }
  const end = address + Math.min(size, count * unit)
  let at = address
  for (let step = FIRST_STEP; at < end;) {
    const before = performance.now()
    if (at > address && before > until) break
    const length = Math.min(step, end - at)
    const found = memory.residency(at, length)
    if (found === null) return null
    for (const run of found.runs) {
      for (const kind of kinds) if (run[kind]) spread(cells[kind], run.address - address, run.size, unit)
    }
    for (const kind of kinds) sums[kind] += found[kind]
    at += length
    // The kernel skips pages without memory quickly. Scattered resident pages are slow.
    if (performance.now() - before < 0.25) step = Math.min(LAST_STEP, 2 * step)
    else step = Math.max(FIRST_STEP, step / 2)
  }
  const { pageSize } = memory.os.traits
  const pages = (kind: (typeof kinds)[number]): number[] =>
    Array.from(cells[kind], (bytes) => Math.round(bytes / pageSize))
  return {
    address,
    size,
    unit,
    looked: at - address,
    resident: sums.resident,
    huge: orNull(sums.huge),
    swapped: orNull(sums.swapped),
    residentCells: pages('resident'),
    hugeCells: pages('huge'),
    swappedCells: pages('swapped'),
  }
}

/** The smallest cell, a page times a power of two, so that at most `most` cells cover `size`. */
export function unitFor(size: number, pageSize: number, most: number): number {
  let unit = pageSize
  while (size / unit > most) unit *= 2
  return unit
}

const kinds = ['resident', 'huge', 'swapped'] as const

function spread(cells: Float64Array, start: number, size: number, unit: number): void {
  const end = start + size
  for (let c = Math.max(0, Math.floor(start / unit)); c < cells.length && c * unit < end; c++) {
    cells[c] = (cells[c] as number) + Math.min(end, (c + 1) * unit) - Math.max(start, c * unit)
  }
}

/** NaN becomes null, because JSON has no NaN. A host that can't tell huge or swapped pages answers NaN. */
const orNull = (n: number): number | null => (Number.isNaN(n) ? null : n)
