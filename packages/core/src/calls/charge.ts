// The limit on committed memory, where the OS charges memory when it is committed and not when it is touched. What is
// left is not known ahead: the limit is the host's, a job's or a user's, and others commit too. So the layer asks the
// kernel whether more would fit than it needs, and leaves the rest to the engine.
import type { Address } from '@memlayer/kernel'
import type { Operation } from '../account/observer.js'
import { OutOfMemoryError } from '../errors.js'
import type { Ledger } from '../ledger/ledger.js'
import type { Packed } from '../ledger/states.js'
import { bytesMin, limitPart, type BudgetOptions } from '../mappings/headroom.js'
import type { OS } from '../os.js'
import { formatBytes } from '../text.js'
import { outOfMemory, takeRefusal } from './refusal.js'

/**
 * A memory may commit so much between two questions, and the first one of a process before it asks. Small programs
 * never ask.
 */
const bytesAhead = 2 ** 24
/** A memory that is not the first commits so much before it asks, while all of them have less than `bytesAhead`. */
const bytesOfLater = 2 ** 23
/** Besides what is left to the engine, what memories commit without a question: this, and `bytesAhead` for each. */
const bytesUnasked = bytesAhead

/** The memories of a process besides one's own. Each may commit without a question what it was granted. */
export interface Others {
  /** How many there are. */
  memories(): number
  /** Bytes that they and one's own have Ready or idle. */
  allBytes(): number
}

/** Counts down to the next question. */
export class Charge {
  readonly #os: OS
  readonly #engineHeap: number
  readonly #giveBack: () => boolean
  readonly #others: Others
  /** Whether the OS charges nothing, so that nothing is counted. */
  readonly #isFree: boolean
  /** Bytes that are certain to fit. */
  #granted: number
  /** Bytes that may still be committed without a question while the process has little. */
  #unasked: number
  /** The most bytes that are left to the engine. NaN until the first question. */
  #leftMax = NaN

  /** `giveBack` decommits what the layer keeps only by policy. False: there was none. */
  constructor(os: OS, { engineHeap = 0 }: BudgetOptions, giveBack: () => boolean, others: Others) {
    this.#os = os
    this.#engineHeap = engineHeap
    this.#giveBack = giveBack
    this.#others = others
    this.#isFree = os.sysRoomOS === undefined
    // Only one memory begins with a grant. Many at a limit would take what is left to the engine.
    const isFirst = this.#isFree || others.memories() === 0
    this.#granted = isFirst ? bytesAhead : 0
    this.#unasked = isFirst ? 0 : bytesOfLater
  }

  /**
   * `n` bytes are about to be committed, at `v` where that is known.
   *
   * @throws OutOfMemoryError where they would leave the engine too little.
   */
  take(op: Operation, v: Address | null, n: number): void {
    if (!this.#isFree) this.#count(op, v, n)
  }

  /** `take` of what is not Ready of [v, v+n), which the ledger has as `packed`. */
  takeUnready(op: Operation, v: Address, n: number, packed: Packed, ledger: Ledger): void {
    if (!this.#isFree) this.#count(op, v, n - ledger.readyOf(v, n, packed))
  }

  #count(op: Operation, v: Address | null, n: number): void {
    if (n > this.#granted) this.#ask(op, v, n)
    this.#granted -= n
  }

  #ask(op: Operation, v: Address | null, n: number): void {
    if (n <= this.#unasked && this.#others.allBytes() + n <= bytesAhead) {
      this.#unasked -= n
      this.#granted = n
      return
    }
    const left = this.#bytesLeft()
    // One question. A question that the kernel grants takes the bytes for a moment, and a thread of the engine that
    // wants memory just then is refused. So a memory that is near the limit is not asked about with less.
    const granted = n + Math.min(bytesAhead, left)
    if (!this.#hasRoom(granted + left) && !(this.#giveBack() && this.#hasRoom(granted + left)))
      throw this.#refusal(op, v, n, left)
    this.#granted = granted
    takeRefusal(this.#os)
  }

  #refusal(op: Operation, v: Address | null, n: number, left: number): OutOfMemoryError {
    const rest = `besides the ${formatBytes(left)} that the layer leaves to the engine`
    return outOfMemory(this.#os, op, v, n, rest)
  }

  #hasRoom(n: number): boolean {
    return this.#os.sysRoomOS?.(n) === true
  }

  /** Bytes that are left to the engine. */
  #bytesLeft(): number {
    if (Number.isNaN(this.#leftMax)) {
      const limit = this.#os.host?.limits?.().commitLimit ?? NaN
      // No engine lives under a limit of which more than this would be left. Then it is a test's.
      this.#leftMax = Number.isNaN(limit) ? Infinity : limit / limitPart
    }
    const unasked = bytesUnasked + bytesAhead * (1 + this.#others.memories())
    return Math.min(Math.max(this.#engineHeap, bytesMin) + unasked, this.#leftMax)
  }
}
