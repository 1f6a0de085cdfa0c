// The threads that have a shared heap: a slot for each. A span names its owner by the slot. A slot serves another
// thread only when a sweep has found that no page names it: see `giveUp` in spans.ts.
import type { Memory, OS } from '@memlayer/core'
import { aboveShift, kindMask, slotWords, type Layout } from './layout.js'

/** Nothing names the slot. */
const UNUSED = 0
/** A token with it was made. The worker has not attached. */
const OFFERED = 1
/** A thread has it. */
const LIVE = 2
/** Its thread has ended, and the host does not tell of threads. */
const OVER = 3
/** A thread sweeps up behind it. Above is that thread's slot. */
const SWEPT = 4

// Words of a slot.
const STATE = 0
/** The kernel's number of its thread; 0: the host does not tell. */
const THREAD = 1
/** The engine's number of its thread, plus one. It is never given to a later thread, as the kernel's is. */
const ENGINE_THREAD = 2

/** What the kernel tells of threads. */
type ProcessTable = ReturnType<NonNullable<NonNullable<OS['host']>['processTable']>>

/** The slots of a heap, as one thread sees them. */
export class Slots {
  readonly #words: Int32Array
  readonly #layout: Layout
  readonly #table: ProcessTable

  constructor(words: Int32Array, layout: Layout, memory: Memory) {
    this.#words = words
    this.#layout = layout
    this.#table = memory.os.host?.processTable?.() ?? null
  }

  /** Takes a slot for a thread that will attach; 0: all are in use. */
  offer(): number {
    for (let slot = 1; slot < this.#layout.slots; slot++) if (this.#change(slot, UNUSED, OFFERED)) return slot
    return 0
  }

  /** Takes an offer back. False: a thread has attached. */
  withdraw(slot: number): boolean {
    return this.#change(slot, OFFERED, UNUSED)
  }

  /** This thread has the slot that it was offered. False: the offer was taken back. */
  enter(slot: number): boolean {
    const at = this.#at(slot)
    // A thread that ends from here on is known by its number.
    Atomics.store(this.#words, at + THREAD, this.#table?.thread ?? 0)
    Atomics.store(this.#words, at + ENGINE_THREAD, (this.#table?.engineThread ?? -1) + 1)
    return this.#change(slot, OFFERED, LIVE)
  }

  /** Whether it is offered. */
  isOffered(slot: number): boolean {
    return slot > 0 && slot < this.#layout.slots && this.#state(slot) === OFFERED
  }

  /** Whether a page may name the slot: a thread has it, or a sweep is not done. */
  isInUse(slot: number): boolean {
    return slot > 0 && slot < this.#layout.slots && this.#state(slot) >= LIVE
  }

  /** Threads that have the heap. */
  get live(): number {
    let count = 0
    for (let slot = 1; slot < this.#layout.slots; slot++) if (this.#state(slot) === LIVE) count += 1
    return count
  }

  /** The thread of a slot has ended. Only where the kernel does not tell of threads, the caller is believed. */
  believeEnd(slot: number): void {
    if (this.#words[this.#at(slot) + THREAD] === 0) void this.#change(slot, LIVE, OVER)
  }

  /**
   * Takes the sweeping of `slot` for the thread of the slot `own`. False: its thread lives, or another one sweeps. A
   * sweeper that ended in the middle is followed by another one.
   */
  beginSweep(slot: number, own: number): boolean {
    const state = this.#state(slot)
    const kind = state & kindMask
    if (state === UNUSED || state === OFFERED || slot === own) return false
    if (state === LIVE && !this.#hasEnded(slot)) return false
    if (kind === SWEPT && !this.#hasEnded(state >>> aboveShift)) return false
    return this.#change(slot, state, SWEPT | (own << aboveShift))
  }

  /** No page names the slot. It may serve another thread. */
  endSweep(slot: number): void {
    Atomics.store(this.#words, this.#at(slot), UNUSED)
  }

  /** The slots that the thread of `slot` was sweeping. */
  sweptBy(slot: number): number[] {
    const found: number[] = []
    for (let other = 1; other < this.#layout.slots; other++)
      if (this.#state(other) === (SWEPT | (slot << aboveShift))) found.push(other)
    return found
  }

  /**
   * Whether the thread of a slot has ended. The kernel's word counts. Where the host does not tell, the creator hears
   * of the end, and the slot is over.
   */
  #hasEnded(slot: number): boolean {
    const at = this.#at(slot)
    const thread = Atomics.load(this.#words, at + THREAD)
    const table = this.#table
    if (this.#state(slot) !== LIVE) return true
    if (table === null || thread === 0) return false
    if (!table.isThread(thread)) return true
    return thread === table.thread && Atomics.load(this.#words, at + ENGINE_THREAD) !== table.engineThread + 1
  }

  #state(slot: number): number {
    return Atomics.load(this.#words, this.#at(slot) + STATE)
  }

  #change(slot: number, from: number, to: number): boolean {
    return Atomics.compareExchange(this.#words, this.#at(slot) + STATE, from, to) === from
  }

  #at(slot: number): number {
    return this.#layout.slotsAt + slot * slotWords
  }
}
