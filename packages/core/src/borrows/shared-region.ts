// The worker's side of a share: the owner's Ready pages, with views of this thread's own.
import { alignDown, alignUp, placeBuffer, type Address } from '@memlayer/kernel'
import { UsageError } from '../errors.js'
import type { OS } from '../os.js'
import { tableOf } from '../process/record.js'
import { named, show } from '../text.js'
import { lend, lendAll, type Lender } from './lend.js'
import { readOffer, type EngineBytes, type ShareToken } from './share-token.js'
import { checkElements, elementSize, type ViewConstructor, type ViewOf } from './view-types.js'
import { Views } from './views.js'

// Its views keep it alive, so one that is collected has no view left.
const dropped = /* @__PURE__ */ new FinalizationRegistry<() => void>((giveUp) => giveUp())

/**
 * Pages that another thread owns. They stay Ready until this object is released, or is collected with its views.
 * `Atomics` on its integer views works across the threads that have the bytes. `Atomics.wait` needs memory of the
 * engine (`memlayer/engine`): engines allow it over a SharedArrayBuffer only.
 */
export class SharedRegion {
  readonly #address: Address
  readonly #size: number
  readonly #name: string
  readonly #views: Views
  readonly #giveUp: () => void
  readonly #page: number
  #released = false
  /** The number of views that are lent. */
  #lent = 0
  #gaveUp = false

  /** @internal */
  constructor(os: OS, token: ShareToken) {
    const { name, address, size, bytes, take, giveUp } = readOffer(token, os.name, tableOf(os))
    this.#giveUp = giveUp
    this.#views = new Views(bytes === null ? os : windowsOn(os, bytes, address))
    this.#page = os.traits.pageSize
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
    return this.#view('view', type, offset, length)
  }

  /** A view until what `use` returns has settled. Until then `release()` is refused. See {@link Region.lend}. */
  lend<T extends ArrayBufferView, R>(
    type: ViewConstructor<T>,
    offset: number,
    length: number | undefined,
    use: (view: ViewOf<T>) => R | PromiseLike<R>,
  ): Promise<R> {
    return lend(this.#lender('lend'), type, offset, length, use)
  }

  /** `lend` over several ranges at once: pairs of offset in bytes and length in elements, one after the other. */
  lendAll<T extends ArrayBufferView, R>(
    type: ViewConstructor<T>,
    ranges: ArrayLike<number>,
    use: (views: ViewOf<T>[]) => R | PromiseLike<R>,
  ): Promise<R> {
    return lendAll(this.#lender('lendAll'), type, ranges, use)
  }

  #lender(op: string): Lender {
    return {
      name: this.name,
      lendOne: (type, offset, length) => {
        const view = this.#view(op, type, offset, length)
        this.#lent += 1
        const end = (): void => this.#views.endOne(op, this.address + offset, view.byteLength, view.buffer)
        return { view, end, release: () => void (this.#lent -= 1) }
      },
    }
  }

  #view<T extends ArrayBufferView>(
    op: string,
    type: ViewConstructor<T>,
    offset: number,
    length: number | undefined,
  ): ViewOf<T> {
    if (this.#released) {
      throw new UsageError('ERR_MEMLAYER_DISPOSED', `${op}: the share of '${this.name}' was released`, {
        op,
        region: this.name,
        hint: "Ask the region's owner for another share.",
      })
    }
    const element = elementSize(op, type)
    const isOffset = Number.isSafeInteger(offset) && offset >= 0 && offset <= this.size
    const count = length === undefined && isOffset ? Math.floor((this.size - offset) / element) : length
    const bytes = typeof count === 'number' ? count * element : NaN
    if (!(isOffset && offset + bytes <= this.size)) this.#outside(op, offset, length)
    checkElements(op, type, element, this.address + offset, count as number)
    const isOwn = op !== 'view' || !this.#hasPagesOf(offset, bytes)
    return this.#views.make(type, this.address + offset, count as number, bytes, this, isOwn) as ViewOf<T>
  }

  /** Whether the whole pages that [offset, offset+bytes) lies in are of the share. Views share buffers of such. */
  #hasPagesOf(offset: number, bytes: number): boolean {
    const v = this.address + offset
    const end = alignUp(v + bytes, this.#page)
    return alignDown(v, this.#page) >= this.address && end <= this.address + this.size
  }

  /**
   * Detaches this thread's views and lets the owner have the pages. A second time does nothing.
   *
   * @throws UsageError ERR_MEMLAYER_VIEW when the bytes of such a view were transferred, or it can't be detached. The
   * share then goes on. ERR_MEMLAYER_SHARED while a view is lent.
   */
  release(): void {
    if (this.#gaveUp) return
    if (this.#lent > 0) {
      const message = `release: lend() of the share of '${this.name}' has not ended`
      const hint = 'Wait until what lend() returned has settled, and try again.'
      throw new UsageError('ERR_MEMLAYER_SHARED', message, { op: 'release', region: this.name, hint })
    }
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

  /** What console.log prints. */
  toString(): string {
    return `${named('Share of', this)}${this.#released ? ', released' : ''}`
  }

  #outside(op: string, offset: unknown, length: unknown): never {
    const share = `the share of '${this.name}', ${this.size} bytes`
    const what =
      length === undefined
        ? `the offset ${show(offset)} does not lie`
        : `${show(length)} elements at ${show(offset)} do not lie`
    const message = `${op}: ${what} within ${share}`
    throw new UsageError('ERR_MEMLAYER_RANGE', message, {
      op,
      region: this.name,
      hint: 'Pass an offset in bytes from the start of the share, and a length in elements.',
    })
  }
}

/** What makes views on a buffer of the engine, which this thread's backend does not know. */
function windowsOn(
  { traits }: OS,
  { buffer, byteOffset }: EngineBytes,
  v: Address,
): Pick<OS, 'traits' | 'view' | 'detach'> {
  placeBuffer(buffer, v - byteOffset)
  return { traits, view: () => buffer as unknown as ArrayBuffer }
}
