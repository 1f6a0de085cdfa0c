// A number of bytes that other threads can read: one word of a table that all have.

/** The unit of the word: it counts up to 8 TiB. */
export const unitBytes = 4096
const unitsMax = 2 ** 31 - 1

/** Written by one thread. */
export class Gauge {
  #words: Int32Array | null = null
  #at = 0

  /** Others find it at `words[at]` from now on. */
  publishTo(words: Int32Array, at: number): void {
    this.#at = at
    this.#words = words
  }

  set(bytes: number): void {
    if (this.#words !== null) this.#words[this.#at] = Math.min(Math.ceil(bytes / unitBytes), unitsMax)
  }
}
