// The figures of heaps and caches that live in memory of the layer, as points. Any object with such a stats() will do,
// so this package needs neither @memlayer/heap nor @memlayer/cache.
import type { InstrumentName } from './instruments.js'
import type { Point } from './points.js'

/** What is asked of a heap: `createHeap` of `@memlayer/heap` makes one. */
export interface HeapFigures {
  /** Its figures now. */
  stats(): {
    readonly ready: number
    readonly used: number
    readonly live: number
    readonly waste: number
    readonly retained: number
    readonly metadata: number
    readonly objects: number
    readonly spans: number
    readonly classes: readonly { readonly size: number; readonly objects: number; readonly free: number }[]
  }
}

/** What is asked of a cache: `createCache` of `@memlayer/cache` makes one. */
export interface CacheFigures {
  /** Its figures now. */
  stats(): {
    readonly entries: number
    readonly bytes: number
    readonly maximum: number
    readonly hits: number
    readonly misses: number
    readonly sets: number
    readonly refusals: number
    readonly evictions: number
    readonly expirations: number
    readonly waste: number
  }
}

/** Heaps and caches by name. */
export interface Stores {
  /** Heaps by name, which becomes the attribute `store`. */
  readonly heaps?: Readonly<Record<string, HeapFigures>>
  /** Caches by name, which becomes the attribute `store`. */
  readonly caches?: Readonly<Record<string, CacheFigures>>
}

/** The points of all of them. */
export function storePoints({ heaps = {}, caches = {} }: Stores): Point[] {
  return [
    ...Object.entries(heaps).flatMap(([store, heap]) => heapPoints(store, heap)),
    ...Object.entries(caches).flatMap(([store, cache]) => cachePoints(store, cache)),
  ]
}

function heapPoints(store: string, heap: HeapFigures): Point[] {
  const { classes, ...stats } = heap.stats()
  const keys = ['ready', 'used', 'live', 'waste', 'retained', 'metadata', 'objects', 'spans'] as const
  const points = keys.map((key): Point => ({ name: `memlayer.heap.${key}`, value: stats[key], store }))
  for (const { size, objects, free } of classes) {
    points.push({ name: 'memlayer.heap.class.objects', value: objects, store, size: String(size) })
    points.push({ name: 'memlayer.heap.class.free', value: free, store, size: String(size) })
  }
  return points
}

const ofCache: readonly (readonly [key: keyof ReturnType<CacheFigures['stats']>, name: InstrumentName])[] = [
  ['entries', 'memlayer.cache.entries'],
  ['bytes', 'memlayer.cache.used'],
  ['maximum', 'memlayer.cache.maximum'],
  ['waste', 'memlayer.cache.waste'],
  ['hits', 'memlayer.cache.hits'],
  ['misses', 'memlayer.cache.misses'],
  ['sets', 'memlayer.cache.sets'],
  ['refusals', 'memlayer.cache.refusals'],
  ['evictions', 'memlayer.cache.evictions'],
  ['expirations', 'memlayer.cache.expirations'],
]

function cachePoints(store: string, cache: CacheFigures): Point[] {
  const stats = cache.stats()
  return ofCache.map(([key, name]) => ({ name, value: stats[key], store }))
}
