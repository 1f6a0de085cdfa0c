// What a handle of a shared heap means: a look at the words, which changes none.
import { classes, classesMax, pageBytes, pageShift, unitBytes } from '../size-classes.js'
import { indexOf } from './bitmaps.js'
import { aboveShift, END, kindMask, LARGE, mapWords, PART, type Layout } from './layout.js'

/** Whether a value can be a handle. */
export function isHandle(value: number): boolean {
  return typeof value === 'number' && value === (value | 0) && value >= 0
}

/** The objects of a heap, by their handles. */
export class Objects {
  readonly #words: Int32Array
  readonly #pagesAt: number
  readonly #mapsAt: number
  readonly #count: number

  constructor(words: Int32Array, { pagesAt, mapsAt, pages }: Layout) {
    this.#words = words
    this.#pagesAt = pagesAt
    this.#mapsAt = mapsAt
    this.#count = pages
  }

  /** The bytes of the object at `handle`; 0: no object that is in use begins there. */
  sizeOf(handle: number): number {
    if (!isHandle(handle)) return 0
    const own = handle >>> pageShift
    const page = this.#firstOf(own)
    const word = page < this.#count ? (this.#words[this.#pagesAt + page] as number) : 0
    const kind = word & kindMask
    const offset = handle - (page << pageShift)
    if (kind === LARGE) return offset === 0 ? (word >>> aboveShift) * pageBytes : 0
    if (kind === 0 || kind > classesMax) return 0
    const index = indexOf(kind, offset)
    if (index < 0) return 0
    const bits = this.#words[this.#mapsAt + page * mapWords + (index >>> 5)] as number
    return (bits & (1 << index)) === 0 ? 0 : (classes.units[kind] as number) * unitBytes
  }

  /** Whether an object that is free now can begin at `handle`. For the text of an error. */
  isFree(handle: number): boolean {
    if (!isHandle(handle) || handle === 0) return false
    const own = handle >>> pageShift
    const page = this.#firstOf(own)
    if (page >= this.#count) return false
    const kind = (this.#words[this.#pagesAt + page] as number) & kindMask
    if (kind === 0) return own < Atomics.load(this.#words, END)
    return kind <= classesMax && indexOf(kind, handle - (page << pageShift)) >= 0
  }

  /** The first page of the span that a page is part of. */
  #firstOf(page: number): number {
    const word = page < this.#count ? (this.#words[this.#pagesAt + page] as number) : 0
    return (word & kindMask) === PART ? page - (word >>> aboveShift) : page
  }
}
