// The entries of a cache: objects of a heap, an index over them, and the policy that says which one goes. The policy
// is S3-FIFO (Yang et al., SOSP 2023). A new entry comes into a small queue. One that was used there moves on to the
// main queue. One that was not goes, and the ghost keeps its hash. In the main queue each use lets it stay once more.
import { OutOfMemoryError } from '@memlayer/core'
import type { Heap } from '@memlayer/heap'
import {
  expiryAt,
  expiryBytes,
  hashAt,
  chainAt,
  headerBytes,
  keyStart,
  mainBit,
  timedBit,
  usesMask,
  valueAt,
  wordAt,
} from './entry.js'
import { Ghost } from './ghost.js'
import { IndexTable } from './index-table.js'
import { kindMask, lengthShift, type KeyBytes } from './key-bytes.js'
import { Queue } from './queue.js'

/** The small queue has this part of the bytes. */
const smallPart = 0.1
/** So many entries are let stay before one goes that was used. It bounds the time of an eviction. */
const passesMax = 64
/** For an allocation that the OS refuses, about this part of the bytes is evicted at most. */
const evictedPart = 1 / 8
/**
 * After a refusal or a reclaim the bound of the bytes rises again, by a part of what is stored. Under a limit that is
 * reached it rises slowly: a refusal costs a round of all reclaimers, and others are refused for a while after it.
 */
const recoveryPart = 1 / 2
const recoveryPartAtLimit = 1 / 512
/** It rises in steps, each after so many bytes were stored. */
const recoveryBytes = 2 ** 16
/** A refusal lowers the bound to this part of what is there, so that the next one is far. */
const refusedPart = 63 / 64
/** So many objects fill up spans at most while entries are moved. */
const fillMax = 4096
/** The parts of a header's word that tell of the key. */
const keyMask = kindMask | (-1 << lengthShift)

/** What a cache holds. */
export class Entries {
  readonly heap: Heap
  readonly maximum: number
  readonly #index = new IndexTable()
  readonly #small = new Queue()
  readonly #main = new Queue()
  readonly #ghost = new Ghost()
  /** The bytes that it may have now: less than `maximum` for a while after memory was short. */
  #bound: number
  /** Bytes that were stored since it rose last. */
  #stored = 0
  #mark: number
  /** No entry begins at or above this handle. */
  #top = 0
  /** Allocations that are under way. */
  #allocating = 0
  evictions = 0

  constructor(heap: Heap, maximum: number) {
    this.heap = heap
    this.maximum = this.#bound = maximum
    this.#mark = heap.mark()
  }

  /** Bytes of all entries. */
  get bytes(): number {
    return this.#small.bytes + this.#main.bytes
  }

  /** Entries. */
  get count(): number {
    return this.#index.count
  }

  /** Bytes on the JavaScript side. */
  get metadata(): number {
    return this.#index.bytes + this.#ghost.bytes
  }

  /** The entry that has a key; 0: there is none. */
  find(key: KeyBytes): number {
    const { i32 } = this.heap
    const { hash, word } = key
    let handle = this.#index.first(hash)
    while (handle !== 0) {
      const at = handle * 2
      if (i32[at + hashAt] === hash && this.#holds(handle, i32[at + wordAt] as number, key, word)) return handle
      handle = i32[at + chainAt] as number
    }
    return 0
  }

  #holds(handle: number, word: number, key: KeyBytes, keyWord: number): boolean {
    if ((word & keyMask) !== keyWord) return false
    const { u8 } = this.heap
    const { bytes, length } = key
    const start = keyStart(handle, word)
    for (let i = 0; i < length; i++) if (u8[start + i] !== bytes[i]) return false
    return true
  }

  /** The header's word of an entry. */
  wordOf(handle: number): number {
    return this.heap.i32[handle * 2 + wordAt] as number
  }

  /** When an entry expires; 0: never. */
  expiryOf(handle: number): number {
    const word = this.heap.i32[handle * 2 + wordAt] as number
    return (word & timedBit) === 0 ? 0 : (this.heap.f64[handle + expiryAt] as number)
  }

  /** Where the value begins in the heap's u8. */
  valueStart(handle: number): number {
    const word = this.heap.i32[handle * 2 + wordAt] as number
    return keyStart(handle, word) + (word >>> lengthShift)
  }

  /** The value's bytes. */
  valueLength(handle: number): number {
    return (this.heap.i32[handle * 2 + valueAt] as number) >>> 0
  }

  /** An entry was used. */
  touch(handle: number): void {
    const { i32 } = this.heap
    const at = handle * 2 + wordAt
    const word = i32[at] as number
    if ((word & usesMask) < usesMask) i32[at] = word + 1
  }

