// Which pages have memory behind them, and of what kind: the account that a real kernel shows
// as Rss, LazyFree and AnonHugePages. Huge pages are blocks of an aligned size; a block whose
// page table exists is no longer given a huge page, as on Linux.
import { alignDown, alignUp } from '@memlayer/kernel'
import { Ranges, type Piece } from './ranges.js'

/** Has memory of its own. */
export const RESIDENT = 1
/** Has memory that the kernel may take, contents and all, until it is written again. */
export const FORFEIT = 2
/** Reads zero from the page of zeroes that all share: no memory of its own. */
export const ZERO_PAGE = 3

// A block that a touch may still make a huge page of is in none of these.
const HUGE = 'huge'
/** Mapped as one to the huge page of zeroes that all share. */
const ZEROES = 'zeroes'
/** Mapped page by page. */
const TABLE = 'table'

/** The pages that have memory behind them. */
export class Residence {
  readonly #pages = new Ranges()
  readonly #hugePageSize: number
  readonly #blocks = new Map<number, typeof HUGE | typeof ZEROES | typeof TABLE>()
  // Blocks whose pages were allocated as one, mapped so or not.
  readonly #folios = new Set<number>()

  constructor(hugePageSize: number) {
    this.#hugePageSize = hugePageSize
  }

  /** Bytes with memory of their own. */
  get total(): number {
    return this.#pages.bytesOf(RESIDENT) + this.#pages.bytesOf(FORFEIT)
  }

  /** Bytes that the kernel may take at any time. */
  get forfeit(): number {
    return this.#pages.bytesOf(FORFEIT)
  }

  /** Bytes of [v, end) with memory of their own. */
  in(v: number, end: number): number {
    return this.#pages.bytesIn(RESIDENT, v, end) + this.#pages.bytesIn(FORFEIT, v, end)
  }

  /** Bytes of [v, end) that the kernel may take. */
  forfeitIn(v: number, end: number): number {
    return this.#pages.bytesIn(FORFEIT, v, end)
  }

  /** Bytes of [v, end) in huge pages. */
  hugeIn(v: number, end: number): number {
    let bytes = 0
    for (const [block, kind] of this.#blocks)
      if (kind === HUGE && block >= v && block < end) bytes += this.#hugePageSize
    return bytes
  }

  /** The ranges of [v, end), by what is behind them. */
  pieces(v: number, end: number): Piece[] {
    return this.#pages.pieces(v, end)
  }

  /** What is behind the page at `v`. */
  at(v: number): number {
    return this.#pages.get(v)
  }

  /** Page by page: [v, end) holds `kind`. */
  set(v: number, end: number, kind: number): void {
    this.#pages.assign(v, end, kind)
    const huge = this.#hugePageSize
    if (huge === 0) return
    for (let block = alignDown(v, huge); block < alignUp(end, huge); block += huge) {
      if (!this.#blocks.has(block)) this.#blocks.set(block, TABLE)
    }
  }

  /** A huge page at `block`. */
  setHuge(block: number): void {
    this.#pages.assign(block, block + this.#hugePageSize, RESIDENT)
    this.#blocks.set(block, HUGE)
    this.#folios.add(block)
  }

  /** The huge page of zeroes at `block`. */
  setZeroes(block: number): void {
    this.#pages.assign(block, block + this.#hugePageSize, ZERO_PAGE)
    this.#blocks.set(block, ZEROES)
  }

  /** Whether a touch may make a huge page of the block at `block`. */
  isFresh(block: number): boolean {
    return !this.#blocks.has(block)
  }

  /** Whether the block at `block` is a huge page. */
  isHuge(block: number): boolean {
    return this.#blocks.get(block) === HUGE
  }

  /** Whether the block at `block` shows the huge page of zeroes. */
  isZeroes(block: number): boolean {
    return this.#blocks.get(block) === ZEROES
  }

  /** The block around `at` is mapped page by page from now on: something cuts it in two. */
  cut(at: number): void {
    const block = alignDown(at, this.#hugePageSize)
    if (this.#blocks.has(block)) this.#blocks.set(block, TABLE)
  }

  /** [v, end) has nothing behind it, though it stays mapped; a table that is left empty goes, if the range is as long as its block. */
  drop(v: number, end: number): void {
    this.#pages.assign(v, end, 0)
    for (const block of this.#blocksIn(v, end)) {
      const last = block + this.#hugePageSize
      const isEmpty = this.#pages.pieces(block, last).every(({ value }) => value === 0)
      if (isEmpty && end - v >= this.#hugePageSize) this.#blocks.delete(block)
      else this.#blocks.set(block, TABLE)
      if (block >= v && last <= end) this.#folios.delete(block)
    }
  }

  /** [v, end) is not mapped any more, and nothing around it from `floor` to `ceiling` is: tables that nobody needs go. */
  release(v: number, end: number, floor: number, ceiling: number): void {
    this.#pages.assign(v, end, 0)
    for (const block of this.#blocksIn(v, end)) {
      const last = block + this.#hugePageSize
      if (block >= floor && last <= ceiling) this.#blocks.delete(block)
      else this.#blocks.set(block, TABLE)
      if (block >= v && last <= end) this.#folios.delete(block)
    }
  }

  /** The blocks in [v, end) whose pages were allocated as one, and of which [v, end) has not all, or not all is left. */
  brokenFolios(v: number, end: number): number[] {
    const huge = this.#hugePageSize
    return [...this.#folios].filter(
      (block) =>
        block < end && block + huge > v && (block < v || block + huge > end || this.in(block, block + huge) < huge),
    )
  }

  /** The pages of a block are allocated, and mapped, one by one from now on. */
  splitFolio(block: number): void {
    this.#blocks.set(block, TABLE)
    this.#folios.delete(block)
  }

  /** The blocks that were touched and that [v, end) has some of; not by address, for the range may be a terabyte. */
  #blocksIn(v: number, end: number): number[] {
    if (this.#blocks.size === 0) return []
    return [...this.#blocks.keys()].filter((block) => block < end && block + this.#hugePageSize > v)
  }
}
