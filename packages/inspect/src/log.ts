// The log: a memory's last operations, and the kernel's answer to each.
import type { Memory, MemoryEvent } from '@memlayer/core'
import type { LogEntry } from './snapshot.js'

/** Keeps the last operations of a memory until `end` is called. */
export class Log {
  readonly #entries: LogEntry[] = []
  /** How many operations are kept. */
  readonly most: number
  #count = 0
  /** Stops the log. */
  readonly end: () => void

  constructor(memory: Memory, most: number = 1000) {
    this.most = most
    this.end = memory.observe((event) => this.#add(event))
  }

  /** The last operations, the oldest first. */
  entries(): readonly LogEntry[] {
    return this.most > 0 ? this.#entries.slice(-this.most) : []
  }

  /** The kept operations after the first `seen`, and how many operations there were before those. */
  since(seen: number): { readonly from: number; readonly entries: readonly LogEntry[] } {
    const wanted = seen >= 0 && seen <= this.#count ? this.#count - seen : Infinity
    const kept = Math.min(wanted, this.most, this.#entries.length)
    return { from: this.#count - kept, entries: kept > 0 ? this.#entries.slice(-kept) : [] }
  }

  #add({ op, address, size, category, outcome, error }: MemoryEvent): void {
    this.#count += 1
    this.#entries.push({ at: Date.now(), op, address, size, category, outcome, answer: answerOf(error) })
    // Trim when twice as many are kept: shifting the array on each operation would cost more than the operation.
    if (this.#entries.length >= 2 * this.most) this.#entries.splice(0, this.#entries.length - this.most)
  }
}

function answerOf(error: Error | undefined): string {
  if (error === undefined) return 'done'
  const { syscall, errnoName } = error as { syscall?: unknown; errnoName?: unknown }
  return typeof syscall === 'string' && typeof errnoName === 'string'
    ? `${syscall} answered ${errnoName}`
    : error.message
}