  /**
   * Stores a value, in place of the one that the key had. `expiry` 0: it does not expire. False: there is no room. The
   * value that the key had is gone then as well.
   */
  put(key: KeyBytes, given: unknown, value: Uint8Array, expiry: number): boolean {
    const { length } = key
    const bytes = value.length
    const need = headerBytes + (expiry === 0 ? 0 : expiryBytes) + length + bytes
    const before = this.find(key)
    if (before !== 0 && this.#overwrite(before, need, value, expiry)) return true
    const wasMain = before !== 0 && (this.wordOf(before) & mainBit) !== 0
    if (before !== 0) this.remove(before)
    const { serial } = key
    const handle = need > this.maximum ? 0 : this.#allocate(need)
    if (handle === 0) return false
    const isSame = key.serial === serial || this.#readAgain(key, given)
    if (!isSame || key.length !== length || value.length !== bytes) {
      this.heap.free(handle)
      return false
    }
    this.#enter(handle, key, value, expiry, wasMain)
    return true
  }

  /** Code that heard of the allocation has called the cache. The key is read again, and what was stored for it goes. */
  #readAgain(key: KeyBytes, given: unknown): boolean {
    if (!key.read(given)) return false
    const other = this.find(key)
    if (other !== 0) this.remove(other)
    return true
  }

