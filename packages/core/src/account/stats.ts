// What stats() returns: the account as plain numbers, by category and in total.
import type { Ledger } from '../ledger/ledger.js'
import { PREPARED, READY, RESERVED } from '../ledger/states.js'

/** The account of one category, or of all. The last two are numbers of operations, the others bytes. */
export interface StateCounts {
  /** Bytes Reserved: address space without memory. NaN without a ledger. */
  readonly reserved: number
  /** Bytes Prepared: mapped, meant to have no memory behind them. NaN without a ledger. */
  readonly prepared: number
  /** Bytes Ready: they may have memory behind them. NaN without a ledger. */
  readonly ready: number
  /** What `SysMemStat.load()` says: bytes obtained for the category, whatever their state now. */
  readonly held: number
  /** The most bytes ever Ready at once. NaN without a ledger. */
  readonly peak: number
  /** Operations that reached the kernel. */
  readonly calls: number
  /** Operations that were refused: OutOfMemoryError. */
  readonly refusals: number
}

/**
 * The figures of a memory's account. `uncategorized` and the categories sum to `total`. `peak` does not, because peaks
 * come at different times.
 */
export interface MemoryStats {
  /** All of it. */
  readonly total: StateCounts
  /** What no category counts: ranges that are only reserved, and ranges that were mapped without a stat. */
  readonly uncategorized: StateCounts
  /**
   * By name, in the order of first use. Of categories that only regions had, and that hold nothing, the last 256 stay:
   * the operations of older ones are counted in `uncategorized`. One that `memory.stat(name)` returned stays for good.
   */
  readonly categories: Readonly<Record<string, StateCounts>>
  /**
   * Bytes of freed address space that is kept, because JavaScript has seen it: a late access finds zeroes there, and
   * nothing of the engine's. It serves later reservations. No category counts it.
   */
  readonly retired: number
  /**
   * Bytes that `sysUnused` was asked to give back and the kernel would not take, in all so far: locked pages, and pages
   * under a filter that forbids the call. They are Prepared, and their memory stays.
   */
  readonly kept: number
  /**
   * Bytes of `total.prepared` that are idle: they keep their memory until they are used again, or the scavenger takes
   * it. The rest of what is Prepared was released.
   */
  readonly retained: number
  /** Bytes of idle pages that the scavenger gave back, in all so far. Absent: none. */
  readonly scavenged?: number
  /** Milliseconds of processor time that the scavenger's steps took, in all so far. Absent: it made none. */
  readonly scavengeMilliseconds?: number
  /**
   * Bytes that are Prepared or Reserved and still committed, because JavaScript has seen them: a late access finds
   * zeroes there. They count to the limit on committed memory until younger ones take their place, or memory is short.
   * Absent: there are none. Windows has some, 256 MiB or a 64th of its commit limit at most.
   */
  readonly lingering?: number
  /**
   * Bytes of pages whose view was found moved to another buffer: they can't leave Ready until `region.reclaim` is given
   * that buffer. Absent: there are none.
   */
  readonly pinned?: number
}

/** What the account itself counts of a category. */
export interface CategoryCounts {
  readonly name: string
  /** Its number in the ledger. */
  readonly place: number
  readonly held: number
  readonly calls: number
  readonly refusals: number
}

/** The account as it stands: what it counts itself, and what the ledger knows of states. */
export function statsOf(
  categories: readonly CategoryCounts[],
  ledger: Ledger | null,
  retired: number,
  kept: number,
  lingering: number,
  retained: number,
): MemoryStats {
  const counts = categories.map(({ place, held, calls, refusals }) => ({
    reserved: ledger?.bytes(place, RESERVED) ?? NaN,
    prepared: ledger?.bytes(place, PREPARED) ?? NaN,
    ready: ledger?.bytes(place, READY) ?? NaN,
    held,
    peak: ledger?.peak(place) ?? NaN,
    calls,
    refusals,
  }))
  const sum = (key: keyof StateCounts): number => counts.reduce((total, one) => total + one[key], 0)
  const [uncategorized, ...named] = counts
  return {
    total: {
      reserved: sum('reserved'),
      prepared: sum('prepared'),
      ready: sum('ready'),
      held: sum('held'),
      peak: ledger?.totalPeak ?? NaN,
      calls: sum('calls'),
      refusals: sum('refusals'),
    },
    uncategorized: uncategorized as StateCounts,
    categories: Object.fromEntries(named.map((one, i) => [categories[i + 1]?.name ?? '', one])),
    retired,
    kept,
    retained,
    ...(lingering > 0 ? { lingering } : {}),
  }
}
