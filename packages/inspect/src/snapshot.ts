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
  /** Where it was reserved: a stack. */
  readonly made: string
}

/** The process, as its engine and kernel tell. Bytes; `null`: not known. */
export interface ProcessFigures {
  /** Resident memory. */
  readonly resident: number
  /** In use in the JavaScript heap. */
  readonly heapUsed: number
  /** What the engine takes for its objects' memory outside of its heap. */
  readonly external: number
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
  /** Kernel mappings: of the process, that it may have, of this memory. */
  readonly mappings: { readonly used: number; readonly limit: number; readonly own: number } | null
  /** Where resident memory is; only in a snapshot that was asked for it. */
  readonly explanation: Explanation | null
  /** The last operations, the oldest first. */
  readonly log: readonly LogEntry[]
}

/** The states, by their number in `ranges`. */
export const states: readonly string[] = ['None', 'Reserved', 'Prepared', 'Ready']
