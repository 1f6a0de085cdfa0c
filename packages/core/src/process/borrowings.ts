// Borrowings: the shares that this thread has of other threads' memory. While a share is here, no thread gives its
// pages back, also when the owner's thread has ended.
import type { Address, ProcessTable } from '@memlayer/kernel'
import { reap } from './reap.js'
import { ProcessRecord } from './record.js'

/** One share. */
export interface Borrowing {
  /** It was released. A second time does nothing. */
  readonly end: () => void
}

type Range = readonly [Address, number]

/** The record of this thread's shares, made with the first. */
class Borrowings {
  readonly #table: ProcessTable
  readonly #ranges = new Set<Range>()
  readonly #record: ProcessRecord | null

  constructor(table: ProcessTable) {
    this.#table = table
    this.#record = ProcessRecord.enter(table, () => this.#pairs())
  }

  /** Null: there is no room for a record. */
  enter(v: Address, n: number): Borrowing | null {
    const record = this.#record
    if (record === null) return null
    const range: Range = [v, n]
    this.#ranges.add(range)
    record.borrow(v, n)
    return { end: () => this.#end(record, range) }
  }

  #end(record: ProcessRecord, range: Range): void {
    if (!this.#ranges.delete(range)) return
    // Another share may have a part of it, so one entry would not do.
    record.log.rewrite()
    reap(this.#table)
  }

  *#pairs(): Generator<Range, void, void> {
    for (const [v, n] of this.#ranges) yield [-v, n]
  }
}

const known = /* @__PURE__ */ new WeakMap<ProcessTable, Borrowings>()

/** This thread has a share of [v, v+n) from now on. Null: the process has no room to know of it. */
export function borrow(table: ProcessTable, v: Address, n: number): Borrowing | null {
  let all = known.get(table)
  if (all === undefined) known.set(table, (all = new Borrowings(table)))
  return all.enter(v, n)
}
