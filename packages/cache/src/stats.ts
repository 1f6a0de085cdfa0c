// What a cache tells of itself.

/** The figures of a cache. */
export interface CacheStats {
  /** Entries, with those that expired and were not met since. */
  readonly entries: number
  /** Bytes of all entries: 24 of header, key and value, each rounded to the heap's size. At most `maximum`. */
  readonly bytes: number
  /** The most bytes of all entries. */
  readonly maximum: number
  /** Calls of `get` and `read` that found a value. */
  readonly hits: number
  /** Calls of `get` and `read` that found none. */
  readonly misses: number
  /** `hits / (hits + misses)`; 0 before the first read. */
  readonly hitRate: number
  /** Values that were stored. */
  readonly sets: number
  /** Values that were not stored: larger than `maximum`, or the OS refused. */
  readonly refusals: number
  /** Entries that made room for others. */
  readonly evictions: number
  /** Entries that were met after their time, and went. */
  readonly expirations: number
  /** Bytes of pages that the entries' objects have. */
  readonly used: number
  /** Bytes of those pages that no entry has. */
  readonly waste: number
  /** Bytes of the index and of the heap's own, on the JavaScript side. */
  readonly metadata: number
}

/** Counts that a cache keeps. */
export class Counts {
  hits = 0
  misses = 0
  sets = 0
  refusals = 0
  expirations = 0
}
