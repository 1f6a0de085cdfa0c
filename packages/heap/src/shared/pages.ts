// The pages of a shared heap: claiming runs of free ones, and freeing them. A run is claimed page by page, its first
// page first. A thread that ends in the middle leaves a first page that names its slot, and behind it the others in
// one piece. So the sweep finds all of them: see `giveUp` in spans.ts.
import { classes, classesMax } from '../size-classes.js'
import {
  aboveShift,
  CLAIMED,
  classIn,
  END,
  FREE,
  kindMask,
  LARGE,
  LARGE_PART,
  LOW,
  orphanage,
  PART,
  type Layout,
} from './layout.js'
import type { Pins } from './pins.js'

/** Looks for pages while other threads are about to free some. */
const triesMax = 4

/** The pages of a heap, as the thread of one slot claims them. */
export class SharedPages {
  readonly #words: Int32Array
  readonly #at: number
  readonly #count: number
  readonly #claim: number
  readonly #pins: Pins
  /** Whether the last look met pages that another thread has claimed. They may be free in a moment. */
  #sawClaims = false

  constructor(words: Int32Array, { pagesAt, pages }: Layout, slot: number, pins: Pins) {
    this.#words = words
    this.#at = pagesAt
    this.#count = pages
    this.#claim = CLAIMED | (slot << aboveShift)
    this.#pins = pins
  }

