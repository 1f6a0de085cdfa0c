// A hold: pages stay Ready while a call works on them. Detaching a view takes it from JavaScript; a thread of the
// host that was given its address before goes on.
import type { Address } from '@memlayer/kernel'
import { STATE, TAKEN } from './share-token.js'
import type { Keep } from './shares.js'

/**
 * Ready pages that stay so until it is released: `unused`, `fault` and `free` of them throw. `region.hold()` makes
 * one, around an asynchronous call that is given a view: `using hold = region.hold(0, n)`, then `await`. A hold that
 * is dropped without a release lasts as long as the process.
 */
export class Hold {
  /** What the region is called. */
  readonly name: string
  /** Where it begins. */
  readonly address: Address
  /** Its bytes. */
  readonly size: number
  readonly #giveUp: () => void
  #released = false

  /** @internal */
  constructor(name: string, address: Address, size: number, { words, giveUp }: Keep) {
    this.name = name
    this.address = address
    this.size = size
    this.#giveUp = giveUp
    // This comes last: a script that ends before it has no hold, and one that ends after it has this object.
    words[STATE] = TAKEN
  }

  /** Whether it was released. */
  get released(): boolean {
    return this.#released
  }

  /** Lets the pages go. A second time does nothing. */
  release(): void {
    if (this.#released) return
    this.#giveUp()
    this.#released = true
  }

  /** `release()`, at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.release()
  }
}
