// A memory's statistics as points: the current value of each instrument. Both exporters publish them, so a figure has
// the same name and meaning everywhere. The parts follow Go's /memory/classes/…, so they sum to the total.
import {
  checkOptions,
  UsageError,
  type HostLimit,
  type MappingUse,
  type Memory,
  type MemoryStats,
} from '@memlayer/core'
import { categoriesMax, seriesOf, type CategorySeries } from './categories.js'
import type { Attribute, InstrumentName } from './instruments.js'
import { residentOf } from './resident.js'

/** One figure. */
export interface Point extends Readonly<Partial<Record<Attribute, string>>> {
  /** The name of its instrument. */
  readonly name: InstrumentName
  /** The figure, always finite. */
  readonly value: number
  /**
   * The category, if the instrument has that attribute. Memory without a category is `uncategorized`, and categories
   * beyond the most that have series of their own are `other`.
   */
  readonly category?: string
  /** The state, if the instrument has that attribute. */
  readonly state?: 'reserved' | 'prepared' | 'ready'
}

/** Options of `readPoints`. */
export interface PointOptions {
  /** Categories that have series of their own, the first ones. The others are one, `other`. Default: 200. */
  readonly categories?: number
}

/**
 * The cap. Exporters ask before they make anything.
 *
 * @throws UsageError ERR_MEMLAYER_OPTION, when it is not a number.
 */
export function categoriesOf(categories: number = categoriesMax): number {
  if (Number.isSafeInteger(categories) && categories >= 0) return categories
  const message = `categories is ${String(categories)}: pass a whole number of categories, 0 or more`
  throw new UsageError('ERR_MEMLAYER_OPTION', message)
}

/**
 * The current value of every figure of a memory. Kernel mappings are counted now, unless there are thousands: then the
 * last count is used. A figure that is not known (NaN) or not bounded is left out.
 *
 * @throws UsageError ERR_MEMLAYER_OPTION, when an option is not known or not a number.
 */
export function readPoints(memory: Memory, options: PointOptions = {}): Point[] {
  const most = categoriesOf(checkOptions('readPoints', options, ['categories']).categories)
  const stats = memory.stats()
  const points: Point[] = [{ name: 'memlayer.memory.peak', value: stats.total.peak }]
  const series = seriesOf(memory, most)
  points.push(...series.points(stats))
  const mappings = mappingsOf(memory)
  if (mappings !== null) {
    points.push({ name: 'memlayer.mappings', value: mappings.own })
    points.push({ name: 'memlayer.process.mappings', value: mappings.used })
    points.push({ name: 'memlayer.process.mappings.limit', value: mappings.limit })
  }
  points.push(...idlePoints(memory, stats), ...limitParts(memory, stats), ...keptPoints(memory, stats, series))
  points.push(...residentPoints(memory, stats, series), ...hostPoints(memory), ...commitPoints(memory))
  return points.filter(({ value }) => Number.isFinite(value))
}

/**
 * A count waits at least this many times as long as the last count took. The kernel writes a line for each mapping,
 * so counting takes at most a thousandth of the time.
 */
const countPauseRatio = 1000
const counted = new WeakMap<Memory, { readonly use: MappingUse | null; readonly until: number }>()

/** Counts the mappings, or returns the last count when counting takes too long to do it again. */
function mappingsOf(memory: Memory): MappingUse | null {
  const last = counted.get(memory)
  const start = performance.now()
  if (last !== undefined && start < last.until) return last.use
  const use = memory.mappings()
  const end = performance.now()
  counted.set(memory, { use, until: end + countPauseRatio * (end - start) })
  return use
}

