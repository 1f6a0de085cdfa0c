// Where a mapping goes when the kernel chooses its address. The personality decides the order of the search. The
// seed only moves its start.
import { alignDown, alignUp, type Address } from '@memlayer/kernel'
import type { Mappings } from './mappings.js'
import type { Placement } from './personality.js'
import type { Random } from './random.js'

/** Chooses addresses in one address space. */
export class Placer {
  readonly #maps: Mappings
  readonly #placement: Placement
  readonly #pageSize: number
  readonly #hugePageSize: number
  readonly #lowest: Address
  readonly #highest: Address
  readonly #random: Random
  /** Where the search begins. */
  readonly base: Address

  constructor(
    maps: Mappings,
    placement: Placement,
    facts: { pageSize: number; hugePageSize: number; lowest: Address; highest: Address; base?: Address },
    random: Random,
  ) {
    this.#maps = maps
    this.#placement = placement
    this.#pageSize = facts.pageSize
    this.#hugePageSize = facts.hugePageSize
    this.#lowest = facts.lowest
    this.#highest = facts.highest
    this.#random = random
    const pages = Math.floor(placement.slide / facts.pageSize)
    const slide = pages === 0 ? 0 : random.below(pages) * facts.pageSize
    this.base =
      facts.base ??
      alignDown(placement.order === 'up' ? placement.bottom + slide : placement.top - slide, facts.pageSize)
  }

  /** An address for `n` bytes, at `hint` when it is given and free. -1 when there is no room. */
  choose(hint: Address, n: number): Address {
    if (n > this.#highest) return -1
    let v = alignDown(hint, this.#pageSize)
    if (v !== 0) {
      v = Math.max(v, this.#lowest)
      if (this.isFree(v, n)) return v
      if (this.#placement.busyHint === 'upward') {
        const above = this.#upward(v, this.#highest, n)
        if (above !== -1) return above
      }
    } else if (this.#placement.alignsHuge && this.#hugePageSize > 0 && n % this.#hugePageSize === 0) {
      const aligned = this.#chooseHuge(n)
      if (aligned !== -1) return aligned
    }
    return this.#search(n)
  }

  /** Whether [v, v+n) is in user space and unmapped. */
  isFree(v: Address, n: number): boolean {
    return v >= this.#lowest && v + n <= this.#highest && this.#maps.isFree(v, v + n)
  }

  /** Finds room for one huge page more than asked, and returns the first huge page boundary in it. */
  #chooseHuge(n: number): Address {
    const huge = this.#hugePageSize
    const v = this.#search(n + huge)
    if (v === -1) return -1
    const aligned = alignUp(v, huge)
    return aligned === v && this.#placement.order === 'down' ? v + huge : aligned
  }

  #search(n: number): Address {
    const { order, bottom, top } = this.#placement
    if (order === 'up') {
      const v = this.#upward(this.base, this.#highest, n)
      return v === -1 ? this.#upward(this.#lowest, this.#highest, n) : v
    }
    if (order === 'anywhere') {
      const v = this.#anywhere(bottom, top, n)
      if (v !== -1) return v
    }
    const v = this.#downward(this.base, n)
    return v === -1 ? this.#upward(bottom, this.#highest, n) : v
  }

  #anywhere(bottom: Address, top: Address, n: number): Address {
    const pages = Math.min(Math.floor((top - bottom - n) / this.#pageSize), 2 ** 32)
    for (let tries = 0; tries < 16 && pages > 0; tries++) {
      const v = bottom + this.#random.below(pages) * this.#pageSize
      if (this.isFree(v, n)) return v
    }
    return -1
  }

  /** The lowest room at or above `from`. */
  #upward(from: Address, limit: Address, n: number): Address {
    let at = alignUp(from, this.#pageSize)
    const all = this.#maps.all()
    for (let i = this.#maps.indexFrom(at); i < all.length; i++) {
      const mapping = all[i]
      if (mapping === undefined || mapping.start - at >= n) break
      at = alignUp(mapping.end, this.#pageSize)
    }
    return at + n <= limit ? at : -1
  }

  /** The highest room below `from`. */
  #downward(from: Address, n: number): Address {
    let end = from
    const all = this.#maps.all()
    for (let i = this.#maps.indexFrom(from); i >= 0; i--) {
      const mapping = all[i]
      if (mapping === undefined || mapping.start >= from) continue
      if (mapping.end <= alignDown(end - n, this.#pageSize)) break
      end = Math.min(end, mapping.start)
    }
    const v = alignDown(end - n, this.#pageSize)
    return v >= this.#lowest ? v : -1
  }
}
