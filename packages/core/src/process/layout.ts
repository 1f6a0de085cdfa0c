// The words of the process's table: what lies where. All threads, and all copies of this package, have to agree on it.
// A change wants another address: see @memlayer/ffi, linux-table.ts and windows-table.ts.

/** Mappings that any thread may take, as of the last count. */
export const POOL = 0
/** 1 when a thread has counted the mappings, or has taken those that need no count. */
export const COUNTED = 1
/** Records that were ever in use. */
export const RECORDS = 2
/** The first record. */
const FIRST = 64
const RECORD_WORDS = 64

// A record: what one memory, or the shares of one thread, have. Places are from its first word.
/** FREE, LIVE, or ENDED: its thread has ended, and what it owned is given back. */
export const STATE = 0
/** The kernel's number of its thread. */
export const THREAD = 1
/** The thread that gives back what is left of it. */
export const REAPER = 2
/** Mappings that its memory may spend without a count. */
export const CREDITS = 3
/** Mappings that all advice of its memory may cost. */
export const STANDING = 4
/** Mappings that the JavaScript heap of its thread may come to need. */
export const HEAP = 5
/** The log in use, and its entries: `log << 24 | entries`. One word, so that a log is changed at once. */
export const LOG = 6
/** A number that changes whenever the log does. */
export const TURN = 7
/** What the engine calls its thread, plus one; 0: not known. */
export const ENGINE_THREAD = 8
/** A number that changes with each use of the record. */
export const USE = 9
/** What its memory has Ready, and what it has idle, in the units of a gauge. */
export const READY_UNITS = 10
export const IDLE_UNITS = 11
/** Addresses of the logs, two words each: the low half comes first. */
export const LOGS = 16

/** As many logs as a record has room for. */
export const logsMax = 12

export const FREE = 0
export const LIVE = 1
export const ENDED = 2

/** Where a record begins. */
export const recordAt = (index: number): number => FIRST + index * RECORD_WORDS
/** How many records there is room for. */
export const recordsMax = (words: Int32Array): number => Math.floor((words.length - FIRST) / RECORD_WORDS)

/** Where the records begin that were ever in use. */
export function* usedRecords(words: Int32Array): Generator<number, void, void> {
  for (let index = 0; index < Atomics.load(words, RECORDS); index++) yield recordAt(index)
}

/** Where the records of memories in use begin. */
export function* liveRecords(words: Int32Array): Generator<number, void, void> {
  for (const at of usedRecords(words)) if (Atomics.load(words, at + STATE) === LIVE) yield at
}
