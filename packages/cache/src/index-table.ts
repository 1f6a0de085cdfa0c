// The index: from a hash to the entries that have it. Chains begin in Int32Arrays, and go on in the entries' headers.
// It grows by linear hashing (Litwin, 1980): one chain is split at a time, so growing never stops the program for long.
import { chainAt, hashAt } from './entry.js'

const bucketsMin = 64
/** Heads lie in segments of 2 ** 16, which are added and not copied. Only the first one grows. */
const segmentShift = 16
const segmentMask = 2 ** segmentShift - 1

/** Chains of entries by hash. Entries are handles; `i32` is the heap's array over them. */
export class IndexTable {
  #segments = [new Int32Array(2 * bucketsMin)]
  /** Chains. They are addressed by `#mask` bits of the hash, those below `#split` by one bit more. */
  #buckets = bucketsMin
  #mask = bucketsMin - 1
  #split = 0
  #count = 0

  /** Its own bytes. */
  get bytes(): number {
    return this.#segments.reduce((sum, { byteLength }) => sum + byteLength, 0)
  }

  /** Entries. */
  get count(): number {
    return this.#count
  }

  #bucketOf(hash: number): number {
    const bucket = hash & this.#mask
    return bucket < this.#split ? hash & (2 * this.#mask + 1) : bucket
  }

  #head(bucket: number): number {
    return (this.#segments[bucket >>> segmentShift] as Int32Array)[bucket & segmentMask] as number
  }

  #point(bucket: number, handle: number): void {
    ;(this.#segments[bucket >>> segmentShift] as Int32Array)[bucket & segmentMask] = handle
  }

  /** The first entry of the chain that a hash is in; 0: it is empty. */
  first(hash: number): number {
    return this.#head(this.#bucketOf(hash))
  }

  /** Adds an entry, whose hash stands in its header. */
  add(i32: Int32Array, handle: number): void {
    const bucket = this.#bucketOf(i32[handle * 2 + hashAt] as number)
    i32[handle * 2 + chainAt] = this.#head(bucket)
    this.#point(bucket, handle)
    this.#count += 1
    // Two chains for an entry: a chain that holds what is looked for has a quarter of another entry before it.
    while (this.#buckets < 2 * this.#count) this.#grow(i32)
  }

  /** Takes an entry out. It is in. */
  remove(i32: Int32Array, handle: number): void {
    const after = i32[handle * 2 + chainAt] as number
    const bucket = this.#bucketOf(i32[handle * 2 + hashAt] as number)
    this.#count -= 1
    let at = this.#head(bucket)
    if (at === handle) {
      this.#point(bucket, after)
      return
    }
    for (; (i32[at * 2 + chainAt] as number) !== handle; at = i32[at * 2 + chainAt] as number);
    i32[at * 2 + chainAt] = after
  }

  /** The entry `handle` has moved to `moved`, with its header. */
  replace(i32: Int32Array, handle: number, moved: number): void {
    const bucket = this.#bucketOf(i32[moved * 2 + hashAt] as number)
    let at = this.#head(bucket)
    if (at === handle) {
      this.#point(bucket, moved)
      return
    }
    for (; (i32[at * 2 + chainAt] as number) !== handle; at = i32[at * 2 + chainAt] as number);
    i32[at * 2 + chainAt] = moved
  }

  /** Splits the next chain in two, by one bit more of the hash. */
  #grow(i32: Int32Array): void {
    if (this.#buckets >>> segmentShift === this.#segments.length) this.#segments.push(new Int32Array(segmentMask + 1))
    else if (this.#buckets === (this.#segments[0] as Int32Array).length) this.#widen()
    const [from, to, bit] = [this.#split, this.#buckets, this.#mask + 1]
    let handle = this.#head(from)
    let [low, high] = [0, 0]
    while (handle !== 0) {
      const after = i32[handle * 2 + chainAt] as number
      const isHigh = ((i32[handle * 2 + hashAt] as number) & bit) !== 0
      i32[handle * 2 + chainAt] = isHigh ? high : low
      if (isHigh) high = handle
      else low = handle
      handle = after
    }
    this.#point(from, low)
    this.#point(to, high)
    this.#buckets += 1
    this.#split += 1
    if (this.#split <= this.#mask) return
    this.#mask = 2 * this.#mask + 1
    this.#split = 0
  }

  #widen(): void {
    const first = this.#segments[0] as Int32Array
    const wide = new Int32Array(2 * first.length)
    wide.set(first)
    this.#segments[0] = wide
  }

  /** Forgets all entries. */
  clear(): void {
    this.#segments = [new Int32Array(2 * bucketsMin)]
    this.#buckets = bucketsMin
    this.#mask = bucketsMin - 1
    this.#split = 0
    this.#count = 0
  }

  /**
   * Groups of chains, for a walk during which entries come and go: the first entry of each chain that now holds what
   * one chain held when the walk began. An entry that stays is in one group, however much the table grows meanwhile.
   */
  *groups(): Generator<readonly number[], void> {
    const [buckets, mask, split] = [this.#buckets, this.#mask, this.#split]
    for (let bucket = 0; bucket < buckets; bucket++) {
      const isSplit = bucket < split || bucket > mask
      const step = isSplit ? 2 * (mask + 1) : mask + 1
      const firsts: number[] = []
      for (let at = bucket; at < this.#buckets; at += step) {
        const first = this.#head(at)
        if (first !== 0) firsts.push(first)
      }
      if (firsts.length > 0) yield firsts
    }
  }
}
