// A small space for close histories: few boundaries, so that ranges meet again. Its cells lie between boundaries. Only
// the first and the last page of a cell are read and written, so a cell may be as large as a huge page.
import type { RegionState } from '@memlayer/core'
import type { Address } from '@memlayer/kernel'
import { withBytes } from '../bytes.js'
import { claim, rangeText } from '../claim.js'
import type { Stage } from '../stage.js'

/** What lies between two neighbouring boundaries. */
export interface Cell {
  readonly v: Address
  readonly n: number
  state: RegionState
  /** The byte that its pages hold; null: zero or `old`. */
  byte: number | null
  old: number
  /** Whether it was given back and not asked for since, so that nothing may give it memory. */
  isAway: boolean
  /** Whether sysUnused made it Prepared, so that it may trap. */
  isUnused: boolean
}

/** A reservation with its cells. */
export interface Space {
  readonly v: Address
  readonly n: number
  readonly cells: readonly Cell[]
  /** The huge pages, by number, of which a part was given back and not asked for since. */
  readonly cut: Set<number>
}

/** Cells from `from` up to `to` of a space. */
export interface Run {
  readonly space: Space
  readonly from: number
  readonly to: number
}

/** Boundaries page by page, or around the units in which addresses are handed out. */
export function closeBoundaries({ pageSize: page, unit }: Stage): number[] {
  if (unit === page) return Array.from({ length: 13 }, (_, i) => i * page)
  return around(unit, 3, page)
}

/** Boundaries at huge pages, a page beside them, and within them. */
export function hugeBoundaries({ os, pageSize: page }: Stage): number[] {
  const huge = os.traits.hugePageSize
  return [...around(huge, 4, page), huge / 2, 2 * huge + huge / 2].sort((a, b) => a - b)
}

function around(size: number, count: number, page: number): number[] {
  const found = Array.from({ length: count + 1 }, (_, i) => [i * size - page, i * size, i * size + page]).flat()
  return [...new Set(found)].filter((at) => at >= 0 && at <= count * size).sort((a, b) => a - b)
}

/** A space of memory that is new. Its reservation has `n` bytes. */
export function spaceAt(v: Address, n: number, boundaries: readonly number[], state: RegionState): Space {
  const cells = boundaries.slice(1).map((end, i): Cell => {
    const start = boundaries[i] ?? NaN
    return { v: v + start, n: end - start, state, byte: 0, old: 0, isAway: false, isUnused: false }
  })
  return { v, n, cells, cut: new Set() }
}

export function cellsOf({ space, from, to }: Run): readonly Cell[] {
  return space.cells.slice(from, to)
}

/** The range of a run. */
export function rangeOf(run: Run): readonly [v: Address, n: number] {
  const cells = cellsOf(run)
  const [first, last] = [cells[0], cells.at(-1)]
  if (first === undefined || last === undefined) return [NaN, 0]
  return [first.v, last.v + last.n - first.v]
}

/** The first and the last page of a cell. */
export function pagesOf({ v, n }: Cell, page: number): readonly Address[] {
  return n === page ? [v] : [v, v + n - page]
}

/** Writes `byte` at both ends of the cell's pages. */
export function writeCell({ os, pageSize }: Stage, cell: Cell, byte: number): void {
  for (const at of pagesOf(cell, pageSize)) {
    withBytes(os, at, pageSize, (bytes) => {
      bytes[0] = byte
      bytes[pageSize - 1] = byte
    })
  }
  cell.byte = byte
}

/**
 * The first and the last byte of the page at `v`, as copies where the backend's host can make them. A view would settle
 * which pages the kernel takes. Above 2^53, only addresses of pages are exact, so a whole page is copied.
 */
export function endsOfPage({ os, pageSize }: Stage, v: Address): readonly [first: number, last: number] {
  const ends = (bytes: Uint8Array): [number, number] => [bytes[0] ?? NaN, bytes[pageSize - 1] ?? NaN]
  if (os.host?.read === undefined) return withBytes(os, v, pageSize, ends)
  const copy = new Uint8Array(pageSize)
  os.host.read(v, copy)
  return ends(copy)
}

/** Fails unless a Ready cell holds what it should. With `settles`, what was found stays from now on. */
export function claimCell(stage: Stage, cell: Cell, settles: boolean, when: string): void {
  const { pageSize } = stage
  const all = new Set<number>()
  for (const page of pagesOf(cell, pageSize)) {
    for (const found of endsOfPage(stage, page)) {
      const isRight = cell.byte === null ? found === 0 || found === cell.old : found === cell.byte
      const expected = String(cell.byte ?? `0 or ${cell.old}`)
      claim(isRight, `${when}, ${rangeText(page, pageSize)} holds ${found}, expected ${expected}`)
      all.add(found)
    }
  }
  const [only] = all
  if (settles && all.size === 1 && only !== undefined) cell.byte = only
}
