// Pins: which thread may set bits in the bitmap of the span that begins at a page. A thread allocates in a span that it
// owns and has pinned. Any thread may take an empty span from its owner, or one that is not pinned: it changes the word
// of the page, and the pin stays.
//
// The owner looks at the word after each bit that it has set. If the word names another thread by then, the bit did
// nothing: the owner clears it, and lets go of the pin. The thread that took the span looks at the bits after it has
// changed the word. So of the two at least one sees the other.
//
// No new span begins at a page that is pinned, so a late bit never falls into a bitmap that means
// something else. A large object, or a further page of a span, has no bitmap of its own and may lie there.
import type { Layout } from './layout.js'

/** The pins of a heap, as the thread of one slot sets them. */
export class Pins {
  readonly #words: Int32Array
  readonly #at: number
  readonly #slot: number

  constructor(words: Int32Array, { pinsAt }: Layout, slot: number) {
    this.#words = words
    this.#at = pinsAt
    this.#slot = slot
  }

  /** Pins a page. False: it is pinned. */
  take(page: number): boolean {
    return Atomics.compareExchange(this.#words, this.#at + page, 0, this.#slot) === 0
  }

  /** Lets go of a page that this thread has pinned. */
  drop(page: number): void {
    Atomics.store(this.#words, this.#at + page, 0)
  }

  /** Whether a thread has pinned a page. */
  has(page: number): boolean {
    return Atomics.load(this.#words, this.#at + page) !== 0
  }

  /** No page below `end` is pinned by `slot` from now on. Its thread has ended, or is this one. */
  dropAll(slot: number, end: number): void {
    for (let at = this.#at + 1; at < this.#at + end; at++)
      if (this.#words[at] === slot) void Atomics.compareExchange(this.#words, at, slot, 0)
  }
}
