// Finds the region of each operation in the log, by its address and its time. It is asked before the log is read, and
// not at each operation: then an operation would pay for a search.
import type { AnyRegion } from './spans.js'
import type { LogEntry } from './snapshot.js'

/** An entry whose region is found later. */
export type OpenEntry = { -readonly [K in keyof LogEntry]: LogEntry[K] }

/**
 * Sets the region of `entries`, which came after `before` was looked up and before `now` was. Both are in order of
 * address. A region that came and went in between is not found: its operations keep null.
 */
export function findRegions(
  entries: readonly OpenEntry[],
  before: readonly AnyRegion[],
  now: readonly AnyRegion[],
): void {
  const last = findNewest(entries, now)
  // What is left may be of a region that was there before, until it was freed.
  const gone = new Set<number>()
  for (const [i, entry] of entries.entries()) {
    if (entry.address === null || last[i] !== undefined) continue
    const region = regionAt(before, entry.address)
    if (region === undefined || gone.has(region.id)) continue
    entry.region = region.name
    if (entry.outcome === 'done' && isAllOf(entry, region, 'sysFree')) gone.add(region.id)
  }
}

/** Goes back from the newest entry, and past the reservation of each region that is there now. */
function findNewest(entries: readonly OpenEntry[], now: readonly AnyRegion[]): readonly (AnyRegion | undefined)[] {
  const found: (AnyRegion | undefined)[] = entries.map(() => undefined)
  const unborn = new Set<number>()
  for (let i = entries.length - 1; i >= 0; i--) {
    const entry = entries[i] as OpenEntry
    const region = entry.address === null ? undefined : regionAt(now, entry.address)
    if (region === undefined || unborn.has(region.id)) continue
    found[i] = region
    entry.region = region.name
    if (entry.outcome === 'done' && entry.op.startsWith('sysReserve') && isIn(region, entry.address ?? NaN))
      unborn.add(region.id)
  }
  return found
}

const isIn = ({ address, size }: AnyRegion, v: number): boolean => v >= address && v < address + size

function isAllOf({ op, address, size }: OpenEntry, region: AnyRegion, wanted: string): boolean {
  return op === wanted && address === region.address && size >= region.size
}

/** The region that has the address, of those in order of address. Of two the later one has it. */
function regionAt(regions: readonly AnyRegion[], v: number): AnyRegion | undefined {
  let [low, high] = [0, regions.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((regions[middle]?.address ?? Infinity) <= v) low = middle + 1
    else high = middle
  }
  const region = regions[low - 1]
  return region !== undefined && isIn(region, v) ? region : undefined
}
