// Which pages are in use: a bit for each, and summaries of chunks in a radix tree. It answers to Go's
// runtime/mpagealloc.go and mpallocbits.go: address-ordered first fit over one reservation.
//
// The summary of a chunk is three numbers: the free pages at its start, the longest run of free pages inside, and the
// free pages at its end. Each level joins eight summaries of the level below.
import { lowestBit } from './page-set.js'

/** Pages of a chunk: 4 MiB, as in Go (`pallocChunkPages`). */
const chunkPages = 512
const chunkWords = chunkPages / 32
/** Summaries that one above them joins: `1 << 3`, as in Go (`summaryLevelBits`). */
const fanShift = 3
const fan = 1 << fanShift

/** The summaries of one level. Each entry covers `pages` pages. */
interface Level {
  readonly pages: number
  readonly start: Int32Array
  readonly most: Int32Array
  readonly end: Int32Array
}

/** Which pages of a heap are in use. Page numbers begin at 0. */
export class PageMap {
  /** The bits: 1 means in use. */
  readonly #bits: Int32Array
  /** From the chunks up to one summary of all. */
  readonly #levels: readonly Level[]
  #used = 0

  /** A map of `count` pages. All of them are free. */
  constructor(count: number) {
    const chunks = Math.ceil(count / chunkPages)
    this.#bits = new Int32Array(chunks * chunkWords)
    const levels: Level[] = []
    for (let n = chunks, pages = chunkPages; ; n = Math.ceil(n / fan), pages *= fan) {
      levels.push({ pages, start: new Int32Array(n), most: new Int32Array(n), end: new Int32Array(n) })
      if (n === 1) break
    }
    this.#levels = levels
    // What the last chunk has beyond the heap's end is in use for ever.
    this.#write(count, chunks * chunkPages - count, true)
    this.#summarize(0, chunks - 1)
  }

  /** Pages in use. */
  get used(): number {
    return this.#used
  }

  /** Its own bytes. */
  get bytes(): number {
    return this.#levels.reduce((sum, { start }) => sum + 3 * start.byteLength, this.#bits.byteLength)
  }

  /** The first page of the lowest run of `n` free pages; -1: there is no such run. */
  find(n: number): number {
    let from = 0
    for (let i = this.#levels.length - 1; i >= 0; i--) {
      const level = this.#levels[i] as Level
      const to = Math.min(from + fan, level.start.length)
      const found = this.#findIn(level, from, to, n)
      if (found < 0) return -1
      if (found % 2 === 0) return found / 2
      from = i === 0 ? (found - 1) / 2 : ((found - 1) / 2) << fanShift
    }
    return this.#findInChunk(from, n)
  }

