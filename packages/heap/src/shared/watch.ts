// The ends of workers that were given a heap, as its creator hears of them. What a worker leaves is swept then. Where
// the kernel tells of threads, any thread that needs pages looks as well, so an event that does not come costs room
// for a while.
import type { WorkerLike } from '@memlayer/core'
import type { Slots } from './slots.js'

/** A slot, as it was offered to one worker. */
interface Offer {
  readonly slot: number
}

/** What the creator of a heap has offered. */
export class Watch {
  readonly #slots: Slots
  readonly #sweep: () => void
  /** By worker: what it was offered, by slot. */
  readonly #offers = new WeakMap<WorkerLike, Map<number, Offer>>()
  /** By slot: the last offer of it. */
  readonly #last: (Offer | undefined)[] = []
  #isOver = false

  /** `sweep` is called when a worker has ended. */
  constructor(slots: Slots, sweep: () => void) {
    this.#slots = slots
    this.#sweep = sweep
  }

  /** A slot was offered to a worker. */
  add(worker: WorkerLike, slot: number): void {
    const offer = { slot }
    this.#last[slot] = offer
    const known = this.#offers.get(worker)
    const offers = known ?? new Map<number, Offer>()
    offers.set(slot, offer)
    if (known !== undefined) return
    this.#offers.set(worker, offers)
    const { once, addEventListener } = worker
    const listener = (): void => this.#ended(offers.values())
    if (typeof once === 'function') once.call(worker, 'exit', listener)
    else addEventListener?.call(worker, 'close', listener)
  }

  #ended(offers: Iterable<Offer>): void {
    if (this.#isOver) return
    for (const offer of offers) {
      // The slot may serve another worker since.
      if (this.#last[offer.slot] !== offer) continue
      if (!this.#slots.withdraw(offer.slot)) this.#slots.believeEnd(offer.slot)
    }
    this.#sweep()
  }

  /** The heap is not there any more. */
  end(): void {
    this.#isOver = true
  }
}
