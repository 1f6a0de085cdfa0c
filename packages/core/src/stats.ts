// What stats() returns: the account as plain numbers, by category and in total.
import { PREPARED, READY, RESERVED, type Ledger } from './ledger.js'
import type { SysMemStat } from './mem-stat.js'

/** The account of one category, or of all. Bytes, but for the last two. */
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

/** The account. `uncategorized` and the categories sum to `total`, but for `peak`: peaks come at different times. */
export interface MemoryStats {
  /** All of it. */
  readonly total: StateCounts
  /** What no category counts: ranges that are only reserved, or were mapped with no stat. */
  readonly uncategorized: StateCounts
  /** By name, in the order of first use. */
  readonly categories: Readonly<Record<string, StateCounts>>
}

/** The account as it stands. */
export function countsOf(
  stats: readonly SysMemStat[],
  ledger: Ledger | null,
  calls: readonly number[],
  refusals: readonly number[],
): MemoryStats {
  const counts = stats.map((stat, category) => ({
    reserved: ledger?.bytes(category, RESERVED) ?? NaN,
    prepared: ledger?.bytes(category, PREPARED) ?? NaN,
    ready: ledger?.bytes(category, READY) ?? NaN,
    held: stat.load(),
    peak: ledger?.peak(category) ?? NaN,
    calls: calls[category] ?? 0,
    refusals: refusals[category] ?? 0,
  }))
  const sum = (key: keyof StateCounts): number => counts.reduce((total, one) => total + one[key], 0)
  const [uncategorized, ...categories] = counts
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
    categories: Object.fromEntries(categories.map((one, i) => [stats[i + 1]?.name ?? '', one])),
  }
}
