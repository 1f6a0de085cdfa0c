// Claims: which region an address belongs to, for as long as it is owned. The table learns of every free, also of
// those by raw address.
import type { Address } from '@memlayer/kernel'
import { RangeMap } from '../ledger/range-map.js'
import { forget } from './leak.js'
import type { RegionRecord } from './region-record.js'

/** The regions of one memory. */
export class RegionTable {
  readonly #map = new RangeMap()
  readonly #records = new Map<number, RegionRecord>()
  #next = 1

  /** A region has obtained [v, v+n). */
  enter(record: RegionRecord, v: Address, n: number): void {
    const id = this.#next
    this.#next += 1
    record.enter(id, v, n)
    this.#map.assign(v, n, id)
    this.#records.set(id, record)
  }

  /** [v, v+n) was freed: the regions there have lost it. `again`: a script may have ended inside this before. */
  freed(v: Address, n: number, again = false): void {
    if (this.#records.size !== 0) this.#lost(v, n, again)
  }

  #lost(v: Address, n: number, again: boolean): void {
    const end = v + n
    for (let at = v; at < end;) {
      this.#map.seek(at)
      const id = this.#map.value
      const stop = this.#map.endBy(end)
      this.#lose(id, at, stop - at, again)
      at = stop
    }
    this.#map.assign(v, n, 0)
  }

  /** [v, v+n) was freed from the region that owns the page at `other`, and is its own again. */
  regain(other: Address, v: Address, n: number): void {
    this.#map.seek(other)
    const id = this.#map.value
    const record = this.#records.get(id)
    if (record === undefined) return
    record.regain(v, n)
    this.#map.assign(v, n, id)
  }

  /** The region that owns the page at `v`; undefined: no region does. */
  at(v: Address): RegionRecord | undefined {
    this.#map.seek(v)
    return this.#records.get(this.#map.value)
  }

  /** The regions of which something is left, in the order of their making. */
  list(): RegionRecord[] {
    return [...this.#records.values()]
  }

  #lose(id: number, v: Address, n: number, again: boolean): void {
    const record = this.#records.get(id)
    if (record === undefined) return
    if (again) record.loseAgain(v, n)
    else record.lose(v, n)
    if (!record.isDisposed) return
    forget(record)
    this.#records.delete(id)
  }
}
