// Lingering: pages that are not Ready any more and are still committed, because JavaScript has seen them. Where unused
// pages trap, a call in flight or a view that was moved would end the process by its next access. So the pages lose
// what they hold and stay committed. They are decommitted when younger ones need their place: an OS that charges what
// is committed can spare little. A range that is Ready again leaves the map, and its entry of the queue is out of date.
import type { Address } from '@memlayer/kernel'
import { RangeMap } from '../ledger/range-map.js'
import type { OS } from '../os.js'
import { forgetRefusal, givesBack } from './answers.js'
import { Queue, queuedMax } from './queue.js'

/** Whether unused pages trap because they are decommitted, so that some have to stay committed. */
export function keepsCommitted(os: OS): boolean {
  return os.usedKeepsReady === true && os.traits.unusedTraps && os.sysRetireOS !== undefined
}

const none: readonly (readonly [Address, number])[] = []

/** The lingering pages of one memory. */
export class Lingering {
  readonly #os: OS
  /** 1 where pages linger. */
  readonly #pages = new RangeMap()
  readonly #queue = new Queue()
  /** Bytes of the map. */
  #bytes = 0

  constructor(os: OS) {
    this.#os = os
  }

  /** Bytes that are committed and not Ready. */
  get bytes(): number {
    return this.#bytes
  }

  /**
   * The Ready pages [v, v+n) lose what they hold, and stay committed. False: the OS can't, or they are too many, and
   * nothing has changed.
   */
  reset(v: Address, n: number): boolean {
    if (!keepsCommitted(this.#os) || n > this.#most) return false
    // They are in the map first. A script that ends here leaves no page committed that nothing knows of.
    this.#assign(v, n, 1)
    if (!givesBack(this.#os, v, n, true)) {
      this.#assign(v, n, 0)
      return false
    }
    this.#queue.push(v, n)
    while (this.#queue.length > 0 && (this.#bytes > this.#most || this.#queue.length > queuedMax)) this.#decommitFirst()
    return true
  }

  /** Takes what lingers in [v, v+n) out, as pairs of address and size. It stays committed, and reads zero. */
  take(v: Address, n: number): readonly (readonly [Address, number])[] {
    return this.#bytes === 0 ? none : this.#takeSome(v, n)
  }

  #takeSome(v: Address, n: number): readonly (readonly [Address, number])[] {
    const parts = this.#pages.within(v, n).filter(([, , lingers]) => lingers !== 0)
    for (const [at, size] of parts) this.#assign(at, size, 0)
    return parts.map(([at, size]) => [at, size])
  }

  /** Decommits all of it, because memory is short. False: there was none. */
  decommit(): boolean {
    const before = this.#bytes
    while (this.#queue.length > 0) this.#decommitFirst()
    return this.#bytes < before
  }

  /** Counts the bytes anew, because a script ended while they were being changed. */
  recount(): void {
    const pages = this.#pages
    this.#bytes = 0
    pages.seek(0)
    do if (pages.value !== 0) this.#bytes += pages.end - pages.start
    while (pages.next())
  }

  get #most(): number {
    return this.#os.quarantine?.writable ?? 0
  }

  #decommitFirst(): void {
    const { v, n } = this.#queue.shift()
    for (const [at, size] of this.take(v, n)) {
      try {
        this.#os.sysUnusedOS(at, size)
      } catch {
        // The kernel keeps them committed. Used again, they are committed already.
      }
      forgetRefusal(this.#os)
    }
  }

  #assign(v: Address, n: number, value: 0 | 1): void {
    this.#pages.assign(v, n, value)
    this.#bytes += value === 1 ? n : -n
  }
}
