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

  /** A region of which what is in `freed`, pairs of address and size, is lost before it is anybody's. */
  add(region: Region, freed: readonly number[]): void {
    const id = this.#next
    this.#next += 1
    const kept = new RangeMap()
    kept.assign(region.address, region.size, id)
    for (let i = 0; i < freed.length; i += 2) kept.assign(freed[i] as Address, freed[i + 1] as number, 0)
    const end = region.address + region.size
    for (let at = region.address; at < end;) {
      kept.seek(at)
      const stop = kept.endBy(end)
      if (kept.value === id) this.#map.assign(at, stop - at, id)
      else lose(region, at, stop - at)
      at = stop
    }
    if (!region.disposed) this.#regions.set(id, new WeakRef(region))
  }

  /** [v, v+n) has been freed: the regions there have lost it. */
  freed(v: Address, n: number): void {
    if (this.#regions.size === 0) return
    const end = v + n
    for (let at = v; at < end;) {
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
