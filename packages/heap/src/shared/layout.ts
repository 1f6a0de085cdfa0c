// Where what all threads know of a shared heap lies in its region: words of 32 bits in front of the pages with the
// objects. The typed arrays that people hold begin behind them, so no index of theirs reaches a word.
//
//   header | slots, one for each thread | a word for each page | a pin for each page | hints, one bitmap for each slot
//   | bitmaps of objects
//
// A page's word is its kind in the low 8 bits, and above them what the kind needs. It changes by compareExchange, or
// by a store of the thread that has claimed it.
import { alignUp } from '@memlayer/core'
import { classesMax, pageBytes } from '../size-classes.js'

/** Words of the header. */
const headerWords = 64
/** The marks of a heap. A region that is something else does not have both by chance. */
export const marks: readonly number[] = [0x6d6c6865, 0x61703032]
/** Places in the header. The first two have the marks. */
export const PAGES = 2
export const SLOTS = 3
/** Below this page no page is free, as far as is known. */
export const LOW = 4
/** No page from here on was ever claimed. */
export const END = 5

/** Words of a slot: a line of the processor's cache. */
export const slotWords = 16
/** The bitmap of a span has at most so many words: 1024 objects. */
export const mapWords = 32

/** Kinds of pages. From 1 to 88 it is the first page of a span of that class, and above is the slot that owns it. */
export const FREE = 0
/** A thread is about to make it something, or to free it. Above is the thread's slot. */
export const CLAIMED = 100
/** The first page of a large object. Above is how many pages that has. */
export const LARGE = 101
/** A further page of a span. Above is how many pages it is from the first. */
export const PART = 102
/** A further page of a large object. */
export const LARGE_PART = 103

/** What is above the kind. */
export const aboveShift = 8
export const kindMask = 255

/** The class of the span whose first page has a word; 0: no span begins there. */
export function classIn(word: number): number {
  const kind = word & kindMask
  return kind <= classesMax ? kind : 0
}

/** The slot that owns the spans of threads that have ended. No thread has it. */
export const orphanage = 0

/** Where the parts of a heap's region begin. Words count from the start of the region. */
export interface Layout {
  readonly pages: number
  /** Slots, that of the orphans included. */
  readonly slots: number
  /** Where the slots begin: the word. */
  readonly slotsAt: number
  /** Where the words of the pages begin. */
  readonly pagesAt: number
  /** Where the pins begin, one for each page: see pins.ts. */
  readonly pinsAt: number
  /** Where the hints begin, and the words of one slot's: first the summary, then the bits. */
  readonly hintsAt: number
  readonly hintWords: number
  readonly summaryWords: number
  /** Where the bitmaps of objects begin: 32 words for each page. */
  readonly mapsAt: number
  /** Bytes in front of the pages. */
  readonly head: number
  /** Bytes of all. */
  readonly size: number
}

/** The layout of a heap of `pages` pages that `slots` threads may have, on a system with pages of `osPage` bytes. */
export function layoutOf(pages: number, threads: number, osPage: number): Layout {
  const slots = threads + 1
  const summaryWords = Math.ceil(pages / 1024)
  const hintWords = summaryWords + Math.ceil(pages / 32)
  const slotsAt = headerWords
  const pagesAt = slotsAt + slots * slotWords
  const pinsAt = pagesAt + pages
  const hintsAt = pinsAt + pages
  const mapsAt = hintsAt + slots * hintWords
  const head = alignUp((mapsAt + pages * mapWords) * 4, Math.max(osPage, pageBytes))
  return {
    pages,
    slots,
    slotsAt,
    pagesAt,
    pinsAt,
    hintsAt,
    hintWords,
    summaryWords,
    mapsAt,
    head,
    size: head + pages * pageBytes,
  }
}

/** The layout that the header of a region tells; null: it is not a heap's. */
export function layoutIn(words: Int32Array, size: number, osPage: number): Layout | null {
  if (words[0] !== marks[0] || words[1] !== marks[1]) return null
  const [pages = 0, slots = 0] = [words[PAGES], words[SLOTS]]
  if (pages < 2 || slots < 2) return null
  const layout = layoutOf(pages, slots - 1, osPage)
  return layout.size <= size ? layout : null
}

/** Writes the header of a region that is zero. */
export function writeHeader(words: Int32Array, { pages, slots }: Layout): void {
  words[PAGES] = pages
  words[SLOTS] = slots
  // Handle 0 is never an object, so page 0 is never free.
  words[LOW] = 1
  words[END] = 1
  words.set(marks)
}
