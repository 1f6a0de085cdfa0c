// Idle: Prepared pages that still have their memory. To the account they are Prepared; the OS was not asked yet. Used
// again, they cost no call and no page fault. The scavenger gives back what stays idle (scavenger.ts).
//
// Each idle page has its age: the number of the turn in which it became idle. A turn ends when the scavenger has run.
// A script may end at any call here. What is lost then is the knowledge that pages are idle: they stay Prepared, keep
// their memory until they are used again or freed, and no promise breaks. The other way round is never so: a page that
// was given back is not idle.
import type { Address } from '@memlayer/kernel'
import { Gauge } from '../ledger/gauge.js'
import { RangeMap } from '../ledger/range-map.js'

/** Ages are small whole numbers. The oldest become one age when there would be more. */
const turnsMax = 2 ** 30

/** The idle pages of one memory. */
export class Idle {
  /** The turn in which a page became idle; 0: it is not idle. */
  readonly #turns = new RangeMap()
  #bytes = 0
  /** The bytes, for other threads. */
  readonly gauge: Gauge = new Gauge()
  #turn = 1

  /** Bytes that are idle. */
  get bytes(): number {
    return this.#bytes
  }

  /** The number of this turn. */
  get turn(): number {
    return this.#turn
  }

  /** Ends a turn. */
  nextTurn(): void {
    if (this.#turn < turnsMax) this.#turn += 1
  }

  /** [v, v+n) became Prepared and keeps its memory. */
  add(v: Address, n: number): void {
    if (!this.#turns.put(v, n, this.#turn)) this.#turns.assign(v, n, this.#turn)
    this.#bytes += n
    this.gauge.set(this.#bytes)
  }

  /** Whether all of [v, v+n) is idle. */
  has(v: Address, n: number): boolean {
    if (this.#bytes === 0) return false
    const turns = this.#turns
    turns.seek(v)
    if (turns.value === 0) return false
    while (!turns.reaches(v, n)) {
      turns.next()
      if (turns.value === 0) return false
    }
    return true
  }

  /** [v, v+n) is idle no more. */
  forget(v: Address, n: number): void {
    if (this.#bytes !== 0) this.#forget(v, n)
  }

  /** The idle parts of [v, v+n), as pairs of address and size. */
  within(v: Address, n: number): Address[] {
    const parts = this.#bytes === 0 ? [] : this.#turns.within(v, n)
    return parts.filter(([, , turn]) => turn !== 0).flatMap(([at, size]) => [at, size])
  }

  /** How many bytes of [v, v+n) are idle. */
  bytesIn(v: Address, n: number): number {
    return this.#bytes === 0 ? 0 : bytesOf(this.within(v, n))
  }

  /**
   * Calls `visit` with each idle range and its turn, in order of address from `v` on, until it returns false. It must
   * not change what is idle.
   */
  walk(v: Address, visit: (at: Address, size: number, turn: number) => boolean): void {
    const turns = this.#turns
    turns.seek(v)
    let start = v
    let turn = turns.value
    while (turns.next()) {
      const end = turns.start
      if (turn !== 0 && !visit(start, end - start, turn)) return
      start = end
      turn = turns.value
    }
  }

  /** Counts the bytes anew, because a script ended while they were being changed. */
  recount(): void {
    this.#bytes = 0
    this.walk(0, (_, size) => {
      this.#bytes += size
      return true
    })
    this.gauge.set(this.#bytes)
  }

  #forget(v: Address, n: number): void {
    const turns = this.#turns
    turns.seek(v)
    const idle = !turns.reaches(v, n) ? bytesOf(this.within(v, n)) : turns.value === 0 ? 0 : n
    if (idle === 0) return
    if (!turns.put(v, n, 0)) turns.assign(v, n, 0)
    this.#bytes -= idle
    this.gauge.set(this.#bytes)
  }
}

/** The bytes of pairs of address and size. */
export function bytesOf(pairs: readonly number[]): number {
  return pairs.reduce((bytes, size, i) => (i % 2 === 1 ? bytes + size : bytes), 0)
}
