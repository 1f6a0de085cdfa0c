// A plain shadow of a cache: a Map of what each key was set to, and when that expires. Random operations run on both.
// The shadow does not know what was evicted. So a key may be missing, as often as the cache says that it evicted.
import type { Cache } from '@memlayer/cache'
import { holds, same } from '@memlayer/witness/claims'
import type { Random } from '@memlayer/witness/random'

interface Stored {
  readonly value: Uint8Array
  readonly expiry: number
}

/** Sizes as programs have them: mostly small, some large. */
function sizeBy({ below }: Random, largest: number): number {
  const kind = below(100)
  return Math.min(below(kind < 60 ? 128 : kind < 95 ? 2048 : 40_000), largest)
}

/** A cache and its shadow, with a clock that only the model moves. */
export class Model {
  /** The time of the cache's clock. */
  time = 0
  readonly #random: Random
  readonly #shadow = new Map<string, Stored>()
  readonly #keys: number
  readonly #largest: number
  #cache: Cache | null = null
  #fills = 0
  /** Evictions that are accounted for. */
  #evictions = 0
  /** Sets that were refused. */
  refused = 0

  constructor(random: Random, keys: number, largest: number) {
    this.#random = random
    this.#keys = keys
    this.#largest = largest
  }

  /** The cache that `time` is the clock of. */
  get cache(): Cache {
    return this.#cache as Cache
  }

  set cache(cache: Cache) {
    this.#cache = cache
  }

  /** One random operation. */
  step(): void {
    const { below } = this.#random
    const kind = below(1000)
    const name = `key ${below(this.#keys)}`
    this.time += below(3)
    if (kind === 0) this.#clear()
    else if (kind === 1) this.#purge()
    else if (kind < 400) this.#set(name)
    else if (kind < 460) this.#delete(name)
    else if (kind < 500) this.#peek(name)
    else if (kind < 700)
      void this.#check(
        name,
        this.cache.read(keyOf(name), (bytes, from, end) => bytes.slice(from, end)),
      )
    else void this.#check(name, this.cache.get(keyOf(name)))
  }

  #set(name: string): void {
    const { below } = this.#random
    this.#fills = (this.#fills + 1) % 256
    const value = new Uint8Array(sizeBy(this.#random, this.#largest)).fill(this.#fills)
    const ttl = below(4) === 0 ? 1 + below(3000) : 0
    const isStored = this.cache.set(keyOf(name), value, { ttl })
    if (isStored) this.#shadow.set(name, { value, expiry: ttl === 0 ? Infinity : this.time + ttl })
    else {
      this.refused += 1
      this.#shadow.delete(name)
      this.#expectNone(name)
    }
  }

  #peek(name: string): void {
    const isThere = this.#check(name, this.cache.peek(keyOf(name)))
    same(this.cache.has(keyOf(name)), isThere, `has('${name}')`)
  }

  #expectNone(name: string): void {
    holds(!this.cache.has(keyOf(name)), `'${name}' is not there`)
  }

  #delete(name: string): void {
    const isThere = this.#check(name, this.cache.peek(keyOf(name)))
    same(this.cache.delete(keyOf(name)), isThere, `delete('${name}')`)
    this.#shadow.delete(name)
    this.#expectNone(name)
  }

  #clear(): void {
    this.cache.clear()
    this.#shadow.clear()
    same(this.cache.size, 0, 'entries')
    same(this.cache.bytes, 0, 'bytes')
  }

  #purge(): void {
    this.cache.purgeStale()
    for (const [name, { expiry }] of this.#shadow) if (expiry <= this.time) this.#shadow.delete(name)
    const { entries, evictions } = this.cache.stats()
    holds(entries <= this.#shadow.size, `${entries} entries were stored`)
    holds(entries >= this.#shadow.size - evictions + this.#evictions, 'what is missing was evicted')
  }

  /** What was found must be what was stored last. Whether there was something. */
  #check(name: string, found: Uint8Array | undefined): boolean {
    const stored = this.#shadow.get(name)
    if (found === undefined) {
      if (stored === undefined || stored.expiry <= this.time) return false
      // It was evicted.
      this.#shadow.delete(name)
      this.#evictions += 1
      holds(this.#evictions <= this.cache.stats().evictions, `'${name}' was evicted`)
      return false
    }
    if (stored === undefined) throw new Error(`'${name}' was found, and is not stored`)
    holds(stored.expiry > this.time, `'${name}' has not expired`)
    const { value } = stored
    const isEqual = found.length === value.length && found.every((byte, i) => byte === value[i])
    holds(isEqual, `'${name}' has the bytes that were stored`)
    return true
  }

  /** The contents by iteration and by key, and the account. */
  checkAll(): void {
    const { cache } = this
    let bytes = 0
    const seen = new Set<string>()
    for (const [key, value] of cache.entries()) {
      const name = nameOf(key)
      holds(!seen.has(name), `'${name}' is listed once`)
      seen.add(name)
      holds(this.#check(name, value), `'${name}' is found`)
    }
    for (const name of this.#shadow.keys())
      same(this.#check(name, cache.get(keyOf(name))), seen.has(name), `'${name}' is found`)
    const stats = cache.stats()
    same(stats.entries, cache.size, 'entries')
    same(stats.entries, seen.size, 'entries that are listed')
    for (const name of seen) bytes += 24 + name.length + (this.#shadow.get(name)?.value.length ?? 0)
    same(stats.bytes, cache.bytes, 'bytes')
    holds(stats.bytes >= bytes, `${bytes} bytes fit in ${stats.bytes}`)
    holds(stats.bytes <= cache.maximum, `${stats.bytes} bytes are below the maximum`)
    // Every object of the heap is an entry's.
    same(stats.used - stats.waste, stats.bytes, 'bytes of the heap')
    cache.memory.check()
  }
}

/** A third of the keys are bytes, and a third has letters above 255. */
function keyOf(name: string): string | Uint8Array {
  const kind = name.charCodeAt(name.length - 1) % 3
  return kind === 0 ? name : kind === 1 ? `${name} 키` : new TextEncoder().encode(name)
}

function nameOf(key: string | Uint8Array): string {
  return typeof key === 'string' ? key.replace(' 키', '') : new TextDecoder().decode(key)
}
