// What threads leave when they end: however one ends, it runs no code of its own then. Another thread gives back what
// it owned, except where a third one has a share. Each range is struck from the log before it is unmapped, so a reaper
// that ends itself gives nothing back twice.
import type { Address, ProcessTable } from '@memlayer/kernel'
import { RangeMap } from '../ledger/range-map.js'
import { ENDED, ENGINE_THREAD, FREE, liveRecords, REAPER, STATE, THREAD, usedRecords } from './layout.js'
import { Log, readLog } from './log.js'
import { leave } from './record.js'

/** Gives back what threads have left that have ended. */
export function reap(table: ProcessTable): void {
  const { words, thread } = table
  let last = thread
  let isLastAlive = true
  for (const at of usedRecords(words)) {
    const owner = Atomics.load(words, at + THREAD)
    if (owner === 0) continue
    // Neighbours are often of one thread.
    if (owner !== last) {
      isLastAlive = table.isThread(owner)
      last = owner
    }
    if (!isLastAlive) reapRecord(table, at, owner)
  }
}

function reapRecord(table: ProcessTable, at: number, owner: number): void {
  const { words, thread } = table
  const other = Atomics.load(words, at + REAPER)
  if (other !== 0 && other !== thread && table.isThread(other)) return
  if (Atomics.compareExchange(words, at + REAPER, other, thread) !== other) return
  // Another thread may have been faster, and the record may have a new owner.
  if (Atomics.load(words, at + THREAD) === owner) giveBack(table, at)
  Atomics.store(words, at + REAPER, 0)
}

/** Unmaps what the record at `at` owns and nobody has a share of. */
function giveBack(table: ProcessTable, at: number): void {
  const { words } = table
  // It was claimed, and its thread ended before it was used.
  if (Atomics.load(words, at + STATE) === FREE) {
    Atomics.store(words, at + THREAD, 0)
    return
  }
  // From here on no thread takes up a share of it. The shares before are in the logs, which are read after this.
  Atomics.store(words, at + STATE, ENDED)
  const rest = readLog(table, at).owned
  const shared = sharedRanges(table)
  const log = new Log(table, at, () => pairsOf(rest))
  let isLeft = false
  for (const [v, n] of pairsOf(rest)) {
    for (const [from, size, isShared] of shared.within(v, n)) {
      if (isShared !== 0) {
        isLeft = true
        continue
      }
      rest.assign(from, size, 0)
      log.remove(from, size)
      table.unmap(from, size)
    }
  }
  if (!isLeft) leave(table, at)
}

/** 1 where a thread that lives has a share. */
function sharedRanges(table: ProcessTable): RangeMap {
  const { words } = table
  const all = new RangeMap()
  for (const at of liveRecords(words)) {
    if (!table.isThread(Atomics.load(words, at + THREAD))) continue
    for (const [v, n] of pairsOf(readLog(table, at).shared)) all.assign(v, n, 1)
  }
  return all
}

/** The ranges of a map that are not 0, as a list. */
export function pairsOf(map: RangeMap): [Address, number][] {
  const pairs: [Address, number][] = []
  map.seek(0)
  do if (map.value !== 0) pairs.push([map.start, map.end - map.start])
  while (map.next())
  return pairs
}

/** What another thread owns. */
export interface OtherThread {
  /** What the engine calls it; NaN: not known. */
  readonly thread: number
  readonly ranges: readonly (readonly [Address, number])[]
}

/** What the records of other threads have. */
export function otherThreads(table: ProcessTable): OtherThread[] {
  const { words, thread } = table
  const others: OtherThread[] = []
  for (const at of usedRecords(words)) {
    if (Atomics.load(words, at + STATE) === FREE || Atomics.load(words, at + THREAD) === thread) continue
    const named = (words[at + ENGINE_THREAD] as number) - 1
    others.push({ thread: named < 0 ? NaN : named, ranges: pairsOf(readLog(table, at).owned) })
  }
  return others
}
