// The worker's side of a share: the owner's Ready pages, with views of this thread's own.
import type { Address } from '@memlayer/kernel'
import { UsageError } from '../errors.js'
import type { OS } from '../os.js'
import { tableOf } from '../process/record.js'
import { show } from '../text.js'
import { readOffer, type ShareToken } from './share-token.js'
import { checkElements, elementSize, type ViewConstructor, type ViewOf } from './view-types.js'
import { Views } from './views.js'

// Its views keep it alive, so one that is collected has no view left.
const dropped = new FinalizationRegistry<() => void>((giveUp) => giveUp())

/**
 * Pages that another thread owns. They stay Ready until this object is released, or is collected with its views.
 * `Atomics` on its integer views works across the threads that have the bytes. `Atomics.wait` does not: engines
 * allow it over a SharedArrayBuffer only.
 */
export class SharedRegion {
  readonly #address: Address
  readonly #size: number
  readonly #name: string
  readonly #views: Views
  readonly #giveUp: () => void
  #released = false
  #gaveUp = false

  /** @internal */
  constructor(os: OS, token: ShareToken) {
    const { name, address, size, take, giveUp } = readOffer(token, os.name, tableOf(os))
    this.#giveUp = giveUp
    this.#views = new Views(os)
    this.#address = address
    this.#size = size
    this.#name = name
    dropped.register(this, giveUp, this)
    // This comes last: a script that ends before it has taken nothing, and what it took after it is given up when this
    // object is collected.
    take()
  }

  /** Where it begins. */
  get address(): Address {
    return this.#address
  }

  /** Its bytes. */
  get size(): number {
    return this.#size
  }

  /** What the owner calls the region. */
  get name(): string {
    return this.#name
  }

  /** Whether it was released. */
  get released(): boolean {
    return this.#released
  }

  /**
   * A typed array or DataView over the bytes at `offset`; `release()` detaches it. `length` counts elements. Default:
   * to the end.
   */
  view<T extends ArrayBufferView>(type: ViewConstructor<T>, offset = 0, length?: number): ViewOf<T> {
    if (this.#released) {
      throw new UsageError('ERR_MEMLAYER_DISPOSED', `view: the share of '${this.name}' was released`, {
        op: 'view',
        region: this.name,
        hint: "Ask the region's owner for another share.",
      })
    }
    const element = elementSize('view', type)
    const isOffset = Number.isSafeInteger(offset) && offset >= 0 && offset <= this.size
    const count = length === undefined && isOffset ? Math.floor((this.size - offset) / element) : length
    const bytes = typeof count === 'number' ? count * element : NaN
    if (!(isOffset && offset + bytes <= this.size)) this.#outside(offset, length)
    checkElements('view', type, element, this.address + offset, count as number)
    return this.#views.make(type, this.address + offset, count as number, bytes, this) as ViewOf<T>
  }

  /**
   * Detaches this thread's views and lets the owner have the pages. A second time does nothing.
   *
   * @throws UsageError ERR_MEMLAYER_VIEW when the bytes of such a view were transferred, or it can't be detached. The
   * share then goes on.
   */
  release(): void {
    if (this.#gaveUp) return
    this.#views.end('release', this.address, this.size)
    // No view is made from here on. Then the owner may have the pages.
    this.#released = true
    this.#giveUp()
    this.#gaveUp = true
    dropped.unregister(this)
  }

  /** `release()`, at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.release()
  }

  #outside(offset: unknown, length: unknown): never {
    const share = `the share of '${this.name}', ${this.size} bytes`
    const what =
      length === undefined
        ? `the offset ${show(offset)} does not lie`
        : `${show(length)} elements at ${show(offset)} do not lie`
    const message = `view: ${what} within ${share}`
    throw new UsageError('ERR_MEMLAYER_RANGE', message, {
      op: 'view',
      region: this.name,
      hint: 'Pass an offset in bytes from the start of the share, and a length in elements.',
    })
  }
}
