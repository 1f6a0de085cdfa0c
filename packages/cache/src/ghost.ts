// The ghost of S3-FIFO: hashes of keys that left the small queue. A key that comes again while its hash is here goes to
// the main queue at once. The table has pairs: a hash, and the number of the departure. A hash that it forgets costs a
// miss at most.

const slotsMin = 1024

/** Hashes of the keys that left last. */
export class Ghost {
  #pairs = new Int32Array(0)
  #departures = 0

  /** Its own bytes. */
  get bytes(): number {
    return this.#pairs.byteLength
  }

  /** A key has left. `keys`: how many it should remember. */
  add(hash: number, keys: number): void {
    if (this.#pairs.length < 2 * keys)
      this.#pairs = new Int32Array(4 * 2 ** Math.ceil(Math.log2(Math.max(keys, slotsMin))))
    const pairs = this.#pairs
    const slots = pairs.length / 2
    // Two slots beside each other serve a hash. The older departure gives way.
    const first = (hash & (slots - 2)) * 2
    const now = (this.#departures = (this.#departures + 1) | 0)
    const isSecond = now - (pairs[first + 1] as number) < now - (pairs[first + 3] as number)
    const at = isSecond ? first + 2 : first
    pairs[at] = hash
    pairs[at + 1] = now
  }

  /** Whether a key has left as one of the last `keys`. It is forgotten then. */
  take(hash: number, keys: number): boolean {
    const pairs = this.#pairs
    if (pairs.length === 0) return false
    const first = (hash & (pairs.length / 2 - 2)) * 2
    for (let at = first; at <= first + 2; at += 2) {
      const when = pairs[at + 1] as number
      if (pairs[at] !== hash || when === 0) continue
      pairs[at + 1] = 0
      return ((this.#departures - when) | 0) <= keys
    }
    return false
  }

  /** Forgets all. */
  clear(): void {
    this.#pairs = new Int32Array(0)
    this.#departures = 0
  }
}
