// The ranges in quarantine, oldest first. A range that is taken out of turn stays in the queue, so its user looks at
// what the range is by then.
import type { Address } from '@memlayer/kernel'

/** One range of the queue. */
export interface Queued {
  readonly v: Address
  readonly n: number
}

/** The most ranges that its users keep in one: as many as a ring of 2^14 holds when one more has come. */
export const queuedMax: number = 2 ** 14 - 1
/** Room for so many ranges at first. A power of 2. */
const roomAtFirst = 64

/** Ranges in the order in which they came: a ring. */
export class Queue {
  /** Address and size of each. */
  #pairs: Float64Array = new Float64Array(2 * roomAtFirst)
  /** The place of the oldest. */
  #first = 0
  #length = 0
  /** So many of the oldest were returned by `nextWritable`. */
  #returned = 0

  /** Its ranges. */
  get length(): number {
    return this.#length
  }

  push(v: Address, n: number): void {
    if (2 * this.#length === this.#pairs.length) this.#grow()
    const at = this.#at(this.#length)
    this.#pairs[at] = v
    this.#pairs[at + 1] = n
    this.#length += 1
  }

  /** Takes the oldest range out. */
  shift(): Queued {
    const queued = this.#queued(0)
    this.#first = this.#at(1) / 2
    this.#length -= 1
    if (this.#returned > 0) this.#returned -= 1
    return queued
  }

  /** Whether a range is left that `nextWritable` has not returned. */
  get hasWritable(): boolean {
    return this.#returned < this.#length
  }

  /** The oldest range that this has not returned yet. It stays in the queue. */
  nextWritable(): Queued {
    const queued = this.#queued(this.#returned)
    this.#returned += 1
    return queued
  }

  #queued(i: number): Queued {
    const at = this.#at(i)
    return { v: this.#pairs[at] as Address, n: this.#pairs[at + 1] as number }
  }

  /** The place of the range that is `i` behind the oldest. */
  #at(i: number): number {
    return 2 * ((this.#first + i) & (this.#pairs.length / 2 - 1))
  }

  #grow(): void {
    const pairs = new Float64Array(2 * this.#pairs.length)
    const behind = this.#pairs.subarray(2 * this.#first)
    pairs.set(behind)
    pairs.set(this.#pairs.subarray(0, 2 * this.#first), behind.length)
    // A script may end before these, and nothing is lost then.
    this.#pairs = pairs
    this.#first = 0
  }
}
