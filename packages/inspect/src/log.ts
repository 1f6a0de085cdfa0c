// The log: a memory's last operations, and the kernel's answer to each.
import type { Memory, MemoryEvent } from '@memlayer/core'
import { findRegions, type NamedPlace, type OpenEntry } from './log-regions.js'
import type { LogEntry } from './snapshot.js'
import { regionsOf } from './spans.js'

/** Keeps the last operations of a memory until `end` is called. */
export class Log {
  readonly #memory: Memory
  readonly #entries: OpenEntry[] = []
  /** Entries at the end whose regions were not looked for yet. */
  #open = 0
  /** The regions when they were last looked for. */
  #regions: readonly NamedPlace[] = []
  /** How many operations are kept. */
  readonly most: number
  #count = 0
  /** Stops the log. */
  readonly end: () => void

  constructor(memory: Memory, most: number = 1000) {
    this.#memory = memory
    this.most = most
    this.#regions = placesOf(memory)
    this.end = memory.observe((event) => this.#add(event))
  }

  /** The last operations, the oldest first. */
  entries(): readonly LogEntry[] {
    this.#find()
    return this.most > 0 ? this.#entries.slice(-this.most) : []
  }

  /** The kept operations after the first `seen`, and how many operations there were before those. */
  since(seen: number): { readonly from: number; readonly entries: readonly LogEntry[] } {
    this.#find()
    const wanted = seen >= 0 && seen <= this.#count ? this.#count - seen : Infinity
    const kept = Math.min(wanted, this.most, this.#entries.length)
    return { from: this.#count - kept, entries: kept > 0 ? this.#entries.slice(-kept) : [] }
  }

  /** Finds the regions of the entries that came since. */
  #find(): void {
    if (this.#open === 0) return
    const now = placesOf(this.#memory)
    findRegions(this.#entries.slice(-this.#open), this.#regions, now)
    ;[this.#regions, this.#open] = [now, 0]
  }

  #add({ op, address, size, category, outcome, error }: MemoryEvent): void {
    this.#count += 1
    this.#entries.push({ at: Date.now(), op, address, size, category, region: null, outcome, answer: answerOf(error) })
    this.#open += 1
    // Trim when twice as many are kept: shifting the array on each operation would cost more than the operation.
    if (this.#entries.length < 2 * this.most) return
    this.#entries.splice(0, this.#entries.length - this.most)
    this.#open = Math.min(this.#open, this.#entries.length)
  }
}

const placesOf = (memory: Memory): NamedPlace[] =>
  regionsOf(memory).map(({ id, name, address, size }) => ({ id, name, address, size }))

function answerOf(error: Error | undefined): string {
  if (error === undefined) return 'done'
  const { syscall, errnoName } = error as { syscall?: unknown; errnoName?: unknown }
  return typeof syscall === 'string' && typeof errnoName === 'string'
    ? `${syscall} answered ${errnoName}`
    : error.message
}
