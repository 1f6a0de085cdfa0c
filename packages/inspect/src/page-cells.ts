// What of a range has memory behind it, in cells of whole pages, and never more cells or more time than was
// granted: a range may be a terabyte, and the process has other things to do.
import type { Address, Memory } from '@memlayer/core'
import type { PageCells } from './snapshot.js'

/** The most cells of an answer. */
export const MOST_CELLS = 8192
const FIRST_STEP = 2 ** 24
const LAST_STEP = 2 ** 36

/** Looks at [address, address + size) in cells of `unit` bytes until `until`, by performance.now(); null: the host can't tell. */
export function lookAt(memory: Memory, address: Address, size: number, unit: number, until: number): PageCells | null {
  const count = Math.min(MOST_CELLS, Math.ceil(size / unit))
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
    // Pages without memory are passed over by the thousand, scattered ones are not.
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

/** The smallest cell of whole pages, by powers of two, of which `most` cover `size`. */
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

/** A host that tells only what is resident answers NaN, which JSON has not. */
const orNull = (n: number): number | null => (Number.isNaN(n) ? null : n)
