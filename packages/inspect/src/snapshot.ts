// A snapshot: all that the page and the terminal show, as plain data. It holds addresses, sizes and names,
// and never a byte of what memory contains.
import type { Explanation, MemoryStats } from '@memlayer/core'

/** A region. */
export interface SnapshotRegion {
  /** What people call it. */
  readonly name: string
  /** Its first byte. */
  readonly address: number
  /** Its bytes. */
  readonly size: number
  /** What counts it. */
  readonly category: string
  /** Where it was reserved: the first line of the stack that is the user's own. */
  readonly made: string
  /** Bytes of it with memory behind them, as they were last looked up; `null`: not known, or not yet. */
  readonly resident: number | null
  /** Of those, in huge pages. */
  readonly huge: number | null
}

/** Resident bytes as they were found. */
export interface ResidentFigures {
  /** With memory behind them. */
  readonly resident: number
  /** Of those, in huge pages; `null`: this host does not tell. */
  readonly huge: number | null
  /** When: milliseconds since 1970. */
  readonly at: number
}

/** A range's pages, in cells of equal size: how many pages of each have memory behind them. */
export interface PageCells {
  /** Its first byte. */
  readonly address: number
  /** Its bytes. */
  readonly size: number
  /** Bytes of a cell: whole pages. */
  readonly unit: number
  /** Bytes from the start that were looked at: fewer than `size` where that took too long. */
  readonly looked: number
  /** Bytes with memory behind them. */
  readonly resident: number
  /** Of those, in huge pages; `null`: this host does not tell. */
  readonly huge: number | null
  /** Bytes in swap space; `null`: this host does not tell. */
  readonly swapped: number | null
  /** Resident pages of each cell. */
  readonly residentCells: readonly number[]
  /** Those in huge pages. */
  readonly hugeCells: readonly number[]
  /** Those in swap space. */
  readonly swappedCells: readonly number[]
}

/** The process, as its engine and kernel tell. Bytes; `null`: not known. */
export interface ProcessFigures {
  /** Resident memory. */
  readonly resident: number
  /** In use in the JavaScript heap. */
  readonly heapUsed: number
  /** What the engine takes for its objects' memory outside of its heap. */
  readonly external: number
  /** Of that, ArrayBuffers and Buffers that the engine has allocated. */
  readonly arrayBuffers: number
  /** What the process may have: the control group's limit. */
  readonly limit: number | null
}

/** One operation, as the log keeps it. */
export interface LogEntry {
  /** Milliseconds since 1970. */
  readonly at: number
  /** The operation: `sysMap`. */
  readonly op: string
  /** Where the range begins; `null`: none was obtained. */
  readonly address: number | null
  /** The range's bytes. */
  readonly size: number
  /** What counts it; `null`: nothing. */
  readonly category: string | null
  /** What came of it. */
  readonly outcome: 'done' | 'refused' | 'broken'
  /** What the kernel answered: the call and the error's name. */
  readonly answer: string
}

/** The figures of one moment that a chart draws. Bytes; `null`: not known. */
export interface Moment {
  /** Milliseconds since 1970. */
  readonly at: number
  /** Bytes Reserved. */
  readonly reserved: number
  /** Bytes Prepared. */
  readonly prepared: number
  /** Bytes Ready. */
  readonly ready: number
  /** Resident bytes of this memory. */
  readonly own: number | null
  /** In use in the JavaScript heap. */
  readonly heapUsed: number
  /** What the engine takes outside of its heap. */
  readonly external: number
  /** Of that, ArrayBuffers. */
  readonly arrayBuffers: number
  /** What the C library holds free. */
  readonly slack: number | null
  /** Resident memory of the process. */
  readonly resident: number
  /** What the process may have. */
  readonly limit: number | null
}

/** One moment of one memory. */
export interface Snapshot {
  /** How one knows a snapshot. */
  readonly format: 'memlayer-snapshot'
  /** Which fields it has. */
  readonly version: 1
  /** Milliseconds since 1970. */
  readonly at: number
  /** The backend's operating system. */
  readonly os: string
  /** Bytes in a page. */
  readonly pageSize: number
  /** The account. */
  readonly stats: MemoryStats
  /** The names that `ranges` counts in; the first is of what no category counts. */
  readonly categories: readonly string[]
  /** Four numbers a range, in order of address: address, size, state (1 Reserved, 2 Prepared, 3 Ready), place in `categories`. */
  readonly ranges: readonly number[]
  /** The regions in use. */
  readonly regions: readonly SnapshotRegion[]
  /** The process. */
  readonly process: ProcessFigures
  /** Kernel mappings: of the process, that it may have, of this memory, as they were counted `at`. */
  readonly mappings: { readonly used: number; readonly limit: number; readonly own: number; readonly at: number } | null
  /** Resident bytes of this memory; `null`: this host does not tell, or they have not all been looked at yet. */
  readonly resident: ResidentFigures | null
  /** Where resident memory was `at`; `null`: nobody has asked. */
  readonly explanation: (Explanation & { readonly at: number }) | null
  /** The regions' pages; only in a snapshot that is saved. */
  readonly pages: readonly PageCells[]
  /** What was before, the oldest first; only in a snapshot that the page has saved. */
  readonly history: readonly Moment[]
  /** The last operations, the oldest first. */
  readonly log: readonly LogEntry[]
}

/** The states, by their number in `ranges`. */
export const states: readonly string[] = ['None', 'Reserved', 'Prepared', 'Ready']

/** What a chart draws of a snapshot. */
export function momentOf(snapshot: Pick<Snapshot, 'at' | 'stats' | 'process' | 'resident' | 'explanation'>): Moment {
  const { at, stats, process, resident, explanation } = snapshot
  const { reserved, prepared, ready } = stats.total
  return {
    at,
    reserved,
    prepared,
    ready,
    own: resident?.resident ?? null,
    slack: explanation?.mallocSlack ?? null,
    ...process,
  }
}
