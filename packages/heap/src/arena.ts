// An arena: the spans that serve allocations between a mark and its release. Arenas nest. The lowest one is for what
// is allocated outside of all marks. Which span serves a class, and which spans have room, is known for each arena.
import { PageSet } from './page-set.js'
import { classesMax } from './size-classes.js'

/** Numbers of a class in `current`. */
export const currentStride = 4
/** The word of the bitmap that serves allocations; 0: there is none. */
export const atWord = 0
/** The handle of the object of that word's lowest bit. */
export const atHandle = 1
/** Units of an object. */
export const atUnits = 2
/** The span's first page; 0: there is none. */
export const atSpan = 3

const firstSpans = 64

/** What is known of one arena. */
export class Arena {
  /** By class: what serves the next allocation. */
  readonly current: Int32Array = new Int32Array((classesMax + 1) * currentStride)
  /** By class: an empty span that is kept; 0: there is none. It may have been taken into use since. */
  readonly spare: Int32Array = new Int32Array(classesMax + 1)
  /** The mark that opened it. */
  mark = 0
  /** First pages of its spans and large objects, in the order of their making. Some were given back since. */
  list: Int32Array = new Int32Array(firstSpans)
  listed = 0
  readonly #pages: number
  readonly #sets: (PageSet | undefined)[] = []

  /** An arena of a heap of `pages` pages. */
  constructor(pages: number) {
    this.#pages = pages
  }

  /** Its own bytes. */
  get bytes(): number {
    const sets = this.#sets.reduce((sum, set) => sum + (set?.bytes ?? 0), 0)
    return sets + this.current.byteLength + this.spare.byteLength + this.list.byteLength
  }

  /** The spans of a class that have room. */
  roomy(sizeClass: number): PageSet {
    return (this.#sets[sizeClass] ??= new PageSet(this.#pages))
  }

  /** Remembers a span, so that `release` finds it. False: the list is full. */
  note(page: number): boolean {
    if (this.listed === this.list.length) return false
    this.list[this.listed] = page
    this.listed += 1
    return true
  }

  /** Makes the list longer. */
  lengthen(): void {
    const longer = new Int32Array(this.list.length * 2)
    longer.set(this.list)
    this.list = longer
  }

  /** Forgets all. */
  clear(): void {
    this.current.fill(0)
    this.spare.fill(0)
    this.listed = 0
    for (const set of this.#sets) set?.clear()
  }
}
