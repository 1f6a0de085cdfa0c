// The worker's side of a share: the owner's Ready pages, with views of this thread's own.
import type { Address } from '@memlayer/kernel'
import { show } from './check.js'
import { UsageError } from './errors.js'
import { takeUp, type ShareToken } from './shares.js'
import { bytesOf, Views, type ViewConstructor } from './views.js'
import type { OS } from './os.js'

// Its views keep it alive, so that one which is collected has none left.
const dropped = new FinalizationRegistry<() => void>((giveUp) => giveUp())

/**
 * Pages that another thread owns, held Ready until this object is released, or is collected with its
 * views. `Atomics` on its integer views works across the threads that hold the bytes; `Atomics.wait` does
 * not, which engines allow over a SharedArrayBuffer only.
 */
export class SharedRegion {
  /** Where it begins. */
  readonly address: Address
  /** Its bytes. */
  readonly size: number
  /** What the owner calls the region. */
  readonly name: string
  readonly #views: Views
  readonly #giveUp: () => void
  #released = false

  /** Made by `memory.attach()`. */
  constructor(os: OS, token: ShareToken) {
    const { name, address, size, giveUp } = takeUp(token, os.name)
    this.#giveUp = giveUp
    this.#views = new Views(os)
    this.address = address
    this.size = size
    this.name = name
    dropped.register(this, giveUp, this)
  }

  /** Whether it has been released. */
  get released(): boolean {
    return this.#released
  }

  /** A typed array or DataView over the bytes at `offset`; detached by `release()`. */
  view<T extends object>(type: ViewConstructor<T>, offset: number, length: number): T {
    if (this.#released) {
      throw new UsageError('ERR_MEMLAYER_DISPOSED', `view: the share of '${this.name}' has been released`, {
        hint: "Ask the region's owner for another.",
      })
    }
    const isOffset = Number.isSafeInteger(offset) && offset >= 0
    const bytes = isOffset ? bytesOf(type, this.address + offset, length) : NaN
    if (!(isOffset && offset + bytes <= this.size)) {
      const message = `view: ${show(length)} elements at ${show(offset)} do not lie within the share of '${this.name}', ${this.size} bytes`
      throw new UsageError('ERR_MEMLAYER_RANGE', message, {
        hint: 'Offsets are bytes from the start of what was shared.',
      })
    }
    return this.#views.make(type, this.address + offset, length, bytes, this)
  }

  /**
   * Detaches this thread's views and lets the owner have the pages. A second time does nothing.
   *
   * @throws UsageError ERR_MEMLAYER_VIEW when the bytes of such a view were transferred; the share is still held.
   */
  release(): void {
    if (this.#released) return
    this.#views.detach('release', this.address, this.size)
    this.#released = true
    dropped.unregister(this)
    this.#giveUp()
  }

  /** `release()`, at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.release()
  }
}
