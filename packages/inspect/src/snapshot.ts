// A snapshot: all that the page and the terminal show, as plain data. It holds addresses, sizes and names. It never
// holds bytes from the memory.
import type { Explanation, Holding, Limit, MemoryStats } from '@memlayer/core'
import type { SnapshotStore } from './stores.js'
import type { TimelineData } from './timeline.js'

/** A region. */
export interface SnapshotRegion {
  /** Its number. Another region may get its address once it is freed, and never its number. */
  readonly id: number
  /** Its name. */
  readonly name: string
  /** Its first byte. */
  readonly address: number
  /** Its bytes. */
  readonly size: number
  /** The category that counts it. */
  readonly category: string
  /** Where it was reserved: the first stack line from the user's own code. */
  readonly made: string
  /** The whole stack of that place, as its index in the snapshot's `stacks`. */
  readonly stack: number
  /** Whether it was collected and never freed. */
  readonly leaked: boolean
  /** Its resident bytes at the last look; `null`: not known, or not yet. */
  readonly resident: number | null
  /** Of those, in huge pages. */
  readonly huge: number | null
  /** The time of that look: milliseconds since 1970. */
  readonly residentAt: number | null
}

/** Resident bytes of a memory. */
export interface ResidentFigures {
  /** Resident bytes. */
  readonly resident: number
  /** Of those, in huge pages; `null`: this host does not tell. */
  readonly huge: number | null
  /** The time of the oldest look that is in the sum: milliseconds since 1970. */
  readonly at: number
  /** Mapped bytes that are not in the sum, because they were not looked at yet. */
  readonly missing: number
}

/** A range's pages in cells of equal size: how many pages of each cell are resident. */
export interface PageCells {
  /** Its first byte. */
  readonly address: number
  /** Its bytes. */
  readonly size: number
  /** Bytes in a cell: whole pages. */
  readonly unit: number
  /** Bytes looked at, from the start. Fewer than `size` when the time ran out. */
  readonly looked: number
  /** Resident bytes. */
  readonly resident: number
  /** Of those, in huge pages; `null`: this host does not tell. */
  readonly huge: number | null
  /** Bytes in swap space; `null`: this host does not tell. */
  readonly swapped: number | null
  /** Resident pages of each cell. */
  readonly residentCells: readonly number[]
  /** Of each cell's resident pages, those in huge pages. */
  readonly hugeCells: readonly number[]
  /** Pages of each cell in swap space. */
  readonly swappedCells: readonly number[]
}

/** Figures of the process from its engine and kernel. Bytes; `null`: not known. */
export interface ProcessFigures {
  /** Resident memory. Linux without /proc does not tell it. */
  readonly resident: number | null
  /** In use in the JavaScript heap. */
  readonly heapUsed: number
  /** Memory outside the JavaScript heap that the engine takes for its objects. */
  readonly external: number
  /** Of `external`, the ArrayBuffers and Buffers that the engine allocated. Not known where `resident` is not. */
  readonly arrayBuffers: number | null
  /** The smallest limit of the host on the process's memory. */
  readonly limit: number | null
  /** What people call that limit: `the control group's memory.max`. */
  readonly limitName: string | null
}

/** A limit on memory. */
export interface SnapshotLimit {
  /** What people call it. */
  readonly name: string
  /** Bytes that may be used; `null`: without end. */
  readonly bytes: number | null
  /** Bytes that are used; `null`: not known. */
  readonly used: number | null
}

/** What bounds a memory. */
export interface SnapshotLimits {
  /** `memory.limit`; `null`: it is not set. */
  readonly own: (SnapshotLimit & Pick<Limit, 'of' | 'beyond'>) | null
  /** The limits of the host, the smallest first. */
  readonly host: readonly SnapshotLimit[]
  /** When those of the host were read: milliseconds since 1970. */
  readonly at: number
}

/** One thing that keeps pages Ready besides their owner, as `memory.holds()` tells of it. */
export interface SnapshotHold extends Omit<Holding, 'made'> {
  /** Where it was made: the first stack line from the user's own code. */
  readonly made: string
}

/** One operation in the log. */
export interface LogEntry {
  /** Milliseconds since 1970. */
  readonly at: number
  /** The operation: `sysMap`. */
  readonly op: string
  /** The range's first byte; `null`: the operation obtained no range. */
  readonly address: number | null
  /** The range's bytes. */
  readonly size: number
  /** The category that counts it; `null`: it is in no category. */
  readonly category: string | null
  /** The region's name; `null`: it is in no region, or the region came and went between two snapshots. */
  readonly region: string | null
  /** How it ended. */
  readonly outcome: 'done' | 'refused' | 'broken'
  /** The kernel's answer: the call and the error's name. */
  readonly answer: string
}