/** What is idle, what the scavenger did, and the limit. */
function idlePoints(memory: Memory, stats: MemoryStats): Point[] {
  const { total, retained, pinned = 0, scavenged = 0, scavengeMilliseconds = 0 } = stats
  // Without a ledger nothing is idle, and nothing is known to be released.
  if (Number.isNaN(total.prepared)) return []
  const { bytes = NaN, used = NaN } = memory.limit ?? {}
  return [
    { name: 'memlayer.memory.retained', value: retained },
    { name: 'memlayer.memory.released', value: total.prepared - retained },
    { name: 'memlayer.memory.pinned', value: pinned },
    { name: 'memlayer.memory.limit', value: bytes },
    { name: 'memlayer.memory.limit.used', value: used },
    { name: 'memlayer.scavenger.released', value: scavenged },
    { name: 'memlayer.scavenger.time', value: scavengeMilliseconds / 1000 },
  ]
}

/** What is used of a limit of the layer. What the process uses has no parts that are known at once. */
function limitParts({ limit }: Memory, { total: { ready }, retained }: MemoryStats): Point[] {
  if (limit?.of !== 'layer' || Number.isNaN(ready)) return []
  const name = 'memlayer.memory.limit.part'
  return [
    { name, value: ready, part: 'ready' },
    { name, value: retained, part: 'idle' },
    { name, value: limit.used - ready - retained, part: 'others' },
  ]
}

/** Resident bytes by category, and how old they are. */
function residentPoints(memory: Memory, { total }: MemoryStats, series: CategorySeries): Point[] {
  const found = Number.isNaN(total.prepared) ? null : residentOf(memory)
  if (found === null) return []
  const sums = new Map<string, number>()
  for (const [own, bytes] of found.bytes) {
    const category = series.nameOf(own)
    sums.set(category, (sums.get(category) ?? 0) + bytes)
  }
  return [
    ...Array.from(sums, ([category, value]): Point => ({ name: 'memlayer.memory.resident', value, category })),
    { name: 'memlayer.memory.resident.age', value: Math.max(0, (performance.now() - found.at) / 1000) },
  ]
}

/** The limits of the host. They are in files, and are read again as mappings are counted again. */
const hostRead = new WeakMap<Memory, { readonly limits: readonly HostLimit[]; readonly until: number }>()

function hostPoints(memory: Memory): Point[] {
  const start = performance.now()
  let read = hostRead.get(memory)
  if (read === undefined || start >= read.until) {
    const limits = memory.hostLimits()
    const end = performance.now()
    hostRead.set(memory, (read = { limits, until: end + countPauseRatio * (end - start) }))
  }
  return read.limits.flatMap(({ name: limit, bytes, used }): Point[] => [
    { name: 'memlayer.process.limit', value: bytes, limit },
    { name: 'memlayer.process.limit.used', value: used, limit },
  ])
}

/** What nobody can free any more, and what keeps pages Ready. */
function keptPoints(memory: Memory, { total }: MemoryStats, series: CategorySeries): Point[] {
  // Without a ledger there are no regions.
  if (Number.isNaN(total.prepared)) return []
  const leaked = new Map<string, number>()
  for (const { category: own, parts } of memory.leaks()) {
    const category = series.nameOf(own)
    const bytes = parts.reduce((sum, [, size]) => sum + size, 0)
    leaked.set(category, (leaked.get(category) ?? 0) + bytes)
  }
  const holds = memory.holds()
  // The oldest comes first.
  const oldest = holds[0]?.age ?? NaN
  return [
    ...Array.from(leaked, ([category, value]): Point => ({ name: 'memlayer.memory.leaked', value, category })),
    { name: 'memlayer.memory.holds', value: holds.length },
    { name: 'memlayer.memory.hold.age', value: oldest / 1000 },
  ]
}

/** The commit limit, where an OS charges what is committed. Elsewhere limits are slow to read. */
function commitPoints({ os }: Memory): Point[] {
  const limits = os.sysRoomOS === undefined ? undefined : os.host?.limits?.()
  if (limits === undefined || !('commitAvailable' in limits)) return []
  const { commitLimit, commitAvailable } = limits
  return [
    { name: 'memlayer.system.commit', value: commitLimit - commitAvailable },
    { name: 'memlayer.system.commit.limit', value: commitLimit },
  ]
}
