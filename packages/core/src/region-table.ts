// Which region an address belongs to. Regions are remembered weakly, so that one that was
// dropped can be found out; what is freed by raw address is taken from the region all the same.
import type { Address } from '@memlayer/kernel'
import { RangeMap } from './range-map.js'
import { lose, type Region } from './region.js'

/** The regions of one memory. */
export class RegionTable {
  readonly #map = new RangeMap()
  readonly #regions = new Map<number, WeakRef<Region>>()
  #next = 1

  add(region: Region): void {
    this.#map.assign(region.address, region.size, this.#next)
    this.#regions.set(this.#next, new WeakRef(region))
    this.#next += 1
  }

  /** [v, v+n) has been freed: the regions there have lost it. */
  freed(v: Address, n: number): void {
    if (this.#regions.size === 0) return
    const end = v + n
    for (let at = v; at < end; ) {
      this.#map.seek(at)
      const id = this.#map.value
      const stop = this.#map.endBy(end)
      const region = this.#regions.get(id)?.deref()
      if (region !== undefined) lose(region, at, stop - at)
      if (id !== 0 && (region === undefined || region.disposed)) this.#regions.delete(id)
      at = stop
    }
    this.#map.assign(v, n, 0)
  }

  /** The regions that are in use, in the order of their making. */
  list(): Region[] {
    return [...this.#regions.values()].flatMap((ref) => ref.deref() ?? [])
  }
}
