// A cache: what people hold. Names and habits are those of lru-cache; entries are bytes in a heap of their own.
import { checkOptions, formatBytes, type Memory } from '@memlayer/core'
import { createHeap } from '@memlayer/heap'
import { codecOf, type Codec } from './codec.js'
import { Copies } from './copies.js'
import { Entries } from './entries.js'
import { keyStart } from './entry.js'
import { isBytes, KeyBytes, keyBytesMax, keyOf, kindMask, lengthShift } from './key-bytes.js'
import { disposed, whileRead, wrongKey, wrongMaximum, wrongOption, wrongTtl, wrongUse, wrongValue } from './misuse.js'
import { Counts, type CacheStats } from './stats.js'

const maximumMin = 1024
const maximumMax = 6 * 2 ** 30
/**
 * The heap has this part more room than the entries, because objects of many sizes leave holes. One span of each size
 * class takes 6 MiB together.
 */
const headroomPart = 1 / 4
const headroomMin = 8 * 2 ** 20

/** How a cache is created. */
export interface CacheOptions<V = Uint8Array> {
  /** The most bytes of all entries, from 1024 to 6 GiB. An entry has 24 bytes besides its key and its value. */
  readonly maximum: number
  /** What people call it: its heap, its category and its reclaimer. Default `'cache'`. */
  readonly name?: string | undefined
  /** Milliseconds until an entry expires. Default 0: it does not. */
  readonly ttl?: number | undefined
  /** How values become bytes: `'json'`, `'v8'` for structured clones, or your own. Default: they are bytes. */
  readonly codec?: 'json' | 'v8' | Codec<V> | undefined
  /** The clock, in milliseconds. Default: `performance.now`. */
  readonly now?: (() => number) | undefined
}

/** How one value is stored. */
export interface SetOptions {
  /** Milliseconds until it expires; 0: it does not. Default: the cache's `ttl`. */
  readonly ttl?: number | undefined
}

interface Host {
  readonly performance?: { now(): number }
}

/**
 * Creates a cache in a memory. Without a codec its values are Uint8Arrays.
 *
 * @throws UsageError ERR_MEMLAYER_OPTION or ERR_MEMLAYER_SIZE for an option that is wrong. OutOfMemoryError when the OS
 * has no room for its heap.
 */
export function createCache<V = Uint8Array>(memory: Memory, options: CacheOptions<V>): Cache<V> {
  const known = ['maximum', 'name', 'ttl', 'codec', 'now']
  const hint = 'Pass an object: { maximum: 64 * 2 ** 20 }.'
  const { maximum, name = 'cache', ttl = 0, codec, now } = checkOptions('createCache', options, known, hint)
  if (!Number.isSafeInteger(maximum) || maximum < maximumMin || maximum > maximumMax)
    wrongMaximum(maximum, maximumMin, maximumMax)
  if (typeof name !== 'string' || name === '') wrongOption('name', name, 'Pass a name that is not empty.')
  if (!isTtl(ttl)) wrongOption('ttl', ttl, 'Pass milliseconds above 0, or 0 for entries that do not expire.')
  if (now !== undefined && typeof now !== 'function') wrongOption('now', now, 'Pass a function: () => milliseconds.')
  const made = codecOf(codec) as Codec<V> | null
  const room = maximum + Math.max(headroomMin, Math.ceil(maximum * headroomPart))
  const entries = new Entries(createHeap(memory, { name, maximum: room }), maximum)
  return new Cache<V>(entries, made, ttl, now ?? clock())
}

function isTtl(ttl: unknown): ttl is number {
  return typeof ttl === 'number' && ttl >= 0
}

function clock(): () => number {
  const { performance } = globalThis as Host
  return performance === undefined ? Date.now : () => performance.now()
}

/** Values by key, bounded in bytes. Made by {@link createCache}. */
export class Cache<V = Uint8Array> {
  readonly #entries: Entries
  readonly #codec: Codec<V> | null
  readonly #key = new KeyBytes(Math.floor(Math.random() * 2 ** 32))
  readonly #counts = new Counts()
  readonly #copies = new Copies()
  readonly #ttl: number
  readonly #now: () => number
  readonly #end: () => void
  /** Callbacks of `read` that are running, and `decode` of a codec in place. */
  #reading = 0
  #isDisposed = false

  /** @internal */
  constructor(entries: Entries, codec: Codec<V> | null, ttl: number, now: () => number) {
    this.#entries = entries
    this.#codec = codec
    this.#ttl = ttl
    this.#now = now
    const { memory, name } = entries.heap
    this.#end = memory.reclaimer({ name }, ({ want }) => (this.#reading > 0 ? 0 : entries.reclaim(want)))
  }

  /** What people call it. */
  get name(): string {
    return this.#entries.heap.name
  }

  /** The memory that it is part of. */
  get memory(): Memory {
    return this.#entries.heap.memory
  }

  /** The most bytes of all entries. */
  get maximum(): number {
    return this.#entries.maximum
  }

