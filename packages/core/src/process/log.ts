// The log of a record: what its memory owns, as another thread can read it when this one has ended. Each entry is an
// address and a size. A size below zero: it is owned no more. An address below zero: the range is another thread's, and
// this one has a share of it. An entry is added after the kernel has given a range, and before it takes one: a script
// that ends between loses address space, and nothing is given back twice.
import type { Address, ProcessTable } from '@memlayer/kernel'
import { RangeMap } from '../ledger/range-map.js'
import { LOG, LOGS, logsMax, TURN } from './layout.js'

/** The first two logs have 4096 entries, the next two four times as many. Pages that are not written cost nothing. */
const bytesOf = (log: number): number => 2 ** 16 * 4 ** (log >> 1)
const entriesMax = (log: number): number => bytesOf(log) / 16
const entriesMask = 2 ** 24 - 1

/** Pairs of address and size, which the owner of a log has now. */
export type Pairs = Iterable<readonly [Address, number]>

/** A log, as the thread writes it that answers for its record. */
export class Log {
  readonly #table: ProcessTable
  readonly #at: number
  readonly #owned: () => Pairs
  readonly #views: (Float64Array | null)[] = Array.from({ length: logsMax }, () => null)
  readonly #words: Int32Array
  readonly #entriesAt: number
  #numbers: Float64Array | null
  /** What the word of the log is now: which log, and its entries. Only this thread writes it. */
  #word: number
  /** Where the next entry goes among the numbers, and where they end. */
  #next: number
  #end: number

  /** `at`: the record's place. `owned` says what is owned, for a log that is written anew. */
  constructor(table: ProcessTable, at: number, owned: () => Pairs) {
    this.#table = table
    this.#at = at
    this.#owned = owned
    this.#words = table.words
    this.#entriesAt = at + LOG
    const word = table.words[at + LOG] as number
    this.#numbers = this.#open(word >>> 24)
    this.#word = word
    this.#next = 2 * (word & entriesMask)
    this.#end = 2 * entriesMax(word >>> 24)
  }

  /** The kernel is about to take [v, v+n), or the share of it was released. */
  remove(v: number, n: number): void {
    this.add(v, -n)
  }

  /** The kernel has given [v, v+n), or another thread a share of it where `v` is below zero. */
  add(v: number, n: number): void {
    if (this.#next === this.#end) this.rewrite()
    const numbers = this.#numbers
    if (numbers === null) return
    const next = this.#next
    numbers[next] = v
    numbers[next + 1] = n
    this.#next = next + 2
    // This makes the entry known. No thread reads it before this one has ended, or has crossed a fence.
    this.#words[this.#entriesAt] = this.#word += 1
  }

  /**
   * Writes what is owned into another log, which is then the log. A script may end anywhere: the words change last, and
   * what this thread knows of them after that. Until then there is no room left, so the next entry begins again.
   */
  rewrite(): void {
    const { words } = this.#table
    this.#end = this.#next
    Atomics.add(words, this.#at + TURN, 1)
    const pairs: number[] = []
    for (const [v, n] of this.#owned()) pairs.push(v, n)
    const entries = pairs.length / 2
    // The other one of the same size, or a larger one where less than half of it would be free.
    let next = ((words[this.#at + LOG] as number) >>> 24) ^ 1
    while (entries > entriesMax(next) / 2 && next < logsMax - 1) next = (next | 1) + 1
    const numbers = entries < entriesMax(next) ? this.#open(next) : null
    if (numbers === null) return this.#giveUp()
    numbers.set(pairs)
    const word = next * 2 ** 24 + entries
    Atomics.store(words, this.#at + LOG, word)
    this.#word = word
    this.#numbers = numbers
    this.#next = 2 * entries
    this.#end = 2 * entriesMax(next)
  }

  /** There is no memory for a log. An entry that is missing could give back what others own, so there are none. */
  #giveUp(): void {
    this.#numbers = null
    Atomics.store(this.#table.words, this.#at + LOG, 0)
  }

  /**
   * Opens a log, and the other of its size, which the next rewrite takes. A view that is made late could meet the end
   * of its thread: packages/docs/what-can-crash.md.
   */
  #open(log: number): Float64Array | null {
    const known = this.#views[log]
    if (known !== null && known !== undefined) return known
    this.#views[log ^ 1] = this.#map(log ^ 1)
    return (this.#views[log] = this.#map(log))
  }

  #map(log: number): Float64Array | null {
    const { words } = this.#table
    const at = this.#at + LOGS + 2 * log
    let address = addressAt(words, at)
    if (address === 0) address = this.#table.map(bytesOf(log))
    if (address === 0) return null
    words[at] = address | 0
    words[at + 1] = Math.floor(address / 2 ** 32)
    return this.#table.numbers(address, bytesOf(log))
  }
}

/** What a log has. */
export interface Logged {
  /** 1 where its memory owns addresses. */
  readonly owned: RangeMap
  /** 1 where its thread has a share of another's. */
  readonly shared: RangeMap
}

/** Reads the log of the record at `at`. It reads again where its owner has changed it meanwhile. */
export function readLog(table: ProcessTable, at: number): Logged {
  const { words } = table
  for (;;) {
    const turn = Atomics.load(words, at + TURN)
    const word = Atomics.load(words, at + LOG)
    const [log, entries] = [word >>> 24, word & entriesMask]
    const address = addressAt(words, at + LOGS + 2 * log)
    if (address === 0) return { owned: new RangeMap(), shared: new RangeMap() }
    const numbers = table.numbers(address, bytesOf(log)).slice(0, 2 * entries)
    if (Atomics.load(words, at + TURN) === turn && Atomics.load(words, at + LOG) >>> 24 === log) return replay(numbers)
  }
}

function replay(numbers: Float64Array): Logged {
  const logged = { owned: new RangeMap(), shared: new RangeMap() }
  for (let i = 0; i < numbers.length; i += 2) {
    const [v, n] = [numbers[i] as number, numbers[i + 1] as number]
    const map = v < 0 ? logged.shared : logged.owned
    map.assign(Math.abs(v), Math.abs(n), n < 0 ? 0 : 1)
  }
  return logged
}

/** Unmaps the logs of a record that nobody uses. */
export function dropLogs(table: ProcessTable, at: number): void {
  const { words } = table
  for (let log = 0; log < logsMax; log++) {
    const place = at + LOGS + 2 * log
    const address = addressAt(words, place)
    if (address === 0) continue
    words[place] = 0
    words[place + 1] = 0
    table.unmap(address, bytesOf(log))
  }
}

function addressAt(words: Int32Array, at: number): Address {
  return ((words[at + 1] as number) >>> 0) * 2 ** 32 + ((words[at] as number) >>> 0)
}
