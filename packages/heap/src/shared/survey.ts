// A look at all pages of a shared heap: what it has, and whether that fits together. Other threads go on meanwhile, so
// figures are those of a moment that is over. What does not fit is looked at again before it is called broken.
import { FatalError } from '@memlayer/core'
import { bytesOfClass, classes, classesMax, pageBytes } from '../size-classes.js'
import type { ClassStats } from '../stats.js'
import {
  aboveShift,
  CLAIMED,
  END,
  FREE,
  kindMask,
  LARGE,
  LARGE_PART,
  mapWords,
  orphanage,
  PART,
  type Layout,
} from './layout.js'
import { pagesOf } from './pages.js'
import type { Slots } from './slots.js'

/** What does not fit is looked at so many times. */
const looksMax = 50

/** The figures of a shared heap, as all threads have it. */
export interface SharedHeapStats {
  /** The most bytes that objects may have. */
  readonly maximum: number
  /** Bytes that are Ready: all of them, from the start. */
  readonly ready: number
  /** Bytes of pages that spans and large objects have. */
  readonly used: number
  /** Bytes of objects in use, each with the size of its class. */
  readonly live: number
  /** Objects in use. */
  readonly objects: number
  /** Bytes in spans that no object in use has: `used - live`. */
  readonly waste: number
  /** Bytes of free pages that were in use before. They keep their memory until `destroy`. */
  readonly retained: number
  /** Bytes that the heap itself takes in front of its objects. Few of them are ever touched. */
  readonly metadata: number
  /** Threads that have it. */
  readonly threads: number
  /** Spans. */
  readonly spans: number
  /** Spans of threads that have ended. Another thread takes them into use when it needs one. */
  readonly orphans: number
  /** Size classes that have spans, by size. */
  readonly classes: readonly ClassStats[]
  /** Large objects, and the bytes of their pages. */
  readonly large: { readonly objects: number; readonly bytes: number }
}

/** The figures of a heap. */
export function surveyOf(words: Int32Array, layout: Layout, slots: Slots): SharedHeapStats {
  const byClass = new Map<number, { size: number; spans: number; objects: number; free: number }>()
  const large = { objects: 0, bytes: 0 }
  let [used, live, objects, spans, orphans] = [0, 0, 0, 0, 0]
  for (let page = 1, n = 1; page < endOf(words, layout); page += n) {
    const word = Atomics.load(words, layout.pagesAt + page)
    const kind = word & kindMask
    n = pagesOf(word)
    if (kind === LARGE) {
      large.objects += 1
      large.bytes += n * pageBytes
    } else if (kind !== FREE && kind <= classesMax) {
      const size = bytesOfClass(kind)
      const entry = byClass.get(kind) ?? { size, spans: 0, objects: 0, free: 0 }
      byClass.set(kind, entry)
      const inUse = objectsIn(words, layout, page, kind)
      entry.spans += 1
      entry.objects += inUse
      entry.free += (classes.objects[kind] as number) - inUse
      spans += 1
      if (word >>> aboveShift === orphanage) orphans += 1
      live += inUse * size
      objects += inUse
    }
    if (kind !== FREE) used += n * pageBytes
  }
  return {
    maximum: layout.pages * pageBytes,
    ready: words.length === 0 ? 0 : layout.size,
    used,
    live: live + large.bytes,
    objects: objects + large.objects,
    waste: used - live - large.bytes,
    retained: Math.max(0, (endOf(words, layout) - 1) * pageBytes - used),
    metadata: layout.head,
    threads: words.length === 0 ? 0 : slots.live,
    spans,
    orphans,
    classes: [...byClass.values()].sort((a, b) => a.size - b.size),
    large,
  }
}

/** The page after the last one that was ever claimed. */
function endOf(words: Int32Array, { pages }: Layout): number {
  return Math.min(words[END] ?? 0, pages)
}

/** Objects in use of the span at a page. */
function objectsIn(words: Int32Array, { mapsAt }: Layout, page: number, sizeClass: number): number {
  const map = mapsAt + page * mapWords
  const count = classes.words[sizeClass] as number
  let bits = count * -32 + (classes.objects[sizeClass] as number)
  for (let i = 0; i < count; i++) bits += bitsIn(words[map + i] as number)
  return bits
}

function bitsIn(word: number): number {
  let bits = 0
  for (let rest = word; rest !== 0; rest &= rest - 1) bits += 1
  return bits
}

/** Looks at every page. @throws FatalError when the words of a page do not fit together, and stay so. */
export function audit(words: Int32Array, layout: Layout, slots: Slots, name: string): void {
  for (let page = 1, n = 1; page < endOf(words, layout); page += n) {
    let wrong: string | null = null
    for (let looks = 0; looks < looksMax; looks++) {
      const word = Atomics.load(words, layout.pagesAt + page)
      wrong = wrongAt(words, layout, slots, page, word)
      n = pagesOf(word)
      if (wrong === null) break
    }
    if (wrong !== null)
      throw new FatalError(`heap: the page ${page} of the heap '${name}' is broken: ${wrong}`, { op: 'check' })
  }
}

/** What is wrong with the span, the large object or the free page at `page`; null: nothing. */
function wrongAt(words: Int32Array, layout: Layout, slots: Slots, page: number, word: number): string | null {
  const kind = word & kindMask
  const above = word >>> aboveShift
  if (kind === FREE) return word === 0 ? null : 'it is free, and has an owner'
  if (kind === CLAIMED) return slots.isInUse(above) ? null : `no thread has the slot ${above} that has claimed it`
  if (kind === LARGE) return wrongParts(words, layout, page, above, true)
  if (kind > classesMax)
    return isBehindClaim(words, layout, page) ? null : `its word is ${word}, and no object begins before it`
  if (above !== orphanage && !slots.isInUse(above)) return `no thread has the slot ${above} that owns it`
  return wrongParts(words, layout, page, classes.pages[kind] as number, false)
}

/** What is wrong with the further pages of a span, or of a large object. */
function wrongParts(
  words: Int32Array,
  { pagesAt, pages }: Layout,
  page: number,
  n: number,
  isLarge: boolean,
): string | null {
  if (page + n > pages) return `its ${n} pages end beyond the heap`
  for (let i = 1; i < n; i++) {
    const found = words[pagesAt + page + i] as number
    if (found !== (isLarge ? LARGE_PART : PART | (i << aboveShift))) return `the word of its page ${i} is ${found}`
  }
  return null
}

/** Whether a part belongs to what a thread has claimed: it makes it, or frees it. */
function isBehindClaim(words: Int32Array, { pagesAt }: Layout, page: number): boolean {
  for (let at = page - 1; at > 0; at--) {
    const kind = (words[pagesAt + at] as number) & kindMask
    if (kind !== PART && kind !== LARGE_PART) return kind === CLAIMED
  }
  return false
}
