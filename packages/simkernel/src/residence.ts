// Which pages have memory behind them, and of which kind. A real kernel shows this as Rss, LazyFree and
// AnonHugePages. Huge pages are blocks of an aligned size. A block with a page table gets no huge page any more, as
// on Linux.
import { alignDown, alignUp, residencyBits } from '@memlayer/kernel'
import { Ranges, type Piece } from './ranges.js'

/** The page has memory of its own. */
export const RESIDENT = 1
/** The page has memory that the kernel may take, with its contents, until it is written again. */
export const FORFEIT = 2
/** The page reads zero from the shared page of zeroes. It has no memory of its own. */
export const ZERO_PAGE = 3

// A block that a touch may still turn into a huge page has no entry.
const HUGE = 'huge'
/** The block is mapped to the shared huge page of zeroes. */
const ZEROES = 'zeroes'
/** The block is mapped page by page. */
const TABLE = 'table'

/** The pages that have memory behind them. */
export class Residence {
  readonly #pages = new Ranges()
  readonly #hugePageSize: number
  readonly #blocks = new Map<number, typeof HUGE | typeof ZEROES | typeof TABLE>()
  // Blocks whose pages were allocated together. They may be mapped page by page.
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

  /** The runs of [v, end) with memory of their own, as the port's `residency` tells them. */
  runs(v: number, end: number): number[] {
    const words: number[] = []
    for (const piece of this.#pages.pieces(v, end)) {
      if (piece.value !== RESIDENT && piece.value !== FORFEIT) continue
      for (let at = piece.start; at < piece.end;) {
        const block = this.#hugePageSize === 0 ? piece.start : alignDown(at, this.#hugePageSize)
        const next = this.#hugePageSize === 0 ? piece.end : Math.min(piece.end, block + this.#hugePageSize)
        addRun(words, at, next - at, residencyBits.resident | (this.isHuge(block) ? residencyBits.huge : 0))
        at = next
      }
    }
    return words
  }

  /** The ranges of [v, end), by the memory behind them. */
  pieces(v: number, end: number): Piece[] {
    return this.#pages.pieces(v, end)
  }

  /** The kind of memory behind the page at `v`. */
  at(v: number): number {
    return this.#pages.get(v)
  }

  /** Sets the pages of [v, end) to `kind`, page by page. */
  set(v: number, end: number, kind: number): void {
    this.#pages.assign(v, end, kind)
    const huge = this.#hugePageSize
    if (huge === 0) return
    for (let block = alignDown(v, huge); block < alignUp(end, huge); block += huge) {
      if (!this.#blocks.has(block)) this.#blocks.set(block, TABLE)
    }
  }

  /** Puts a huge page at `block`. */
  setHuge(block: number): void {
    this.#pages.assign(block, block + this.#hugePageSize, RESIDENT)
    this.#blocks.set(block, HUGE)
    this.#folios.add(block)
  }

  /** Puts the huge page of zeroes at `block`. */
  setZeroes(block: number): void {
    this.#pages.assign(block, block + this.#hugePageSize, ZERO_PAGE)
    this.#blocks.set(block, ZEROES)
  }

  /** Whether a touch may turn the block at `block` into a huge page. */
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

  /** Maps the block around `at` page by page from now on, because a boundary cuts it in two. */
  cut(at: number): void {
    const block = alignDown(at, this.#hugePageSize)
    if (this.#blocks.has(block)) this.#blocks.set(block, TABLE)
  }

  /**
   * Removes the memory behind [v, end), which stays mapped. An empty page table goes if the range is as long as its
   * block.
   */
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

  /**
   * Removes [v, end), which is unmapped, like everything around it from `floor` to `ceiling`. Page tables without a
   * use go.
   */
  release(v: number, end: number, floor: number, ceiling: number): void {
    this.#pages.assign(v, end, 0)
    for (const block of this.#blocksIn(v, end)) {
      const last = block + this.#hugePageSize
      if (block >= floor && last <= ceiling) this.#blocks.delete(block)
      else this.#blocks.set(block, TABLE)
      if (block >= v && last <= end) this.#folios.delete(block)
    }
  }

  /** Blocks whose pages were allocated together and that [v, end) touches only in part, or that have lost pages. */
  brokenFolios(v: number, end: number): number[] {
    const huge = this.#hugePageSize
    return [...this.#folios].filter(
      (block) =>
        block < end && block + huge > v && (block < v || block + huge > end || this.in(block, block + huge) < huge),
    )
  }

  /** From now on the pages of the block are allocated and mapped one by one. */
  splitFolio(block: number): void {
    this.#blocks.set(block, TABLE)
    this.#folios.delete(block)
  }

  /** The touched blocks that overlap [v, end). Searches all blocks, because the range may be a terabyte. */
  #blocksIn(v: number, end: number): number[] {
    if (this.#blocks.size === 0) return []
    return [...this.#blocks.keys()].filter((block) => block < end && block + this.#hugePageSize > v)
  }
}

/** Adds a run. If it continues the last one, makes that one longer instead. */
function addRun(words: number[], address: number, length: number, bits: number): void {
  const last = words.length - 3
  if (last >= 0 && words[last + 2] === bits && (words[last] as number) + (words[last + 1] as number) === address)
    words[last + 1] = (words[last + 1] as number) + length
  else words.push(address, length, bits)
}
