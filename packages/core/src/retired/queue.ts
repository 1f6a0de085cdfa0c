// The ranges in quarantine, oldest first. A range that is taken out of turn stays in the queue, so its user looks at
// what the range is by then.
import type { Address } from '@memlayer/kernel'

/** One range of the queue. */
export interface Queued {
  readonly v: Address
  readonly n: number
}

/** As many numbers of the front are dropped at a time. */
const droppedAtOnce = 65_536

/** Ranges in the order in which they came. */
export class Queue {
  // Address and size of each. Those before `#first` have left.
  #pairs: number[] = []
  #first = 0
  /** Where the ranges begin that were not asked for as writable. */
  #writable = 0

  /** Its ranges. */
  get length(): number {
    return (this.#pairs.length - this.#first) / 2
  }

  push(v: Address, n: number): void {
    this.#pairs.push(v, n)
  }

  /** Takes the oldest range out. */
  shift(): Queued {
    const queued = this.#at(this.#first)
    this.#first += 2
    this.#writable = Math.max(this.#writable, this.#first)
    if (this.#first >= droppedAtOnce) {
      const rest = this.#pairs.slice(this.#first)
      this.#pairs = rest
      this.#writable -= this.#first
      this.#first = 0
    }
    return queued
  }

  /** Whether a range is left that `nextWritable` has not returned. */
  get hasWritable(): boolean {
    return this.#writable < this.#pairs.length
  }

  /** The oldest range that this has not returned yet. It stays in the queue. */
  nextWritable(): Queued {
    const queued = this.#at(this.#writable)
    this.#writable += 2
    return queued
  }

  #at(i: number): Queued {
    return { v: this.#pairs[i] as Address, n: this.#pairs[i + 1] as number }
  }
}
