// Takes snapshots. The server and the terminal take one after another. Slow figures are not computed each time: then
// the snapshot holds the last answer and its time.
import { getHeapStatistics } from 'node:v8'
import { checkOptions, type Memory, type OwnedRange } from '@memlayer/core'
import type { Alerted } from './alerts.js'
import { Limits } from './limits.js'
import type { Log } from './log.js'
import { lookAt, unitFor } from './page-cells.js'
import { framesOf, placeOf } from './place.js'
import { ResidencyBook } from './residency-book.js'
import {
  snapshotVersion,
  type LogEntry,
  type PageCells,
  type ProcessFigures,
  type Snapshot,
  type SnapshotLimits,
  type SnapshotRegion,
  type momentOf,
} from './snapshot.js'
import { regionsOf, type AnyRegion } from './spans.js'
import type { Timeline, TimelineRegion } from './timeline.js'
import { numbersOf, pack, type Wire } from './wire.js'

/** Milliseconds from one count of mappings to the next. Counting reads a file with one line per mapping. */
const MAPPINGS_EVERY = 30_000
/**
 * Milliseconds for which an explanation is used again. An explanation takes a hundred times as long as a snapshot.
 */
const EXPLAIN_EVERY = 2000
/** Milliseconds to look at pages in a single snapshot, and in the first of many. */
const lookMilliseconds = 50
/** In the others: this part of the time since the last one, between these milliseconds. */
const [glancePart, glanceLeast, glanceMost] = [0.004, 0.25, 10]
/** Cells per region in a saved snapshot. */
const SAVED_CELLS = 1024
/** How many holds a snapshot has: the oldest ones. */
const holdsMax = 200
/** How many regions have their pages saved: the largest ones. */
const savedRegionsMax = 200

/**
 * A snapshot of `memory` now. With `explain` it says where all resident memory is, which is slow.
 *
 * @throws UsageError ERR_MEMLAYER_OPTION, when an option is not known.
 */
export function takeSnapshot(
  memory: Memory,
  options: { readonly explain?: boolean; readonly log?: readonly LogEntry[] } = {},
): Snapshot {
  const read = checkOptions('takeSnapshot', options, ['explain', 'log'])
  return new Snapshots(memory).take({ ...read, alone: true })
}

/** The parts that a snapshot should have. */
export interface Asked {
  /** Whether to find where all resident memory is. */
  readonly explain?: boolean
  /** The last operations. */
  readonly log?: readonly LogEntry[]
  /** Whether it is a single snapshot. Then it looks at pages for longer. */
  readonly alone?: boolean
  /** Whether to include the regions' pages. */
  readonly pages?: boolean
}

/** Takes snapshots of one memory, one after another. */
export class Snapshots {
  readonly #memory: Memory
  readonly #book: ResidencyBook
  /** The stack of each region by its number, as text: the lines of the user's own code. */
  #frames = new Map<number, string>()
  #lookedAt = -Infinity
  /** The numbers of the regions that had leaked at the last look. */
  #leaked: ReadonlySet<number> = new Set()
  /** What each category has outside of regions is in a timeline as a region, of this number. */
  readonly #outside = new Map<string | null, number>()
  #mappings: Snapshot['mappings'] = null
  #explanation: Snapshot['explanation'] = null
  readonly #limits: Limits

  constructor(memory: Memory) {
    this.#memory = memory
    this.#book = new ResidencyBook(memory)
    this.#limits = new Limits(memory)
  }

  /** Takes a snapshot. */
  take(asked: Asked): Snapshot {
    const owned = this.#memory.ranges()
    const rest = this.#look(asked, owned)
    return { ...rest, ranges: numbersOf(owned, rest.categories) }
  }

  /** The figures of a moment, without ranges and regions. */
  figures(): Parameters<typeof momentOf>[0] {
    const memory = this.#memory
    this.#lookAt(regionsOf(memory), memory.ranges(), false)
    const limits = this.#limits.read()
    return {
      at: Date.now(),
      stats: memory.stats(),
      process: processFigures(limits),
      resident: this.#book.all,
      explanation: this.#explanation,
      limits,
    }
  }