  /** The page after the last one that was ever claimed. */
  get end(): number {
    return Math.min(Atomics.load(this.#words, END), this.#count)
  }

  /** The word of a page. */
  word(page: number): number {
    return Atomics.load(this.#words, this.#at + page)
  }

  /** The slot that owns the span at a page; -1: no span begins there now. */
  ownerOf(page: number): number {
    const word = this.word(page)
    return classIn(word) > 0 ? word >>> aboveShift : -1
  }

  /** Changes the word of a page. False: another thread was faster. */
  change(page: number, from: number, to: number): boolean {
    return Atomics.compareExchange(this.#words, this.#at + page, from, to) === from
  }

  /** What stands at a first page that this thread has claimed, or at a span that it owns. */
  become(page: number, word: number): void {
    Atomics.store(this.#words, this.#at + page, word)
  }

  /**
   * Claims a run of `n` free pages, the lowest that is found. The further ones are parts of a span, or of a large
   * object. Returns the first; 0: there is no such run.
   */
  claim(n: number, isLarge: boolean): number {
    for (let tries = 0; tries < triesMax; tries++) {
      const low = Math.min(Math.max(Atomics.load(this.#words, LOW), 1), this.#count)
      this.#sawClaims = false
      let page = this.#claimFrom(low, n, isLarge)
      if (page === 0) {
        page = this.#claimFrom(1, n, isLarge)
        if (page > 0) this.#lower(page)
      }
      if (page > 0 || !this.#sawClaims) return page
    }
    return 0
  }

  #claimFrom(from: number, n: number, isLarge: boolean): number {
    const words = this.#words
    const end = this.#count
    let lowest = -1
    let run = 0
    for (let page = from; page < end;) {
      const word = words[this.#at + page] as number
      if (word !== FREE) {
        run = 0
        page += this.#lengthAt(word)
        continue
      }
      if (lowest < 0) lowest = page
      run += 1
      page += 1
      if (run < n) continue
      const first = page - n
      const failed = this.#claimRun(first, n, isLarge)
      if (failed < 0) {
        this.#raise(from, lowest === first ? page : lowest)
        return first
      }
      run = 0
      page = failed + 1
    }
    return 0
  }

  /** How many pages need no look. */
  #lengthAt(word: number): number {
    const kind = word & kindMask
    if (kind === CLAIMED) this.#sawClaims = true
    return pagesOf(word)
  }

  /** Claims [first, first + n). Returns -1, or the page that another thread has claimed. */
  #claimRun(first: number, n: number, isLarge: boolean): number {
    const words = this.#words
    const at = this.#at + first
    // A sweep looks at the pages below the end, so that comes first.
    for (let end = this.end; end < first + n; end = this.end) void Atomics.compareExchange(words, END, end, first + n)
    if (Atomics.compareExchange(words, at, FREE, this.#claim) !== FREE) return first
    // Who pinned it when it was free lets go without a bit. Who has pinned it before may set one.
    if (!isLarge && this.#pins.has(first)) {
      this.free(first, 1)
      return first
    }
    for (let i = 1; i < n; i++) {
      const part = isLarge ? LARGE_PART : PART | (i << aboveShift)
      if (Atomics.compareExchange(words, at + i, FREE, part) === FREE) continue
      this.free(first, i)
      return first + i
    }
    return -1
  }

  /**
   * Frees a run of pages whose first this thread has claimed, or owns. The last goes first, so that what is left is in
   * one piece behind the first, which goes last.
   */
  free(first: number, n: number): void {
    const words = this.#words
    const at = this.#at + first
    if (n > 1) Atomics.store(words, at, this.#claim)
    for (let i = n - 1; i > 0; i--) Atomics.store(words, at + i, FREE)
    Atomics.store(words, at, FREE)
    this.#lower(first)
  }

  /** Frees a span of `n` pages that has no object, if its first page still has `word`. */
  freeSpan(first: number, word: number, n: number): void {
    if (this.change(first, word, this.#claim)) this.free(first, n)
  }

  /** Calls `visit` with the class, the first page and the word of each span, until it returns true. */
  eachSpan(visit: (sizeClass: number, page: number, word: number) => boolean): void {
    const { end } = this
    for (let page = 1; page < end;) {
      const word = this.word(page)
      const sizeClass = classIn(word)
      // A span that is freed meanwhile may leave its place to smaller ones.
      page += sizeClass > 0 && visit(sizeClass, page, word) ? end : pagesOf(word)
    }
  }

  /** Frees what a thread had claimed whose slot this thread sweeps. */
  freeClaimedBy(slot: number): void {
    const claim = CLAIMED | (slot << aboveShift)
    const { end } = this
    for (let page = 1; page < end;) {
      const word = this.word(page)
      if (word === claim) this.#freeClaimed(page, claim)
      page += pagesOf(word)
    }
  }

  /** Frees the first page of what was claimed, and what is left behind it. */
  #freeClaimed(page: number, claim: number): void {
    if (!this.change(page, claim, this.#claim)) return
    let n = 1
    for (; page + n < this.#count; n++) {
      const word = this.word(page + n)
      if (word !== LARGE_PART && word !== (PART | (n << aboveShift))) break
    }
    this.free(page, n)
  }

  /** This page is free, and may be the lowest. */
  #lower(page: number): void {
    for (let low = Atomics.load(this.#words, LOW); page < low; low = Atomics.load(this.#words, LOW))
      if (Atomics.compareExchange(this.#words, LOW, low, page) === low) return
  }

  /** No page from `from` to `page` was free. A page that became free meanwhile is found when others are used up. */
  #raise(from: number, page: number): void {
    if (page > from) void Atomics.compareExchange(this.#words, LOW, from, page)
  }
}

/** The pages of what begins with a word. */
export function pagesOf(word: number): number {
  const kind = word & kindMask
  const n = kind === LARGE ? word >>> aboveShift : kind <= classesMax ? (classes.pages[kind] as number) : 1
  // A free page is one. Without this, words that a program has overwritten would hold up who reads them for ever.
  return Math.max(n, 1)
}

/** The word of the first page of a span whose thread has ended. */
export function orphanOf(sizeClass: number): number {
  return sizeClass | (orphanage << aboveShift)
}

/** Whether it is the word of such a span. */
export function isOrphan(word: number): boolean {
  return classIn(word) > 0 && word >>> aboveShift === orphanage
}
