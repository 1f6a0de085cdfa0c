// Records: what one memory has of the process, as all threads see it. A record is made with a memory. When its thread
// has ended, the next thread that looks gives back what is left: see reap.ts.
import type { Address, ProcessTable } from '@memlayer/kernel'
import { unitBytes } from '../ledger/gauge.js'
import type { OS } from '../os.js'
import {
  CREDITS,
  ENDED,
  ENGINE_THREAD,
  FREE,
  HEAP,
  IDLE_UNITS,
  LIVE,
  liveRecords,
  LOG,
  READY_UNITS,
  REAPER,
  recordAt,
  RECORDS,
  recordsMax,
  STANDING,
  STATE,
  THREAD,
  USE,
} from './layout.js'
import { dropLogs, Log, type Pairs } from './log.js'

/** One record of this thread. */
export class ProcessRecord {
  readonly table: ProcessTable
  /** Where it begins among the words. */
  readonly at: number
  /** What its memory owns. */
  readonly log: Log

  private constructor(table: ProcessTable, at: number, owned: () => Pairs) {
    this.table = table
    this.at = at
    this.log = new Log(table, at, owned)
  }

  /** A new record, for what `owned` says is owned now. Null: there is no room. */
  static enter(table: ProcessTable, owned: () => Pairs): ProcessRecord | null {
    const { words, thread } = table
    for (let index = 0; index < recordsMax(words); index++) {
      const at = recordAt(index)
      if (Atomics.compareExchange(words, at + THREAD, 0, thread) !== 0) continue
      for (const place of [REAPER, CREDITS, STANDING, HEAP, LOG, READY_UNITS, IDLE_UNITS]) words[at + place] = 0
      words[at + ENGINE_THREAD] = table.engineThread + 1
      Atomics.add(words, at + USE, 1)
      while (true) {
        const known = Atomics.load(words, RECORDS)
        if (known > index || Atomics.compareExchange(words, RECORDS, known, index + 1) === known) break
      }
      const record = new ProcessRecord(table, at, owned)
      Atomics.store(words, at + STATE, LIVE)
      return record
    }
    return null
  }

  /** The number of its use. */
  get use(): number {
    return Atomics.load(this.table.words, this.at + USE)
  }

  /** This thread has a share of [v, v+n), which another one owns. Other threads know when this returns. */
  borrow(v: Address, n: number): void {
    this.log.add(-v, n)
    Atomics.add(this.table.words, this.at + USE, 0)
  }
}

/** Bytes that the memories of all threads have Ready or idle. */
export function bytesOfAll({ words }: ProcessTable): number {
  let units = 0
  // Every commit under a limit asks. A generator would cost it more than all the rest of the question.
  const end = recordAt(Atomics.load(words, RECORDS))
  for (let at = recordAt(0); at < end; at += recordAt(1) - recordAt(0)) {
    if (words[at + STATE] !== LIVE) continue
    units += (words[at + READY_UNITS] as number) + (words[at + IDLE_UNITS] as number)
  }
  return units * unitBytes
}

/** How many memories the process has, of all threads. */
export function memoriesOfAll({ words }: ProcessTable): number {
  return [...liveRecords(words)].length
}

/** Whether a record is still that of its `use`, and its thread has not been found ended. */
export function isInUse({ words }: ProcessTable, at: number, use: number): boolean {
  return Atomics.load(words, at + STATE) === LIVE && Atomics.load(words, at + USE) === use
}

/** Lets others have a record that owns nothing more. */
export function leave(table: ProcessTable, at: number): void {
  const { words } = table
  Atomics.store(words, at + STATE, ENDED)
  dropLogs(table, at)
  Atomics.store(words, at + STATE, FREE)
  Atomics.store(words, at + THREAD, 0)
}

/** A record whose memory was dropped, and whether that owned nothing. */
interface Dropped {
  readonly record: ProcessRecord
  readonly isEmpty: () => boolean
}

const dropped = /* @__PURE__ */ new FinalizationRegistry<Dropped>(({ record, isEmpty }) => {
  if (isEmpty()) leave(record.table, record.at)
})

/** Lets others have the record when `memory` is collected and owns nothing. Else it stays until the thread ends. */
export function leaveWithMemory(memory: object, record: ProcessRecord, isEmpty: () => boolean): void {
  dropped.register(memory, { record, isEmpty })
}

/** The process's table of this OS; null: its host has none. */
export function tableOf(os: OS): ProcessTable | null {
  return os.host?.processTable?.() ?? null
}