  /** Adds a moment to a timeline: what each region had at the last look. */
  tell(timeline: Timeline, at: number): void {
    const { spans, outside } = this.#book.spans
    const numbers: number[] = []
    for (const { key, states } of spans) {
      // Those of stretches outside of regions are summed by category.
      if (key < 0) continue
      const resident = this.#book.of(key)?.resident ?? -1
      numbers.push(key, states.reserved, states.prepared, states.ready, resident, Number(this.#leaked.has(key)))
    }
    for (const [category, { reserved, prepared, ready }] of outside) {
      const id = this.#outside.get(category) ?? -1 - this.#outside.size
      this.#outside.set(category, id)
      numbers.push(id, reserved, prepared, ready, -1, 0)
    }
    let regions: ReadonlyMap<number, AnyRegion> | null = null
    timeline.add(at, numbers, (id) => {
      if (id < 0) return this.#outsideRegion(id)
      regions ??= new Map(regionsOf(this.#memory).map((region) => [region.id, region]))
      return this.#timelineRegion(id, regions.get(id))
    })
  }

  #outsideRegion(id: number): TimelineRegion {
    const [category = null] = [...this.#outside].find(([, own]) => own === id) ?? []
    return { id, name: 'in no region', address: 0, size: 0, category: category ?? '', stack: '' }
  }

  #timelineRegion(id: number, region: AnyRegion | undefined): TimelineRegion {
    // An observer of the look may have freed it.
    if (region === undefined) return { id, name: '', address: 0, size: 0, category: '', stack: '' }
    const { name, address, size, made } = region
    const stack = this.#frames.get(id) ?? framesOf(made).join('\n')
    return { id, name, address, size, category: categoryOf(region), stack }
  }

  /** What alerts are found in, without a look at ranges and pages. */
  alerted(log: Log): Alerted {
    const memory = this.#memory
    return {
      at: Date.now(),
      stats: memory.stats(),
      limits: this.#limits.read(),
      mappings: this.#countMappings(),
      log: log.entries(),
      regions: memory.leaks().map(({ size }) => ({ leaked: true, size })),
      holds: memory.holds().slice(0, 1),
    }
  }

  /** Takes a snapshot for the page, which has seen the first `seen` operations of the log. */
  wire(asked: Asked, log: Log, seen: number): Wire {
    const owned = this.#memory.ranges()
    const news = log.since(seen)
    const rest = this.#look({ ...asked, log: news.entries }, owned)
    return { ...rest, packed: pack(owned, rest.categories, rest.pageSize), logFrom: news.from, logMost: log.most }
  }

  #look(
    { explain = false, log = [], alone = false, pages = false }: Asked,
    owned: readonly OwnedRange[],
  ): Omit<Snapshot, 'ranges'> {
    const memory = this.#memory
    const stats = memory.stats()
    const regions = regionsOf(memory)
    this.#lookAt(regions, owned, alone || pages)
    const [limits, holds] = [this.#limits.read(), memory.holds()]
    const told = this.#tellAll(regions)
    return {
      format: 'memlayer-snapshot',
      version: snapshotVersion,
      at: Date.now(),
      os: memory.os.name,
      pageSize: memory.os.traits.pageSize,
      stats,
      categories: ['', ...Object.keys(stats.categories)],
      ...told,
      process: processFigures(limits),
      limits,
      holds: holds.slice(0, holdsMax).map((one) => ({ ...one, made: placeOf(one.made) })),
      holdsCount: holds.length,
      mappings: this.#countMappings(),
      resident: this.#book.all,
      explanation: this.#explain(explain),
      pages: pages ? this.#pagesOf(regions) : [],
      history: [],
      log,
    }
  }

  #lookAt(regions: readonly AnyRegion[], owned: readonly OwnedRange[], isThorough: boolean): void {
    const now = performance.now()
    const glance = Math.min(glanceMost, Math.max(glanceLeast, glancePart * (now - this.#lookedAt)))
    this.#lookedAt = now
    this.#leaked = new Set(regions.filter((region) => 'parts' in region).map(({ id }) => id))
    // The first snapshot has no earlier result to show.
    this.#book.look(regions, owned, isThorough || this.#book.all === null ? lookMilliseconds : glance)
  }

  /** All regions, and the stacks that they were reserved at, each once. */
  #tellAll(regions: readonly AnyRegion[]): Pick<Snapshot, 'regions' | 'stacks'> {
    const [before, stacks] = [this.#frames, new Map<string, number>()]
    this.#frames = new Map()
    const told = regions.map((region) => {
      const frames = before.get(region.id) ?? framesOf(region.made).join('\n')
      this.#frames.set(region.id, frames)
      const stack = stacks.get(frames) ?? stacks.size
      stacks.set(frames, stack)
      return this.#tell(region, frames, stack)
    })
    return { regions: told, stacks: [...stacks.keys()] }
  }

  #tell(region: AnyRegion, frames: string, stack: number): SnapshotRegion {
    const { id, name, address, size } = region
    const [made = ''] = frames.split('\n', 1)
    const found = this.#book.of(region.id)
    const leaked = 'parts' in region
    const category = categoryOf(region)
    const { resident = null, huge = null, at: residentAt = null } = found ?? {}
    return { id, name, address, size, category, made, stack, leaked, resident, huge, residentAt }
  }

  #countMappings(): Snapshot['mappings'] {
    if (this.#mappings !== null && Date.now() - this.#mappings.at < MAPPINGS_EVERY) return this.#mappings
    const counted = this.#memory.mappings()
    // NaN: the file can't be read, as without /proc.
    const isKnown = counted !== null && !Number.isNaN(counted.used)
    this.#mappings = isKnown ? { ...counted, at: Date.now() } : null
    return this.#mappings
  }

  #explain(isAsked: boolean): Snapshot['explanation'] {
    const isFresh = this.#explanation !== null && Date.now() - this.#explanation.at < EXPLAIN_EVERY
    if (!isAsked || isFresh) return this.#explanation
    const found = this.#memory.explain()
    this.#explanation = found === null ? null : { ...found, at: Date.now() }
    return this.#explanation
  }

  #pagesOf(regions: readonly AnyRegion[]): PageCells[] {
    const until = performance.now() + lookMilliseconds
    const { pageSize } = this.#memory.os.traits
    const found: PageCells[] = []
    // Begin with the largest regions, because they matter most.
    for (const { address, size } of regions.toSorted((a, b) => b.size - a.size).slice(0, savedRegionsMax)) {
      if (performance.now() > until) break
      const pages = lookAt(this.#memory, address, size, unitFor(size, pageSize, SAVED_CELLS), until)
      if (pages !== null) found.push(pages)
    }
    return found
  }
}

const categoryOf = (region: AnyRegion): string => ('parts' in region ? region.category : region.stat.name)

function processFigures({ host }: SnapshotLimits): ProcessFigures {
  const { rss, heapUsed, external, arrayBuffers } = memoryUsage()
  const { bytes: limit = null, name: limitName = null } = host[0] ?? {}
  return { resident: rss, heapUsed, external, arrayBuffers, limit, limitName }
}

type EngineFigures = Pick<NodeJS.MemoryUsage, 'heapUsed' | 'external'> &
  Readonly<Record<'rss' | 'arrayBuffers', number | null>>

/** The engine reads a file of /proc for the process's size, and throws where a sandbox does not show it. */
function memoryUsage(): EngineFigures {
  try {
    return process.memoryUsage()
  } catch {
    const { used_heap_size: heapUsed, external_memory: external } = getHeapStatistics()
    return { rss: null, heapUsed, external, arrayBuffers: null }
  }
}
