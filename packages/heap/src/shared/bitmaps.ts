// The bitmaps of the spans of a shared heap: a bit for each object, 1 means in use. Bits beyond the last object are 1
// for ever, so a word without a free object is -1. Who may change a bit: see spans.ts.
import { classes } from '../size-classes.js'
import { mapWords, type Layout } from './layout.js'

/** Bits beyond the last object, in the last word of a class's bitmap. */
const beyond: Int32Array = /* @__PURE__ */ Int32Array.from(classes.objects, (objects) =>
  objects % 32 === 0 ? 0 : -1 << objects,
)

/** The index of the object of a class that begins at an offset in units of its span; -1: none begins there. */
export function indexOf(sizeClass: number, offset: number): number {
  const units = classes.units[sizeClass] as number
  const index = Math.floor(offset / units)
  return index * units === offset && index < (classes.objects[sizeClass] as number) ? index : -1
}

/** Whether a word of a span's bitmap has, or had, the bit of one object and nothing else. */
export function isLast(sizeClass: number, word: number, bit: number): boolean {
  return word === bit || word === ((beyond[sizeClass] as number) | bit)
}

/** The bitmaps of a heap. Spans are named by their first pages. */
export class Bitmaps {
  readonly #words: Int32Array
  readonly #at: number

  constructor(words: Int32Array, { mapsAt }: Layout) {
    this.#words = words
    this.#at = mapsAt
  }

  /** Where the bitmap of a span begins: the word. */
  of(page: number): number {
    return this.#at + page * mapWords
  }

  /** All objects of a span that is about to be made are free. */
  begin(sizeClass: number, page: number): void {
    const map = this.of(page)
    const count = classes.words[sizeClass] as number
    this.#words.fill(0, map, map + count)
    this.#words[map + count - 1] = beyond[sizeClass] as number
  }

  /** The free objects of the word `i` of a span, as bits. Its owner asks. */
  free(sizeClass: number, page: number, i: number): number {
    const at = this.of(page) + i
    const used = Atomics.load(this.#words, at)
    const always = this.#always(sizeClass, i)
    // A free of what is free can hit a span that was made there meanwhile, and a bit beyond its last object.
    if ((used & always) !== always) void Atomics.or(this.#words, at, always)
    return ~(used | always)
  }

  #always(sizeClass: number, i: number): number {
    return i === (classes.words[sizeClass] as number) - 1 ? (beyond[sizeClass] as number) : 0
  }

  /** Whether no object of a span is in use. Only the thread that has pinned it can make that untrue. */
  isEmpty(sizeClass: number, page: number): boolean {
    const map = this.of(page)
    const last = map + (classes.words[sizeClass] as number) - 1
    for (let at = map; at < last; at++) if (Atomics.load(this.#words, at) !== 0) return false
    return (Atomics.load(this.#words, last) & ~(beyond[sizeClass] as number)) === 0
  }

  /** Whether an object of a span is free. */
  hasRoom(sizeClass: number, page: number): boolean {
    const map = this.of(page)
    const count = classes.words[sizeClass] as number
    for (let i = 0; i < count; i++)
      if (~(Atomics.load(this.#words, map + i) | this.#always(sizeClass, i)) !== 0) return true
    return false
  }
}