  /**
   * Looks for a run of `n` among the entries [from, to) of a level. Even: twice the page where a run begins that
   * crosses entries. Odd: twice the entry that has one inside, and 1. -1: there is none.
   */
  #findIn({ pages, start, most, end }: Level, from: number, to: number, n: number): number {
    let run = 0
    for (let i = from; i < to; i++) {
      const before = start[i] as number
      if (run + before >= n) return 2 * (i * pages - run)
      if ((most[i] as number) >= n) return 2 * i + 1
      run = before === pages ? run + pages : (end[i] as number)
    }
    return -1
  }

  #findInChunk(chunk: number, n: number): number {
    let run = 0
    const first = chunk * chunkWords
    for (let i = first; i < first + chunkWords; i++) {
      let bits = this.#bits[i] as number
      for (let at = 0; at < 32;) {
        const free = bits === 0 ? 32 - at : Math.min(lowestBit(bits), 32 - at)
        run += free
        if (run >= n) return (i << 5) + at + free - run
        at += free
        if (at >= 32) break
        bits = free === 0 ? bits : bits >>> free
        const used = ~bits === 0 ? 32 - at : Math.min(lowestBit(~bits), 32 - at)
        run = 0
        at += used
        bits = used === 32 ? 0 : bits >>> used
      }
    }
    return -1
  }

  /** Whether a page is in use. */
  has(page: number): boolean {
    return ((this.#bits[page >>> 5] as number) & (1 << page)) !== 0
  }

  /** Whether all of [page, page + n) is free. */
  isFree(page: number, n: number): boolean {
    for (let at = page; at < page + n;) {
      if ((at & 31) === 0 && at + 32 <= page + n) {
        if (this.#bits[at >>> 5] !== 0) return false
        at += 32
      } else if (this.has(at)) return false
      else at += 1
    }
    return true
  }

  /** Marks [page, page + n) as in use. All of it was free. */
  take(page: number, n: number): void {
    this.#write(page, n, true)
    this.#used += n
    this.#summarize(Math.floor(page / chunkPages), Math.floor((page + n - 1) / chunkPages))
  }

  /** Marks [page, page + n) as free. All of it was in use. */
  give(page: number, n: number): void {
    this.#write(page, n, false)
    this.#used -= n
    this.#summarize(Math.floor(page / chunkPages), Math.floor((page + n - 1) / chunkPages))
  }

  /** The page after the last one below `limit` that is in use. */
  usedEnd(limit: number): number {
    let page = limit
    while (page > 0 && (page & 31) !== 0) {
      if (this.has(page - 1)) return page
      page -= 1
    }
    for (let word = (page >>> 5) - 1; word >= 0; word--) {
      const bits = this.#bits[word] as number
      if (bits !== 0) return (word << 5) + 32 - Math.clz32(bits)
    }
    return 0
  }

  #write(page: number, n: number, used: boolean): void {
    const bits = this.#bits
    for (let at = page; at < page + n;) {
      const count = Math.min(32 - (at & 31), page + n - at)
      const mask = (count === 32 ? -1 : (1 << count) - 1) << (at & 31)
      const word = at >>> 5
      bits[word] = used ? (bits[word] as number) | mask : (bits[word] as number) & ~mask
      at += count
    }
  }

  /** Writes the summaries of the chunks [first, last], and of what is above them. */
  #summarize(first: number, last: number): void {
    for (let chunk = first; chunk <= last; chunk++) this.#summarizeChunk(chunk)
    for (let i = 1; i < this.#levels.length; i++) {
      first >>= fanShift
      last >>= fanShift
      for (let at = first; at <= last; at++) join(this.#levels[i - 1] as Level, this.#levels[i] as Level, at)
    }
  }

  #summarizeChunk(chunk: number): void {
    const { start, most, end } = this.#levels[0] as Level
    let run = 0
    let longest = 0
    let opening = -1
    const first = chunk * chunkWords
    for (let i = first; i < first + chunkWords; i++) {
      const bits = this.#bits[i] as number
      if (bits === 0) {
        run += 32
        continue
      }
      run += lowestBit(bits)
      if (opening < 0) opening = run
      longest = Math.max(longest, run, longestInside(bits, longest))
      run = Math.clz32(bits)
    }
    start[chunk] = opening < 0 ? run : opening
    most[chunk] = Math.max(longest, run)
    end[chunk] = run
  }
}

/** The longest run of zero bits between two that are set. No longer than `known`: some number up to that. */
function longestInside(bits: number, known: number): number {
  const from = lowestBit(bits)
  const width = 32 - Math.clz32(bits) - from
  if (width <= known) return 0
  // A run of zeroes becomes shorter by one with each turn, when every 1 spreads to its neighbour.
  let inner = (bits >>> from) | 0
  const full = width === 32 ? -1 : ~(-1 << width)
  let longest = 0
  while (inner !== full) {
    inner |= (inner << 1) & full
    longest += 1
  }
  return longest
}

/** Joins eight entries of `below` into the entry `at` of `above`. */
function join(below: Level, above: Level, at: number): void {
  const from = at << fanShift
  const to = Math.min(from + fan, below.start.length)
  let run = 0
  let longest = 0
  let opening = -1
  for (let i = from; i < to; i++) {
    const before = below.start[i] as number
    if (before === below.pages) {
      run += below.pages
      continue
    }
    run += before
    if (opening < 0) opening = run
    longest = Math.max(longest, run, below.most[i] as number)
    run = below.end[i] as number
  }
  above.start[at] = opening < 0 ? run : opening
  above.most[at] = Math.max(longest, run)
  above.end[at] = run
}
