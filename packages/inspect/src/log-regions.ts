// Finds the region of each operation in the log, by its address and its time. It is asked before the log is read, and
// not at each operation: then an operation would pay for a search.
import type { LogEntry, SnapshotRegion } from './snapshot.js'

/** An entry whose region is found later. */
export type OpenEntry = { -readonly [K in keyof LogEntry]: LogEntry[K] }

/** A region at some moment. It is not the region itself: what the log keeps is never collected, and never leaks. */
export type NamedPlace = Pick<SnapshotRegion, 'id' | 'name' | 'address' | 'size'>

/**
 * Sets the region of `entries`, which came after `before` was looked up and before `now` was. Both are in order of
 * address. A region that came and went in between is not found: its operations keep null.
 */
export function findRegions(
  entries: readonly OpenEntry[],
  before: readonly NamedPlace[],
  now: readonly NamedPlace[],
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
function findNewest(entries: readonly OpenEntry[], now: readonly NamedPlace[]): readonly (NamedPlace | undefined)[] {
  const found: (NamedPlace | undefined)[] = entries.map(() => undefined)
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

const isIn = ({ address, size }: NamedPlace, v: number): boolean => v >= address && v < address + size

function isAllOf({ op, address, size }: OpenEntry, region: NamedPlace, wanted: string): boolean {
  return op === wanted && address === region.address && size >= region.size
}

/** The region that has the address, of those in order of address. Of two the later one has it. */
function regionAt(regions: readonly NamedPlace[], v: number): NamedPlace | undefined {
  let [low, high] = [0, regions.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((regions[middle]?.address ?? Infinity) <= v) low = middle + 1
    else high = middle
  }
  const region = regions[low - 1]
  return region !== undefined && isIn(region, v) ? region : undefined
}
