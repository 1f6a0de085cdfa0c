// A snapshot: all that the page and the terminal show, as plain data. It holds addresses, sizes and names. It never
// holds bytes from the memory.
import type { Explanation, MemoryStats } from '@memlayer/core'

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
  /** The most memory that the process may have: the control group's limit, or the commit limit of Windows. */
  readonly limit: number | null
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
  /** The most memory that the process may have. */
  readonly limit: number | null
}

/** The state of one memory at one moment. */
export interface Snapshot {
  /** Marks the JSON as a snapshot. */
  readonly format: 'memlayer-snapshot'
  /** The version of the format. */
  readonly version: 1
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
  /** The process. */
  readonly process: ProcessFigures
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
  /** The last operations, the oldest first. */
  readonly log: readonly LogEntry[]
}

/** The states, by their number in `ranges`. */
export const states: readonly string[] = ['None', 'Reserved', 'Prepared', 'Ready']

/** The figures of a snapshot that the chart draws. */
export function momentOf(snapshot: Pick<Snapshot, 'at' | 'stats' | 'process' | 'resident' | 'explanation'>): Moment {
  const { at, stats, process, resident, explanation } = snapshot
  const { reserved, prepared, ready } = stats.total
  return {
    at,
    reserved,
    prepared,
    ready,
    // A part is not the whole, and is no figure of it.
    own: resident?.missing === 0 ? resident.resident : null,
    ownAt: resident?.missing === 0 ? resident.at : null,
    slack: explanation?.mallocSlack ?? null,
    ...process,
  }
}
