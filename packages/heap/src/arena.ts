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
  /** By class: a span that has room since a short time; 0: there is none. The others are in the sets. */
  readonly #first = new Int32Array(classesMax + 1)
  readonly #sets: (PageSet | undefined)[] = Array.from({ length: classesMax + 1 }, () => undefined)

  /** Its own bytes. */
  get bytes(): number {
    const sets = this.#sets.reduce((sum, set) => sum + (set?.bytes ?? 0), 0)
    return sets + this.current.byteLength + 2 * this.spare.byteLength + this.list.byteLength
  }

  /** A span that is not current has room now. */
  addRoomy(sizeClass: number, span: number): void {
    const first = this.#first[sizeClass] as number
    if (first === 0) this.#first[sizeClass] = span
    else {
      this.#first[sizeClass] = Math.min(first, span)
      const set = (this.#sets[sizeClass] ??= new PageSet())
      set.add(Math.max(first, span))
    }
  }

  /** Takes out a span that has room: the one that had none before, or the lowest. -1: there is none. */
  takeRoomy(sizeClass: number): number {
    const first = this.#first[sizeClass] as number
    if (first !== 0) {
      this.#first[sizeClass] = 0
      return first
    }
    const set = this.#sets[sizeClass]
    const span = set === undefined ? -1 : set.lowest()
    if (span >= 0) set?.delete(span)
    return span
  }

  /** A span is no longer one that has room. */
  deleteRoomy(sizeClass: number, span: number): void {
    if (this.#first[sizeClass] === span) this.#first[sizeClass] = 0
    else this.#sets[sizeClass]?.delete(span)
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
    this.#first.fill(0)
    this.listed = 0
    for (const set of this.#sets) set?.clear()
  }
}
