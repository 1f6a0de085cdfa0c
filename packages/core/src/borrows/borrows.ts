// Borrows: who has Ready pages besides their owner. The layer can end a view. It can't end a hold, or a share that a
// worker has attached: then it throws. Every operation that takes pages away asks here first.
import type { Address } from '@memlayer/kernel'
import type { OS } from '../os.js'
import { Shares, type Share } from './shares.js'
import { Views } from './views.js'

const nothing: readonly never[] = []

/** The views, shares and holds of one memory. */
export class Borrows {
  readonly views: Views
  readonly shares: Shares

  constructor(os: OS, shares: Shares = new Shares()) {
    this.views = new Views(os)
    this.shares = shares
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
   * Ends all borrows of [v, v+n), or none where one can't be ended. Code that runs meanwhile, as a kernel's hooks do,
   * may operate on the memory. So its caller proves the range again where the ledger's version changed.
   *
   * @throws UsageError as `expectEndable` does, and ERR_MEMLAYER_VIEW when a view can't be detached: those before it
   * have ended then.
   */
  end(op: string, v: Address, n: number): void {
    if (this.shares.count === 0 && this.views.count === 0) return
    const offers = this.#offersOf(op, v, n)
    if (offers.length > 0) {
      this.#viewsOf(op, v, n)
      this.shares.revoke(op, v, n, offers)
    }
    this.views.end(op, v, n)
  }

  /**
   * Ends all borrows of many ranges, pairs of address and size, or none.
   *
   * @throws UsageError as `end` does.
   */
  endAll(op: string, pairs: ArrayLike<number>): void {
    if (this.shares.count === 0 && this.views.count === 0) return
    const offers: Share[] = []
    for (let i = 0; i < pairs.length; i += 2) {
      const [v, n] = [pairs[i] as Address, pairs[i + 1] as number]
      if (n === 0) continue
      for (const offer of this.#offersOf(op, v, n)) offers.push(offer)
      this.#viewsOf(op, v, n)
    }
    if (offers.length > 0) this.shares.revoke(op, pairs[0] as Address, pairs[1] as number, offers)
    for (let i = 0; i < pairs.length; i += 2) {
      if (pairs[i + 1] !== 0) this.views.end(op, pairs[i] as Address, pairs[i + 1] as number)
    }
  }

  #offersOf(op: string, v: Address, n: number): readonly Share[] {
    return this.shares.count === 0 ? nothing : this.shares.expectOffers(op, v, n)
  }

  #viewsOf(op: string, v: Address, n: number): void {
    if (this.views.count > 0) this.views.expectUnmoved(op, v, n)
  }
}
