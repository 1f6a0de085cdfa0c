// A queue of entries, by links in their headers. New entries come in at the one end. They leave at the other one, or
// from anywhere when their key is deleted.
import { newerAt, olderAt } from './entry.js'

/** A queue of entries. `i32` is the heap's array over them. */
export class Queue {
  /** The entry that has been in it longest; 0: it is empty. */
  oldest = 0
  #newest = 0
  /** Entries, and their bytes. */
  count = 0
  bytes = 0

  /** Adds an entry of `size` bytes. */
  add(i32: Int32Array, handle: number, size: number): void {
    const before = this.#newest
    i32[handle * 2 + newerAt] = 0
    i32[handle * 2 + olderAt] = before
    if (before === 0) this.oldest = handle
    else i32[before * 2 + newerAt] = handle
    this.#newest = handle
    this.count += 1
    this.bytes += size
  }

  /** Takes an entry of `size` bytes out. It is in. */
  remove(i32: Int32Array, handle: number, size: number): void {
    const newer = i32[handle * 2 + newerAt] as number
    const older = i32[handle * 2 + olderAt] as number
    if (older === 0) this.oldest = newer
    else i32[older * 2 + newerAt] = newer
    if (newer === 0) this.#newest = older
    else i32[newer * 2 + olderAt] = older
    this.count -= 1
    this.bytes -= size
  }

  /** The entry `handle` has moved to `moved`, with its header. */
  replace(i32: Int32Array, moved: number): void {
    const newer = i32[moved * 2 + newerAt] as number
    const older = i32[moved * 2 + olderAt] as number
    if (older === 0) this.oldest = moved
    else i32[older * 2 + newerAt] = moved
    if (newer === 0) this.#newest = moved
    else i32[newer * 2 + olderAt] = moved
  }

  /** Forgets all entries. */
  clear(): void {
    this.oldest = 0
    this.#newest = 0
    this.count = 0
    this.bytes = 0
  }
}
