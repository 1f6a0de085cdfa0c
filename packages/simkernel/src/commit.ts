// Memory that is promised before it is used: Linux's vm.overcommit_memory, the swap that Solaris sets aside, and
// Windows's commit charge.

/** Promised memory and its limit. */
export class Commit {
  #limit: number
  #largest: number
  #committed = 0

  /** `limit` is the most that may be promised in all, `largest` the most in one piece. */
  constructor(limit: number, largest: number) {
    this.#limit = limit
    this.#largest = largest
  }

  /** Sets both limits anew. What is promised already stays promised. */
  setLimits(limit: number, largest: number): void {
    this.#limit = limit
    this.#largest = largest
  }

  /** Bytes that are promised. */
  get committed(): number {
    return this.#committed
  }

  /** Promises `n` more bytes. Returns false when the limit is reached. */
  promise(n: number): boolean {
    if (n > 0 && (n > this.#largest || this.#committed + n > this.#limit)) return false
    this.#committed += n
    return true
  }

  /** Takes back the promise of `n` bytes. */
  release(n: number): void {
    this.#committed -= n
  }
}
