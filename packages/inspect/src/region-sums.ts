// Sums each region's bytes by state, from a snapshot's ranges. It is a generator that yields every few thousand
// steps, so that a page can answer its user in between. Other callers run it through at once.
import { inAddressOrder } from './sorted-order.js'
import type { SnapshotRegion } from './snapshot.js'

/** Steps from one pause to the next. */
const PAUSE = 4096

/** Sums by region, in the order of the snapshot's regions. */
export interface RegionSums {
  /** Bytes Reserved. */
  readonly reserved: Float64Array
  /** Bytes Prepared. */
  readonly prepared: Float64Array
  /** Bytes Ready. */
  readonly ready: Float64Array
  /** At least this many kernel mappings: runs of neighbours that are all mapped, or all not mapped. NaN: not known. */
  readonly mappings: Uint32Array | Float64Array
  /** Ready bytes inside regions, for each place in the snapshot's categories. */
  readonly readyInRegions: Float64Array
}

/** The fields of a snapshot that the sums need. */
export interface Summed {
  /** The regions. */
  readonly regions: readonly SnapshotRegion[]
  /** Four numbers a range, as a snapshot has them. */
  readonly ranges: ArrayLike<number>
  /** The names of the categories. */
  readonly categories: readonly string[]
}

/** Computes the sums and yields now and then. */
export function* sumRegions({ regions, ranges, categories }: Summed): Generator<void, RegionSums> {
  const n = regions.length
  const sums = [new Float64Array(n), new Float64Array(n), new Float64Array(n), new Float64Array(n)]
  const mappings = new Uint32Array(n)
  const readyInRegions = new Float64Array(categories.length)
  let i = 0
  let steps = 0
  for (const { place, start, stop } of stretchesOf(regions, yield* inAddressOrder(regions))) {
    let before = 0
    for (; i < ranges.length && (ranges[i] as number) < stop; i += 4) {
      if (++steps % PAUSE === 0) yield
      const [address, state] = [ranges[i] as number, ranges[i + 2] as number]
      const end = address + (ranges[i + 1] as number)
      const inside = Math.min(stop, end) - Math.max(start, address)
      if (inside > 0) {
        const sum = sums[state] as Float64Array
        sum[place] = (sum[place] as number) + inside
        if (state === 3)
          readyInRegions[ranges[i + 3] as number] = (readyInRegions[ranges[i + 3] as number] as number) + inside
        // 1: not mapped. 2: mapped. A kernel that limits mappings does not tell Prepared from Ready.
        const kind = Math.min(2, state)
        if (kind !== before) mappings[place] = (mappings[place] as number) + 1
        before = kind
      }
      // A range may continue in the next stretch.
      if (end > stop) break
    }
  }
  const [, reserved, prepared, ready] = sums as [Float64Array, Float64Array, Float64Array, Float64Array]
  return { reserved, prepared, ready, mappings, readyInRegions }
}

/** A stretch of addresses that one region has. */
interface Stretch {
  /** The region's place in the snapshot. */
  readonly place: number
  /** The first byte. */
  readonly start: number
  /** The byte behind the last one. */
  readonly stop: number
}

/**
 * The stretches of the regions, in order of address. Almost always each region is one. Where a region has a hole that
 * was freed and that another region has now, the one made later has it.
 */
function* stretchesOf(regions: readonly SnapshotRegion[], order: Iterable<number>): Generator<Stretch> {
  const endOf = (place: number): number => (regions[place]?.address ?? 0) + (regions[place]?.size ?? 0)
  const isLater = (a: number, b: number): number => ((regions[a]?.id ?? 0) > (regions[b]?.id ?? 0) ? a : b)
  let open: number[] = []
  let at = 0
  function* until(limit: number): Generator<Stretch> {
    while (open.length > 0 && at < limit) {
      const stop = open.reduce((least, place) => Math.min(least, endOf(place)), limit)
      if (stop > at) yield { place: open.reduce(isLater), start: at, stop }
      at = stop
      open = open.filter((place) => endOf(place) > at)
    }
  }
  for (const place of order) {
    const { address } = regions[place] as SnapshotRegion
    yield* until(address)
    at = address
    open.push(place)
  }
  yield* until(Infinity)
}

/** Runs a generator to its end and returns its value. */
export function finish<T>(work: Generator<void, T>): T {
  for (;;) {
    const { done, value } = work.next()
    if (done === true) return value
  }
}
