// Borrows: who has Ready pages besides their owner. The layer can end a view. It can't end a hold, or a share that a
// worker has attached: then it throws. Every operation that takes pages away asks here first.
import type { Address } from '@memlayer/kernel'
import type { OS } from '../os.js'
import type { ProcessRecord } from '../process/record.js'
import type { Found } from './range-index.js'
import { Shares, type Share } from './shares.js'
import { Views } from './views.js'

/** The views, shares and holds of one memory. */
export class Borrows {
  readonly views: Views
  readonly shares: Shares

  constructor(os: OS, record: ProcessRecord | null = null, shares: Shares = new Shares(record)) {
    this.views = new Views(os)
    this.shares = shares
  }

  /** Whether nobody has pages besides their owner. */
  get isEmpty(): boolean {
    return this.shares.count === 0 && this.views.count === 0
  }

  /**
   * Returns when all borrows of [v, v+n) can be ended. Changes nothing.
   *
   * @throws UsageError ERR_MEMLAYER_SHARED for a hold or an attached share, ERR_MEMLAYER_VIEW for a moved view.
   */
  expectEndable(op: string, v: Address, n: number): void {
    this.#offersOf(op, v, n, null)
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
    let version: number
    do {
      version = this.shares.version
      const offers = this.#offersOf(op, v, n, null)
      if (offers !== null) {
        this.#viewsOf(op, v, n)
        this.shares.revoke(op, v, n, offers)
      }
      this.views.end(op, v, n)
      // Code that ran meanwhile has taken a hold, or has offered pages.
    } while (version !== this.shares.version)
  }

  /**
   * Ends all borrows of many ranges, pairs of address and size, or none.
   *
   * @throws UsageError as `end` does.
   */
  endAll(op: string, pairs: ArrayLike<number>): void {
    if (this.isEmpty) return
    let version: number
    do {
      version = this.shares.version
      let offers: Found<Share> | null = null
      for (let i = 0; i < pairs.length; i += 2) {
        const [v, n] = [pairs[i] as Address, pairs[i + 1] as number]
        if (n === 0) continue
        offers = this.#offersOf(op, v, n, offers)
        this.#viewsOf(op, v, n)
      }
      if (offers !== null) this.shares.revoke(op, pairs[0] as Address, pairs[1] as number, offers)
      for (let i = 0; i < pairs.length; i += 2) {
        if (pairs[i + 1] !== 0) this.views.end(op, pairs[i] as Address, pairs[i + 1] as number)
      }
    } while (version !== this.shares.version)
  }

  #offersOf(op: string, v: Address, n: number, found: Found<Share> | null): Found<Share> | null {
    return this.shares.count === 0 ? found : this.shares.expectOffers(op, v, n, found)
  }

  #viewsOf(op: string, v: Address, n: number): void {
    if (this.views.count > 0) this.views.expectUnmoved(op, v, n)
  }
}
