// The limit on committed memory, where the OS charges memory when it is committed and not when it is touched. What is
// left is not known ahead: the limit is the host's, a job's or a user's, and others commit too. So the layer asks the
// kernel whether more would fit than it needs, and leaves the rest to the engine.
import type { Address } from '@memlayer/kernel'
import type { Operation } from '../account/observer.js'
import { OutOfMemoryError } from '../errors.js'
import type { Ledger } from '../ledger/ledger.js'
import { MIXED, READY, stateOf, type Packed } from '../ledger/states.js'
import { bytesMin, limitPart, type BudgetOptions } from '../mappings/headroom.js'
import type { OS } from '../os.js'
import { formatBytes } from '../text.js'
import { outOfMemory, takeRefusal } from './refusal.js'

/** A memory may commit so much before it asks, and between two questions. Small programs never ask. */
const bytesAhead = 2 ** 24
/** What memories commit without a question is left besides what is left to the engine. */
const bytesUnasked = 2 * bytesAhead

/** Counts down to the next question. */
export class Charge {
  readonly #os: OS
  readonly #engineHeap: number
  readonly #giveBack: () => boolean
  /** Whether the OS charges nothing, so that nothing is counted. */
  readonly #isFree: boolean
  /** Bytes that are certain to fit. */
  #granted: number = bytesAhead
  /** Bytes that are left to the engine. NaN until the first question. */
  #left = NaN

  /** `giveBack` decommits what the layer keeps only by policy. False: there was none. */
  constructor(os: OS, { engineHeap = 0 }: BudgetOptions, giveBack: () => boolean) {
    this.#os = os
    this.#engineHeap = engineHeap
    this.#giveBack = giveBack
    this.#isFree = os.sysRoomOS === undefined
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
    if (!this.#isFree) this.#count(op, v, packed === MIXED || stateOf(packed) === READY ? n - ledger.readyIn(v, n) : n)
  }

  #count(op: Operation, v: Address | null, n: number): void {
    if (n > this.#granted) this.#ask(op, v, n)
    this.#granted -= n
  }

  #ask(op: Operation, v: Address | null, n: number): void {
    const left = this.#bytesLeft()
    this.#granted = this.#grantOf(n, left)
    if (this.#granted < n && this.#giveBack()) this.#granted = this.#grantOf(n, left)
    if (this.#granted < n) throw this.#refusal(op, v, n, left)
    takeRefusal(this.#os)
  }

  /** The error: the kernel would commit no `n` bytes, or it would and they are left to the engine. */
  #refusal(op: Operation, v: Address | null, n: number, left: number): OutOfMemoryError {
    if (!this.#hasRoom(n)) return outOfMemory(this.#os, op, v, n)
    const message = `${op}: ${formatBytes(n)} do not fit, because the layer leaves ${formatBytes(left)} to the engine`
    const { hint = 'Free memory, or ask for less.', ...answer } = takeRefusal(this.#os) ?? {}
    return new OutOfMemoryError(message, { ...answer, hint, op, size: n, ...(v === null ? {} : { address: v }) })
  }

  #grantOf(n: number, left: number): number {
    if (this.#hasRoom(n + bytesAhead + left)) return n + bytesAhead
    return this.#hasRoom(n + left) ? n : 0
  }

  #hasRoom(n: number): boolean {
    return this.#os.sysRoomOS?.(n) === true
  }

  #bytesLeft(): number {
    if (!Number.isNaN(this.#left)) return this.#left
    const limit = this.#os.host?.limits?.().commitLimit ?? NaN
    const most = Math.max(this.#engineHeap, bytesMin) + bytesUnasked
    // No engine lives under a limit of which this is more than half. Then it is a test's.
    return (this.#left = limit / limitPart < most ? limit / limitPart : most)
  }
}
