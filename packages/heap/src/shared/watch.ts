// The ends of workers that were given a heap, as its creator hears of them. What a worker leaves is swept then. Where
// the kernel tells of threads, any thread that needs pages looks as well, so an event that does not come costs room
// for a while.
import type { WorkerLike } from '@memlayer/core'
import type { Slots } from './slots.js'
import { onWorkerEnd } from './worker-ends.js'

/** What the creator of a heap has offered. */
export class Watch {
  readonly #slots: Slots
  readonly #sweep: () => void
  /** By slot: what ends the last offer of it. */
  readonly #ends = new Map<number, () => void>()

  /** `sweep` is called when a worker has ended. */
  constructor(slots: Slots, sweep: () => void) {
    this.#slots = slots
    this.#sweep = sweep
  }

  /** A slot was offered to a worker. */
  add(worker: WorkerLike, slot: number): void {
    // The slot served another worker before.
    this.#ends.get(slot)?.()
    this.#ends.set(
      slot,
      onWorkerEnd(worker, () => this.#ended(slot)),
    )
  }

  #ended(slot: number): void {
    this.#ends.get(slot)?.()
    this.#ends.delete(slot)
    try {
      if (!this.#slots.withdraw(slot)) this.#slots.believeEnd(slot)
      this.#sweep()
    } catch {
      // Its pages are not there, or a program has written to its words. An event has no caller who could hear of that:
      // the next call of the heap throws.
    }
  }

  /** The heap is not there any more. */
  end(): void {
    for (const end of this.#ends.values()) end()
    this.#ends.clear()
  }
}