  /** Entries, with those that expired and were not met since. */
  get size(): number {
    return this.#entries.count
  }

  /** Bytes of all entries. */
  get bytes(): number {
    return this.#entries.bytes
  }

  /**
   * A copy of the value of a key, or what the codec makes of it; undefined: there is none.
   *
   * @throws UsageError ERR_MEMLAYER_OPTION for what is not a key, ERR_MEMLAYER_SIZE for a key above 16 MiB.
   */
  get(key: string | Uint8Array): V | undefined {
    const handle = this.#use('get', key)
    return handle === 0 ? undefined : this.#valueOf(handle)
  }

  /** Like `get`, but it does not count: not for the entry's place, and not in the figures. */
  peek(key: string | Uint8Array): V | undefined {
    const handle = this.#find('peek', key)
    return handle === 0 ? undefined : this.#valueOf(handle)
  }

  /** Whether a key has a value. It does not count as a use. */
  has(key: string | Uint8Array): boolean {
    return this.#find('has', key) !== 0
  }

  /**
   * Calls `use` with the bytes of a value where they lie: from `start` to `end` of `bytes`, without a copy and without
   * garbage. Returns what `use` returns; undefined: there is no value. Write nothing there, keep nothing of it, and
   * change the cache after it: the bytes are another entry's later.
   *
   * @throws UsageError as `get` does, and ERR_MEMLAYER_OPTION when `use` is not a function.
   */
  read<R>(key: string | Uint8Array, use: (bytes: Uint8Array, start: number, end: number) => R): R | undefined {
    if (typeof use !== 'function') wrongUse(this.name, use)
    const handle = this.#use('read', key)
    if (handle === 0) return undefined
    const entries = this.#entries
    const start = entries.valueStart(handle)
    this.#reading += 1
    try {
      return use(entries.heap.u8, start, start + entries.valueLength(handle))
    } finally {
      this.#reading -= 1
    }
  }

