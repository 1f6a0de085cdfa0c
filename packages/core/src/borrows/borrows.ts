// Borrows: who has Ready pages besides their owner. The layer can end a view. It can't end a hold, or a share that a
// worker has attached: then it throws. Every operation that takes pages away asks here first.
import type { Address } from '@memlayer/kernel'
import { UsageError } from '../errors.js'
import type { OS } from '../os.js'
import { formatAddress } from '../text.js'
import { Shares, type Share } from './shares.js'
import { Views, type ViewEntry } from './views.js'

const nothing: readonly never[] = []

/** The views, shares and holds of one memory. */
export class Borrows {
  readonly views: Views
  readonly shares: Shares = new Shares()
  // The ranges whose borrows are being ended, start and end of each. Code that runs meanwhile, as a kernel's hooks do,
  // must leave them as they are.
  readonly #ending: number[] = []

  constructor(os: OS) {
    this.views = new Views(os)
  }

  /**
   * Returns when no operation is ending the borrows of a part of [v, v+n).
   *
   * @throws UsageError ERR_MEMLAYER_STATE when one is, and this call came from inside it.
   */
  expectSettled(op: string, v: Address, n: number): void {
    if (this.#ending.length > 0) this.#expectApart(op, v, n)
  }

  #expectApart(op: string, v: Address, n: number): void {
    const ending = this.#ending
    for (let i = 0; i < ending.length; i += 2) {
      if (v < (ending[i + 1] as number) && v + n > (ending[i] as number)) unsettled(op, v, n)
    }
  }

  /**
   * Returns when all borrows of [v, v+n) can be ended. Changes nothing.
   *
   * @throws UsageError ERR_MEMLAYER_SHARED for a hold or an attached share, ERR_MEMLAYER_VIEW for a moved view.
   */
  expectEndable(op: string, v: Address, n: number): void {
    this.#offersOf(op, v, n)
    this.#viewsOf(op, v, n)
  }

  /**
   * Ends all borrows of [v, v+n), or none.
   *
   * @throws UsageError as `expectEndable` does.
   */
  end(op: string, v: Address, n: number): void {
    if (this.shares.count === 0 && this.views.count === 0) return
    const offers = this.#offersOf(op, v, n)
    const views = this.#viewsOf(op, v, n)
    if (offers.length > 0) this.shares.revoke(op, v, n, offers)
    if (views.length > 0) this.#detach(views, [v, n])
  }

  /**
   * Ends all borrows of many ranges, pairs of address and size, or none.
   *
   * @throws UsageError as `expectEndable` does.
   */
  endAll(op: string, pairs: ArrayLike<number>): void {
    if (this.shares.count === 0 && this.views.count === 0) return
    const offers: Share[] = []
    const views: ViewEntry[] = []
    for (let i = 0; i < pairs.length; i += 2) {
      const [v, n] = [pairs[i] as Address, pairs[i + 1] as number]
      if (n === 0) continue
      for (const offer of this.#offersOf(op, v, n)) offers.push(offer)
      for (const view of this.#viewsOf(op, v, n)) views.push(view)
    }
    if (offers.length > 0) this.shares.revoke(op, pairs[0] as Address, pairs[1] as number, offers)
    if (views.length > 0) this.#detach(views, pairs)
  }

  #offersOf(op: string, v: Address, n: number): readonly Share[] {
    return this.shares.count === 0 ? nothing : this.shares.expectOffers(op, v, n)
  }

  #viewsOf(op: string, v: Address, n: number): readonly ViewEntry[] {
    return this.views.count === 0 ? nothing : this.views.expectUnmoved(op, v, n)
  }

  #detach(views: readonly ViewEntry[], pairs: ArrayLike<number>): void {
    const ending = this.#ending
    for (let i = 0; i < pairs.length; i += 2) {
      ending.push(pairs[i] as Address, (pairs[i] as Address) + (pairs[i + 1] as number))
    }
    try {
      this.views.detach(views)
    } finally {
      ending.length -= pairs.length
    }
  }
}

function unsettled(op: string, v: Address, n: number): never {
  const message = `${op}(${formatAddress(v)}, ${n}): an operation is giving this range back and is detaching its views`
  const hint = 'Wait until that operation has ended.'
  throw new UsageError('ERR_MEMLAYER_STATE', message, { op, address: v, size: n, hint })
}
