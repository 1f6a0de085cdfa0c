// A memory's statistics as points: one list of instruments, and the current value of each. Both exporters publish
// it, so a figure has the same name and meaning everywhere. The names follow OpenTelemetry's for Go
// (`go.memory.used`). The parts follow Go's /memory/classes/…, so they sum to the total.
import type { MappingUse, Memory, MemoryStats, StateCounts } from '@memlayer/core'

/** One kind of measurement. */
export interface Instrument {
  /** `sum`: goes up and down, and parts may be added. `gauge`: parts may not be added. `counter`: only goes up. */
  readonly kind: 'sum' | 'gauge' | 'counter'
  /** The unit in UCUM: `By` for bytes, or the counted thing in braces. */
  readonly unit: string
  /** A sentence for people. */
  readonly description: string
  /** The attributes of each point. */
  readonly attributes: readonly ('category' | 'state')[]
}

/** The name of an instrument. */
export type InstrumentName =
  | 'memlayer.memory.usage'
  | 'memlayer.memory.held'
  | 'memlayer.memory.peak'
  | 'memlayer.memory.category.peak'
  | 'memlayer.memory.retained'
  | 'memlayer.memory.released'
  | 'memlayer.memory.pinned'
  | 'memlayer.memory.leaked'
  | 'memlayer.memory.holds'
  | 'memlayer.memory.hold.age'
  | 'memlayer.memory.limit'
  | 'memlayer.memory.limit.used'
  | 'memlayer.scavenger.released'
  | 'memlayer.scavenger.time'
  | 'memlayer.operations'
  | 'memlayer.operations.refused'
  | 'memlayer.mappings'
  | 'memlayer.process.mappings'
  | 'memlayer.process.mappings.limit'
  | 'memlayer.system.commit'
  | 'memlayer.system.commit.limit'

/** Every instrument by its name. */
export const instruments: Readonly<Record<InstrumentName, Instrument>> = {
  'memlayer.memory.usage': {
    kind: 'sum',
    unit: 'By',
    description: 'Address space that the layer owns, by category and state. The points sum to all of it.',
    attributes: ['category', 'state'],
  },
  'memlayer.memory.held': {
    kind: 'sum',
    unit: 'By',
    description: 'Bytes obtained for a category and not freed, whatever their state.',
    attributes: ['category'],
  },
  'memlayer.memory.peak': {
    kind: 'gauge',
    unit: 'By',
    description: 'The most bytes that were ever Ready at once.',
    attributes: [],
  },
  'memlayer.memory.category.peak': {
    kind: 'gauge',
    unit: 'By',
    description:
      'The most bytes of a category that were ever Ready at once. Peaks come at different times and do not add up.',
    attributes: ['category'],
  },
  'memlayer.memory.retained': {
    kind: 'sum',
    unit: 'By',
    description: 'Prepared memory that is idle and keeps its pages. Go: /memory/classes/heap/free.',
    attributes: [],
  },
  'memlayer.memory.released': {
    kind: 'sum',
    unit: 'By',
    description: 'Prepared memory whose pages the operating system has. Go: /memory/classes/heap/released.',
    attributes: [],
  },
  'memlayer.memory.pinned': {
    kind: 'sum',
    unit: 'By',
    description: 'Pages of views that were moved to another buffer: they stay Ready until region.reclaim.',
    attributes: [],
  },
  'memlayer.memory.leaked': {
    kind: 'sum',
    unit: 'By',
    description: 'Address space of regions that were collected and never freed, by category. No point: nothing leaked.',
    attributes: ['category'],
  },
  'memlayer.memory.holds': {
    kind: 'sum',
    unit: '{hold}',
    description: 'What keeps pages Ready besides their owner: holds, lends, transfers, shares and moved views.',
    attributes: [],
  },
  'memlayer.memory.hold.age': {
    kind: 'gauge',
    unit: 's',
    description: 'The age of the oldest hold. No point: there is none.',
    attributes: [],
  },
  'memlayer.memory.limit': {
    kind: 'gauge',
    unit: 'By',
    description: 'The limit that memory.limit sets. Go: go.memory.limit.',
    attributes: [],
  },
  'memlayer.memory.limit.used': {
    kind: 'gauge',
    unit: 'By',
    description: 'What counts towards memory.limit: the memories of all threads, or the process.',
    attributes: [],
  },
  'memlayer.scavenger.released': {
    kind: 'counter',
    unit: 'By',
    description: 'Idle pages that the scavenger gave back.',
    attributes: [],
  },
  'memlayer.scavenger.time': {
    kind: 'counter',
    unit: 's',
    description: "Processor time of the scavenger's steps.",
    attributes: [],
  },
  'memlayer.operations': {
    kind: 'counter',
    unit: '{operation}',
    description: 'Operations that reached the kernel, refused ones included.',
    attributes: ['category'],
  },
  'memlayer.operations.refused': {
    kind: 'counter',
    unit: '{operation}',
    description: 'Operations that the operating system refused.',
    attributes: ['category'],
  },
  'memlayer.mappings': {
    kind: 'sum',
    unit: '{mapping}',
    description: 'Kernel mappings that the ranges of the layer cost, as last counted.',
    attributes: [],
  },
  'memlayer.process.mappings': {
    kind: 'sum',
    unit: '{mapping}',
    description: "Kernel mappings of the whole process, the engine's own included, as last counted.",
    attributes: [],
  },
  'memlayer.process.mappings.limit': {
    kind: 'gauge',
    unit: '{mapping}',
    description: 'Kernel mappings that the process may have. Linux: vm.max_map_count.',
    attributes: [],
  },
  'memlayer.system.commit': {
    kind: 'gauge',
    unit: 'By',
    description: "Committed memory of all that shares the limit: the system, or the process's job. Windows.",
    attributes: [],
  },
  'memlayer.system.commit.limit': {
    kind: 'gauge',
    unit: 'By',
    description:
      "Memory that may be committed: memory and page files together, or the limit of the process's job. Windows.",
    attributes: [],
  },
}

