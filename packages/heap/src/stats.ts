// What a heap tells of itself.
import type { PageHeap } from './page-heap.js'
import type { Room } from './room.js'
import { bytesOfClass, pageBytes } from './size-classes.js'
import type { Spans } from './spans.js'

/** The objects of one size. */
export interface ClassStats {
  /** Bytes of an object. */
  readonly size: number
  /** Spans of the class. */
  readonly spans: number
  /** Objects in use. */
  readonly objects: number
  /** Objects that the spans have room for besides. */
  readonly free: number
}

/** The figures of a heap. */
export interface HeapStats {
  /** The most bytes it may have. */
  readonly maximum: number
  /** Bytes that are Ready. */
  readonly ready: number
  /** Bytes of pages that spans and large objects have. */
  readonly used: number
  /** Bytes of objects in use, each with the size of its class. */
  readonly live: number
  /** Objects in use. */
  readonly objects: number
  /** Of a checked heap: freed objects that wait before their places serve again, and the bytes of those. */
  readonly waiting: { readonly objects: number; readonly bytes: number }
  /** Bytes in spans that no object in use has: `used - live`. */
  readonly waste: number
  /** Bytes of pages without objects that may still have memory. `scavenge` gives them back. */
  readonly retained: number
  /** Bytes that the heap itself needs, on the JavaScript side. */
  readonly metadata: number
  /** Spans. */
  readonly spans: number
  /** Size classes that have spans, by size. */
  readonly classes: readonly ClassStats[]
  /** Large objects, and the bytes of their pages. */
  readonly large: { readonly objects: number; readonly bytes: number }
}

/** The figures of a heap, by its parts. */
export function statsOf(
  room: Room,
  pages: PageHeap,
  spans: Spans,
  waiting: HeapStats['waiting'] = { objects: 0, bytes: 0 },
): HeapStats {
  const classes = new Map<number, { size: number; spans: number; objects: number; free: number }>()
  const large = { objects: 0, bytes: 0 }
  let [live, objects, count] = [0, 0, 0]
  for (const figures of spans.table.all(pages.end)) {
    const { sizeClass, free } = figures
    if (sizeClass === 0) {
      large.objects += 1
      large.bytes += figures.pages * pageBytes
      continue
    }
    const size = bytesOfClass(sizeClass)
    const entry = classes.get(sizeClass) ?? { size, spans: 0, objects: 0, free: 0 }
    classes.set(sizeClass, entry)
    count += 1
    entry.spans += 1
    entry.objects += figures.objects - free
    entry.free += free
    live += (figures.objects - free) * size
    objects += figures.objects - free
  }
  const used = pages.used * pageBytes
  live += large.bytes - waiting.bytes
  objects += large.objects - waiting.objects
  return {
    maximum: room.size,
    ready: room.ready,
    used,
    live,
    objects,
    waiting,
    waste: used - live,
    retained: pages.retained,
    metadata: pages.bytes + spans.bytes,
    spans: count,
    classes: [...classes].sort(([a], [b]) => a - b).map(([, entry]) => entry),
    large,
  }
}