  /** Writes a value over another one, if the object has the room and half of it is needed. */
  #overwrite(handle: number, need: number, value: Uint8Array, expiry: number): boolean {
    const size = this.heap.size(handle)
    const word = this.wordOf(handle)
    if (need > size || 2 * need < size || (word & timedBit) !== (expiry === 0 ? 0 : timedBit)) return false
    this.heap.u8.set(value, this.valueStart(handle))
    this.heap.i32[handle * 2 + valueAt] = value.length
    if (expiry !== 0) this.heap.f64[handle + expiryAt] = expiry
    this.touch(handle)
    return true
  }

  #enter(handle: number, key: KeyBytes, value: Uint8Array, expiry: number, wasMain: boolean): void {
    const { i32, u8 } = this.heap
    const { hash, length, bytes } = key
    const isMain = this.#ghost.take(hash, this.#ghostMax) || wasMain
    const word = key.word | (isMain ? mainBit : 0) | (expiry === 0 ? 0 : timedBit)
    const at = handle * 2
    i32[at + hashAt] = hash
    i32[at + wordAt] = word
    i32[at + valueAt] = value.length
    if (expiry !== 0) this.heap.f64[handle + expiryAt] = expiry
    const start = keyStart(handle, word)
    for (let i = 0; i < length; i++) u8[start + i] = bytes[i] as number
    u8.set(value, start + length)
    this.#index.add(i32, handle)
    ;(isMain ? this.#main : this.#small).add(i32, handle, this.heap.size(handle))
    if (handle >= this.#top) this.#top = handle + 1
  }

  get #ghostMax(): number {
    return this.#main.count + this.#small.count
  }

  /** An object of `need` bytes, with room made for it. 0: there is none. */
  #allocate(need: number): number {
    const handle = this.#alloc(need) || this.#allocateBeyond(need)
    if (handle === 0) return 0
    const size = this.heap.size(handle)
    if (size > this.maximum) {
      this.heap.free(handle)
      return 0
    }
    if (this.#bound < this.maximum) this.#recover(size)
    while (this.bytes + size > this.#bound && this.evict() > 0);
    return handle
  }

  #recover(size: number): void {
    this.#stored += size
    if (this.#stored < recoveryBytes) return
    const { limit } = this.heap.memory
    const isReached = limit !== null && limit.bytes - limit.used < Math.max(2 ** 20, limit.bytes / 64)
    this.#bound = Math.min(this.maximum, this.#bound + this.#stored * (isReached ? recoveryPartAtLimit : recoveryPart))
    this.#stored = 0
  }

  /** 0: the OS refuses, or the heap is full. */
  #alloc(need: number): number {
    this.#allocating += 1
    try {
      return this.heap.alloc(need)
    } catch (error) {
      if (error instanceof OutOfMemoryError) return 0
      throw error
    } finally {
      this.#allocating -= 1
    }
  }

  /** Evicts until the heap has room, twice as much each time. At last it makes one piece of what is free. */
  #allocateBeyond(need: number): number {
    const most = this.bytes - Math.max(this.bytes * evictedPart, need)
    let handle = 0
    for (let bytes = need; handle === 0 && this.bytes > most; bytes *= 2) {
      const least = this.bytes - bytes
      while (this.bytes > least && this.evict() > 0);
      this.#bound = Math.max(this.bytes * refusedPart, need)
      handle = this.#alloc(need)
    }
    if (handle !== 0 || this.#top === 0) return handle
    this.#vacate(Math.max(0, this.#top - Math.ceil((2 * need) / 8)))
    // Spans that are empty go to the pages. The memory below them may stay.
    void this.heap.scavenge(1)
    return this.#alloc(need)
  }

  /** Lets the entry go that is worth least. Returns its bytes; 0: there is none. */
  evict(): number {
    const { i32 } = this.heap
    const smallMax = this.#bound * smallPart
    for (let passes = 0; ; passes++) {
      const isSmall = this.#small.bytes > smallMax || this.#main.count === 0
      const handle = (isSmall ? this.#small : this.#main).oldest
      if (handle === 0) return 0
      const at = handle * 2
      const word = i32[at + wordAt] as number
      if ((word & usesMask) === 0 || passes >= passesMax) {
        if (isSmall) this.#ghost.add(i32[at + hashAt] as number, this.#ghostMax)
        this.evictions += 1
        return this.remove(handle)
      }
      this.#pass(i32, handle, isSmall)
    }
  }

  /** An entry was used: it comes to the end of the main queue. */
  #pass(i32: Int32Array, handle: number, isSmall: boolean): void {
    const at = handle * 2 + wordAt
    const word = i32[at] as number
    const size = this.heap.size(handle)
    ;(isSmall ? this.#small : this.#main).remove(i32, handle, size)
    i32[at] = isSmall ? (word & ~usesMask) | mainBit : word - 1
    this.#main.add(i32, handle, size)
  }

  /** Takes an entry out. Returns its bytes. */
  remove(handle: number): number {
    const { heap } = this
    const { i32 } = heap
    const size = heap.size(handle)
    this.#index.remove(i32, handle)
    const isMain = ((i32[handle * 2 + wordAt] as number) & mainBit) !== 0
    ;(isMain ? this.#main : this.#small).remove(i32, handle, size)
    heap.free(handle)
    return size
  }

  /** Takes all out, and gives their memory back to the OS. */
  clear(): void {
    this.#index.clear()
    this.#small.clear()
    this.#main.clear()
    this.#ghost.clear()
    this.#bound = this.maximum
    this.#top = 0
    this.heap.release(this.#mark)
    this.#mark = this.heap.mark()
    void this.heap.scavenge()
  }

  /**
   * Gives memory back to the OS: evicts `want` bytes, and moves what lies highest into the holes, so that whole pages
   * are empty. Returns the bytes that the heap gave back. It does nothing while an entry is stored: that evicts itself.
   */
  reclaim(want: number): number {
    if (this.#allocating > 0) return 0
    const least = this.bytes - want
    while (this.bytes > least && this.evict() > 0);
    this.#bound = this.bytes
    this.#vacate(Math.max(0, this.#top - Math.ceil(want / 8)))
    return this.heap.scavenge(want)
  }

  /** Moves what lies above `from` to below it, and evicts what has no place there. */
  #vacate(from: number): void {
    const { heap } = this
    const mark = this.#mark
    const filled = new Set<number>()
    for (let handle = from; handle < this.#top;) {
      const size = heap.has(handle) ? heap.size(handle) : 0
      if (size > 0 && !filled.has(handle)) this.#moveBelow(from, handle, size, filled)
      handle += Math.max(1, size / 8)
    }
    // Code that heard of an allocation may have cleared the cache.
    if (mark !== this.#mark) return
    for (const handle of filled) if (heap.has(handle)) heap.free(handle)
    this.#top = from
  }

  /** Allocation goes on in its span before it takes the lowest one. So `filled` fills that up. */
  #moveBelow(from: number, handle: number, size: number, filled: Set<number>): void {
    const { heap } = this
    let moved = this.#alloc(size)
    while (moved >= from && filled.size < fillMax) {
      filled.add(moved)
      moved = this.#alloc(size)
    }
    if (moved >= from) filled.add(moved)
    // Code that heard of an allocation may have taken the entry out.
    const isThere = heap.has(handle) && heap.size(handle) === size
    const hasPlace = moved !== 0 && moved < from
    if (isThere && hasPlace) this.#move(handle, moved, size)
    else if (hasPlace) heap.free(moved)
    else if (isThere) {
      this.evictions += 1
      void this.remove(handle)
    }
  }

  #move(handle: number, moved: number, size: number): void {
    const { i32, u8 } = this.heap
    u8.copyWithin(moved * 8, handle * 8, handle * 8 + size)
    this.#index.replace(i32, handle, moved)
    const isMain = ((i32[moved * 2 + wordAt] as number) & mainBit) !== 0
    ;(isMain ? this.#main : this.#small).replace(i32, moved)
    this.heap.free(handle)
  }

  /** The first entries of chains: see `IndexTable.groups`. */
  groups(): Generator<readonly number[], void> {
    return this.#index.groups()
  }

  /** The next entry of a chain; 0: that was the last one. */
  nextOf(handle: number): number {
    return this.heap.i32[handle * 2 + chainAt] as number
  }
}