/** One figure. */
export interface Point {
  /** The name of its instrument. */
  readonly name: InstrumentName
  /** The figure, always finite. */
  readonly value: number
  /** The category, if the instrument has that attribute. Memory without a category is `uncategorized`. */
  readonly category?: string
  /** The state, if the instrument has that attribute. */
  readonly state?: 'reserved' | 'prepared' | 'ready'
}

/**
 * The current value of every figure of a memory. Kernel mappings are counted now, unless there are thousands: then the
 * last count is used. A figure that is not known (NaN) or not bounded is left out.
 */
export function readPoints(memory: Memory): Point[] {
  const stats = memory.stats()
  const points: Point[] = [{ name: 'memlayer.memory.peak', value: stats.total.peak }]
  const named = new Map<string, readonly StateCounts[]>([['uncategorized', [stats.uncategorized]]])
  // A category may have the name `uncategorized`. Then both become one, and the sum is still the total.
  for (const [name, counts] of Object.entries(stats.categories)) named.set(name, [...(named.get(name) ?? []), counts])
  for (const [category, counts] of named) points.push(...pointsOf(category, counts))
  const mappings = mappingsOf(memory)
  if (mappings !== null) {
    points.push({ name: 'memlayer.mappings', value: mappings.own })
    points.push({ name: 'memlayer.process.mappings', value: mappings.used })
    points.push({ name: 'memlayer.process.mappings.limit', value: mappings.limit })
  }
  points.push(...idlePoints(memory, stats), ...keptPoints(memory, stats), ...commitPoints(memory))
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

/** What nobody can free any more, and what keeps pages Ready. */
function keptPoints(memory: Memory, { total }: MemoryStats): Point[] {
  // Without a ledger there are no regions.
  if (Number.isNaN(total.prepared)) return []
  const leaked = new Map<string, number>()
  for (const { category, parts } of memory.leaks()) {
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

/** Whether a figure is of the process or its system, and so the same for all memories of the process. */
export function isOfProcess(name: InstrumentName): boolean {
  return name.startsWith('memlayer.process.') || name.startsWith('memlayer.system.')
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

function pointsOf(category: string, counts: readonly StateCounts[]): Point[] {
  const sum = (key: keyof StateCounts): number => counts.reduce((total, one) => total + one[key], 0)
  const states = (['reserved', 'prepared', 'ready'] as const).map((state): Point => ({
    name: 'memlayer.memory.usage',
    value: sum(state),
    category,
    state,
  }))
  return [
    ...states,
    { name: 'memlayer.memory.held', value: sum('held'), category },
    { name: 'memlayer.memory.category.peak', value: sum('peak'), category },
    { name: 'memlayer.operations', value: sum('calls'), category },
    { name: 'memlayer.operations.refused', value: sum('refusals'), category },
  ]
}
