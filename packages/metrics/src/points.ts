// The account as points: one list of instruments, and what each of them reads now. Both exporters
// publish it, so that a figure has one name and one meaning wherever it is seen. Names follow
// OpenTelemetry's for Go (`go.memory.used`), the parts Go's /memory/classes/…: they sum to the total.
import type { MappingUse, Memory, StateCounts } from '@memlayer/core'

/** What is measured. */
export interface Instrument {
  /** `sum`: it goes up and down, and parts may be added. `gauge`: parts may not. `counter`: it only goes up. */
  readonly kind: 'sum' | 'gauge' | 'counter'
  /** In UCUM: `By`, or what is counted, in braces. */
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
  | 'memlayer.operations'
  | 'memlayer.operations.refused'
  | 'memlayer.mappings'
  | 'memlayer.process.mappings'
  | 'memlayer.process.mappings.limit'

/** Every instrument by its name. */
export const instruments: Readonly<Record<InstrumentName, Instrument>> = {
  'memlayer.memory.usage': {
    kind: 'sum',
    unit: 'By',
    description: 'Address space that the layer owns, by category and state. All of it together is all that is owned.',
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
}

/** One figure. */
export interface Point {
  /** Its instrument. */
  readonly name: InstrumentName
  /** The figure: finite. */
  readonly value: number
  /** The category; absent where the instrument has none. What no category counts is `uncategorized`. */
  readonly category?: string
  /** The state; absent where the instrument has none. */
  readonly state?: 'reserved' | 'prepared' | 'ready'
}

/**
 * Every figure of a memory, as it stands; kernel mappings as they were last counted, which is now unless there are
 * thousands. What is not known (NaN) or not bounded is left out.
 */
export function readPoints(memory: Memory): Point[] {
  const stats = memory.stats()
  const points: Point[] = [{ name: 'memlayer.memory.peak', value: stats.total.peak }]
  const named = new Map<string, readonly StateCounts[]>([['uncategorized', [stats.uncategorized]]])
  // A category may have that very name: then they are one, and the sum is still the total.
  for (const [name, counts] of Object.entries(stats.categories)) named.set(name, [...(named.get(name) ?? []), counts])
  for (const [category, counts] of named) points.push(...pointsOf(category, counts))
  const mappings = mappingsOf(memory)
  if (mappings !== null) {
    points.push({ name: 'memlayer.mappings', value: mappings.own })
    points.push({ name: 'memlayer.process.mappings', value: mappings.used })
    points.push({ name: 'memlayer.process.mappings.limit', value: mappings.limit })
  }
  return points.filter(({ value }) => Number.isFinite(value))
}

/** A kernel's answer costs a line of a file for each mapping: a thousandth of the time goes into it at most. */
const PAUSE = 1000
const counted = new WeakMap<Memory, { readonly use: MappingUse | null; readonly until: number }>()

/** The mappings, counted anew unless the last count took so long that it has to do. */
function mappingsOf(memory: Memory): MappingUse | null {
  const last = counted.get(memory)
  const start = performance.now()
  if (last !== undefined && start < last.until) return last.use
  const use = memory.mappings()
  const end = performance.now()
  counted.set(memory, { use, until: end + PAUSE * (end - start) })
  return use
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
