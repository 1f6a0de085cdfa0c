// Heaps and caches that live in memory of the layer. Any object with a stats() will do, so this package needs neither
// @memlayer/heap nor @memlayer/cache.

/** What is asked of a heap or of a cache. */
export interface StoreFigures {
  /** Its figures now, as plain data. */
  stats(): object
}

/** A heap or a cache in a snapshot. */
export interface SnapshotStore {
  /** What it is. */
  readonly kind: 'heap' | 'cache'
  /** Its name. */
  readonly name: string
  /** What its `stats()` said. */
  readonly stats: Readonly<Record<string, unknown>>
}

/** Heaps and caches by name. */
export interface Stores {
  /** Heaps of `@memlayer/heap`, by name. */
  readonly heaps?: Readonly<Record<string, StoreFigures>>
  /** Caches of `@memlayer/cache`, by name. */
  readonly caches?: Readonly<Record<string, StoreFigures>>
}

/** The figures of all of them now. */
export function storesOf({ heaps = {}, caches = {} }: Stores): SnapshotStore[] {
  const told = (kind: 'heap' | 'cache', stores: Readonly<Record<string, StoreFigures>>): SnapshotStore[] =>
    Object.entries(stores).map(([name, store]) => ({ kind, name, stats: { ...store.stats() } }))
  return [...told('heap', heaps), ...told('cache', caches)]
}