/** The figures of one moment, for the chart. Bytes; `null`: not known. */
export interface Moment {
  /** Milliseconds since 1970. */
  readonly at: number
  /** Bytes Reserved. */
  readonly reserved: number
  /** Bytes Prepared. */
  readonly prepared: number
  /** Bytes Ready. */
  readonly ready: number
  /** Of `prepared`, bytes that are idle and keep their memory. */
  readonly retained: number
  /** Ready bytes of the eight categories that have most. Versions before this one kept none. */
  readonly categories?: Readonly<Record<string, number>>
  /** `memory.limit`; `null`: it is not set. */
  readonly ownLimit: number | null
  /** Resident bytes of this memory; `null` also where not all of it was looked at. */
  readonly own: number | null
  /** The time of the oldest look in `own`. */
  readonly ownAt: number | null
  /** In use in the JavaScript heap. */
  readonly heapUsed: number
  /** Memory outside the JavaScript heap that the engine takes. */
  readonly external: number
  /** Of `external`, the ArrayBuffers. */
  readonly arrayBuffers: number | null
  /** Memory that the C library keeps free. */
  readonly slack: number | null
  /** Resident memory of the process. */
  readonly resident: number | null
  /** The smallest limit of the host on the process's memory. */
  readonly limit: number | null
}

/**
 * The version of a snapshot's format. A change after which a file of before lacks what a reader takes for granted, or
 * means something else by it, raises it: a field more that all files have, one less, another name, type or meaning. A
 * field that a file may lack does not. `schema/snapshot.json` has all fields.
 */
export const snapshotVersion = 2

/** The state of one memory at one moment. */
export interface Snapshot {
  /** Marks the JSON as a snapshot. */
  readonly format: 'memlayer-snapshot'
  /** The version of the format: see {@link snapshotVersion}. */
  readonly version: typeof snapshotVersion
  /** Milliseconds since 1970. */
  readonly at: number
  /** The backend's operating system. */
  readonly os: string
  /** Bytes in a page. */
  readonly pageSize: number
  /** The memory's statistics. */
  readonly stats: MemoryStats
  /** The category names that `ranges` refers to. The first stands for memory without a category. */
  readonly categories: readonly string[]
  /**
   * Four numbers per range, in order of address: address, size, state (1 Reserved, 2 Prepared, 3 Ready), place in
   * `categories`.
   */
  readonly ranges: readonly number[]
  /** The regions in use, and those that were collected and never freed. */
  readonly regions: readonly SnapshotRegion[]
  /**
   * The stacks that regions were reserved at: lines of the user's own code, the innermost first, each on a line of its
   * own.
   */
  readonly stacks: readonly string[]
  /** The process. */
  readonly process: ProcessFigures
  /** What bounds the memory. */
  readonly limits: SnapshotLimits
  /** What keeps pages Ready besides their owner, the oldest first: 200 at most. */
  readonly holds: readonly SnapshotHold[]
  /** How many such things there are. */
  readonly holdsCount: number
  /** Kernel mappings, counted `at`: used by the process, its limit, and this memory's own. */
  readonly mappings: { readonly used: number; readonly limit: number; readonly own: number; readonly at: number } | null
  /** Resident bytes of this memory; `null`: this host does not tell. */
  readonly resident: ResidentFigures | null
  /** Where resident memory was, found `at`; `null`: not requested yet. */
  readonly explanation: (Explanation & { readonly at: number }) | null
  /** The regions' pages. Only a saved snapshot has them. */
  readonly pages: readonly PageCells[]
  /** Earlier moments, the oldest first. Only a snapshot that the page saved has them. */
  readonly history: readonly Moment[]
  /** The regions at earlier moments. Only a recording and a snapshot that the page saved have them. */
  readonly timeline?: TimelineData
  /** Heaps and caches, where the inspector was given some. */
  readonly stores?: readonly SnapshotStore[]
  /** The last operations, the oldest first. */
  readonly log: readonly LogEntry[]
}

/** The states, by their number in `ranges`. */
export const states: readonly string[] = ['None', 'Reserved', 'Prepared', 'Ready']

/** The figures of a snapshot that the chart draws. */
export function momentOf(
  snapshot: Pick<Snapshot, 'at' | 'stats' | 'process' | 'resident' | 'explanation' | 'limits'>,
): Moment {
  const { at, stats, process, resident, explanation, limits } = snapshot
  const { reserved, prepared, ready } = stats.total
  const { heapUsed, external, arrayBuffers, resident: all, limit } = process
  return {
    at,
    reserved,
    prepared,
    ready,
    categories: largestOf(stats.categories),
    retained: stats.retained,
    // A part is not the whole, and is no figure of it.
    own: resident?.missing === 0 ? resident.resident : null,
    ownAt: resident?.missing === 0 ? resident.at : null,
    slack: explanation?.mallocSlack ?? null,
    heapUsed,
    external,
    arrayBuffers,
    resident: all,
    limit,
    ownLimit: limits.own?.bytes ?? null,
  }
}

/** Categories that a moment keeps. */
const categoriesMax = 8

/** Ready bytes of the categories that have most. */
function largestOf(categories: MemoryStats['categories']): Record<string, number> {
  const largest: [string, number][] = []
  for (const [name, { ready }] of Object.entries(categories)) {
    const at = largest.findIndex(([, bytes]) => bytes < ready)
    if (ready === 0 || (at < 0 && largest.length === categoriesMax)) continue
    largest.splice(at < 0 ? largest.length : at, 0, [name, ready])
    if (largest.length > categoriesMax) largest.pop()
  }
  return Object.fromEntries(largest)
}