  /**
   * Stores a value. False: it is larger than `maximum`, or the OS refused. A value that the key had is gone then as
   * well, so that no reader finds an old one.
   *
   * @throws UsageError ERR_MEMLAYER_OPTION for what is not a key, a value or a ttl; ERR_MEMLAYER_SIZE for a key above
   * 16 MiB; ERR_MEMLAYER_STATE inside of `read`. Nothing has changed then.
   */
  set(key: string | Uint8Array, value: V, options?: SetOptions): boolean {
    const codec = this.#codec
    const bytes: unknown = codec === null ? value : codec.encode(value)
    if (!isBytes(bytes)) wrongValue(this.name, bytes, codec !== null)
    const ttl = options === undefined ? this.#ttl : this.#ttlOf(options)
    const expiry = ttl === 0 ? 0 : this.#now() + ttl
    this.#check('set')
    if (!this.#key.read(key)) wrongKey('set', this.name, key, keyBytesMax)
    const isStored = this.#entries.put(this.#key, key, bytes, expiry)
    if (isStored) this.#counts.sets += 1
    else this.#counts.refusals += 1
    return isStored
  }

  #ttlOf(options: SetOptions): number {
    const { ttl = this.#ttl } = checkOptions('set', options, ['ttl'])
    if (!isTtl(ttl)) wrongTtl(this.name, ttl)
    return ttl
  }

  /**
   * Takes a value out. Returns whether there was one.
   *
   * @throws UsageError as `set` does.
   */
  delete(key: string | Uint8Array): boolean {
    this.#check('delete')
    const handle = this.#find('delete', key)
    if (handle === 0) return false
    this.#entries.remove(handle)
    return true
  }

  /**
   * Takes all values out, and gives their memory back to the OS.
   *
   * @throws UsageError ERR_MEMLAYER_STATE inside of `read`.
   */
  clear(): void {
    this.#check('clear')
    this.#entries.clear()
  }

  /**
   * Takes out what has expired. It looks at every entry. Returns whether there were any.
   *
   * @throws UsageError ERR_MEMLAYER_STATE inside of `read`.
   */
  purgeStale(): boolean {
    this.#check('purgeStale')
    const entries = this.#entries
    const before = this.#counts.expirations
    const now = this.#now()
    for (const firsts of entries.groups()) {
      for (const first of firsts) {
        for (let handle = first; handle !== 0;) {
          const after = entries.nextOf(handle)
          this.#removeExpired(handle, now)
          handle = after
        }
      }
    }
    return this.#counts.expirations > before
  }

  /** Milliseconds until the value of a key expires: Infinity if it does not, 0 if there is none. */
  getRemainingTTL(key: string | Uint8Array): number {
    const handle = this.#find('getRemainingTTL', key)
    if (handle === 0) return 0
    const expiry = this.#entries.expiryOf(handle)
    return expiry === 0 ? Infinity : expiry - this.#now()
  }

  /**
   * The keys, in no order. Entries may come and go meanwhile: one that stays is met once, one that comes may be missed.
   */
  *keys(): Generator<string | Uint8Array, void> {
    if (this.#isDisposed) disposed('keys', this.name)
    const entries = this.#entries
    for (const firsts of entries.groups()) {
      const keys: (string | Uint8Array)[] = []
      for (const first of firsts)
        for (let handle = first; handle !== 0; handle = entries.nextOf(handle)) keys.push(this.#keyOf(handle))
      for (const key of keys) {
        if (this.#isDisposed) return
        if (this.has(key)) yield key
      }
    }
  }

  /** Copies of the values, in no order. See `keys`. They do not count as uses. */
  *values(): Generator<V, void> {
    for (const [, value] of this.entries()) yield value
  }

  /** Keys with copies of their values, in no order. See `keys`. They do not count as uses. */
  *entries(): Generator<[key: string | Uint8Array, value: V], void> {
    for (const key of this.keys()) {
      const handle = this.#find('entries', key)
      if (handle !== 0) yield [key, this.#valueOf(handle)]
    }
  }

  /** The same as `entries`. */
  [Symbol.iterator](): Generator<[key: string | Uint8Array, value: V], void> {
    return this.entries()
  }

  /** Its figures. It looks at every span of the heap. */
  stats(): CacheStats {
    if (this.#isDisposed) disposed('stats', this.name)
    const { count, bytes, maximum, evictions, metadata, heap } = this.#entries
    const { hits, misses, sets, refusals, expirations } = this.#counts
    const { used, waste, metadata: ofHeap } = heap.stats()
    return {
      entries: count,
      bytes,
      maximum,
      hits,
      misses,
      hitRate: hits + misses === 0 ? 0 : hits / (hits + misses),
      sets,
      refusals,
      evictions,
      expirations,
      used,
      waste,
      metadata: metadata + ofHeap,
    }
  }

  /**
   * Gives all back.
   *
   * @throws UsageError ERR_MEMLAYER_STATE inside of `read`.
   */
  dispose(): void {
    if (this.#isDisposed) return
    if (this.#reading > 0) whileRead('dispose', this.name)
    this.#isDisposed = true
    this.#end()
    this.#entries.heap.destroy()
  }

  /** `dispose()`, at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.dispose()
  }

  /** What console.log prints. */
  toString(): string {
    if (this.#isDisposed) return `Cache '${this.name}': disposed`
    return `Cache '${this.name}': ${this.size} entries, ${formatBytes(this.bytes)} of ${formatBytes(this.maximum)}`
  }

  /** The entry of a key that has not expired; 0: there is none. */
  #find(op: string, key: string | Uint8Array): number {
    if (this.#isDisposed) disposed(op, this.name)
    if (!this.#key.read(key)) wrongKey(op, this.name, key, keyBytesMax)
    const handle = this.#entries.find(this.#key)
    if (handle === 0 || !this.#isTimed(handle)) return handle
    return this.#removeExpired(handle, this.#now()) ? 0 : handle
  }

  #isTimed(handle: number): boolean {
    return this.#entries.expiryOf(handle) !== 0
  }

  /** Whether an entry has expired. It is taken out, unless a callback reads. */
  #removeExpired(handle: number, now: number): boolean {
    const expiry = this.#entries.expiryOf(handle)
    if (expiry === 0 || now < expiry) return false
    if (this.#reading > 0) return true
    this.#entries.remove(handle)
    this.#counts.expirations += 1
    return true
  }

  /** Finds an entry, counts, and keeps it from eviction for a while. */
  #use(op: string, key: string | Uint8Array): number {
    const handle = this.#find(op, key)
    if (handle === 0) {
      this.#counts.misses += 1
      return 0
    }
    this.#counts.hits += 1
    this.#entries.touch(handle)
    return handle
  }

  #valueOf(handle: number): V {
    const entries = this.#entries
    const start = entries.valueStart(handle)
    const end = start + entries.valueLength(handle)
    const codec = this.#codec
    if (codec === null) return this.#copies.of(entries.heap.u8, start, end) as V
    return this.#decoded(codec, start, end)
  }

  #decoded(codec: Codec<V>, start: number, end: number): V {
    const { u8 } = this.#entries.heap
    if (codec.inPlace !== true) return codec.decode(this.#copies.of(u8, start, end))
    this.#reading += 1
    try {
      return codec.decode(u8.subarray(start, end))
    } finally {
      this.#reading -= 1
    }
  }

  #keyOf(handle: number): string | Uint8Array {
    const { u8 } = this.#entries.heap
    const word = this.#entries.wordOf(handle)
    const start = keyStart(handle, word)
    return keyOf(u8.subarray(start, start + (word >>> lengthShift)), word & kindMask)
  }

  /** @throws UsageError, because it was disposed or a callback of `read` is running. */
  #check(op: string): void {
    if (this.#isDisposed) disposed(op, this.name)
    if (this.#reading > 0) whileRead(op, this.name)
  }
}
