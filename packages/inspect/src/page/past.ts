// A moment of the timeline in the form in which the views show a snapshot: its regions, their sums, and what each
// category had then. What a timeline does not keep, such as ranges and pages, stays that of the snapshot in view.
import type { StateCounts } from '@memlayer/core'
import type { RegionSums } from '../region-sums.js'
import type { SnapshotRegion } from '../snapshot.js'
import type { PastRegion } from '../timeline.js'
import type { Shown } from './shown.js'

/** What the views of regions show. */
export interface Seen {
  /** The snapshot. */
  readonly shown: Shown
  /** The sums of its regions. */
  readonly sums: RegionSums
}

/** The moment `at`, which had `past`. `shown` is the snapshot in view. */
export function pastOf(shown: Shown, at: number, past: readonly PastRegion[]): Seen {
  const stacks = new Map<string, number>()
  const own = past.filter(({ id }) => id >= 0)
  const regions = own.map(({ id, name, address, size, category, stack, resident, leaked }): SnapshotRegion => {
    const place = stacks.get(stack) ?? stacks.size
    stacks.set(stack, place)
    const [made = ''] = stack.split('\n', 1)
    return { id, name, address, size, category, made, stack: place, leaked, resident, huge: null, residentAt: at }
  })
  const names = [...new Set(past.map(({ category }) => category))].filter((name) => name !== '')
  const categories = ['', ...names]
  const counts = Object.fromEntries(names.map((name) => [name, countsOf(past, name)]))
  const resident = own.reduce((sum, one) => sum + (one.resident ?? 0), 0)
  return {
    shown: {
      ...shown,
      at,
      regions,
      categories,
      stacks: [...stacks.keys()],
      stats: { ...shown.stats, total: countsOf(past, null), uncategorized: countsOf(past, ''), categories: counts },
      resident: { resident, huge: null, at, missing: 0 },
    },
    sums: sumsOf(own, categories),
  }
}

/** The bytes of one category, or of all of them. A timeline keeps no operations. */
function countsOf(past: readonly PastRegion[], name: string | null): StateCounts {
  const counts = { reserved: 0, prepared: 0, ready: 0, held: NaN, peak: NaN, calls: NaN, refusals: NaN }
  for (const { category, reserved, prepared, ready } of past) {
    if (name !== null && category !== name) continue
    counts.reserved += reserved
    counts.prepared += prepared
    counts.ready += ready
  }
  return counts
}

function sumsOf(own: readonly PastRegion[], categories: readonly string[]): RegionSums {
  const places = new Map(categories.map((name, place) => [name, place]))
  const readyInRegions = new Float64Array(categories.length)
  for (const { category, ready } of own) {
    const place = places.get(category) ?? 0
    readyInRegions[place] = (readyInRegions[place] ?? 0) + ready
  }
  const of = (key: 'reserved' | 'prepared' | 'ready'): Float64Array => Float64Array.from(own, (one) => one[key])
  return {
    reserved: of('reserved'),
    prepared: of('prepared'),
    ready: of('ready'),
    mappings: new Float64Array(own.length).fill(NaN),
    readyInRegions,
  }
}
