// What regions have grown by since a moment: the bytes of each that were Ready then.
import type { RegionSums } from '../region-sums.js'
import type { Shown } from './shown.js'

/** Counts growth from a moment on. */
export class Growth {
  #before: Map<number, number> | null = null
  #at = NaN

  /** When it began to count; NaN: it has not. */
  get at(): number {
    return this.#at
  }

  /** Counts from this moment on. */
  begin({ at, regions }: Shown, { ready }: RegionSums): void {
    this.#before = new Map(regions.map(({ id }, i) => [id, ready[i] ?? 0]))
    this.#at = at
  }

  /** Counts from the next moment on. */
  forget(): void {
    this.#before = null
    this.#at = NaN
  }

  /** What a region with so many bytes Ready has grown by. One that was not there has grown by all of them. */
  of(id: number, ready: number): number {
    return ready - (this.#before?.get(id) ?? 0)
  }
}
