// The scavenger: gives back idle pages in the background. Source: the background scavenger of Go's
// runtime/mgcscavenge.go.
//
// How much. Idle pages above a part of what is Ready go (`retain`, a tenth, as in Go). A program that frees much and
// takes some of it again soon finds it there; one that has shrunk gives its memory back. What stays idle for as long as
// `decay` goes as well, as in jemalloc and mimalloc. What became idle in this turn stays: a burst that frees and
// takes the same pages is not hurt.
//
// Which. The oldest first. Among them whole huge pages first, and then what lies in a huge page that is not nearly
// full: a hole in a full one costs the others their huge page, and gives back little. Such a hole goes when a caller
// asks.
//
// How fast. A step takes about a millisecond of the thread's processor time. The next one comes when that is no more
// than `share` of the thread's time, a hundredth, as in Go. A thread that has nothing else to do lends it more. So a
// burst of frees stalls no loop. Between two steps there is a timer that keeps no process alive, and without idle pages
// there is none.
import { alignDown, alignUp, type Address } from '@memlayer/kernel'
import { hostClock, type Clock } from './clock.js'
import type { Idle } from './idle.js'

/** How a memory scavenges. */
export interface ScavengeOptions {
  /** Whether every `sysUnused` only makes pages idle. Default false: it gives them back at once, as in Go. */
  readonly lazy?: boolean | undefined
  /** Idle bytes that may stay, as a part of the bytes that are Ready. Default 0.1. */
  readonly retain?: number | undefined
  /** Milliseconds after which idle pages go in any case. Default 10,000. */
  readonly decay?: number | undefined
  /** The part of the thread's time that the scavenger takes at most. Default 0.01. 0: it runs when it is called. */
  readonly share?: number | undefined
}

/** The same with defaults. */
export type Scavenging = { readonly [K in keyof ScavengeOptions]-?: NonNullable<ScavengeOptions[K]> }

/** The defaults. */
export const scavenging: Scavenging = { lazy: false, retain: 0.1, decay: 10_000, share: 0.01 }

/** Milliseconds of a turn, at least. */
const turnMilliseconds = 100
/** The same where nothing was given back, and nothing new is idle. */
const turnMillisecondsAtRest = 1000
/** Milliseconds that a step takes, about. It looks at the clock after each batch. */
const stepMilliseconds = 1
/** A thread that sleeps lends the scavenger so many times its share. */
const shareAsleep = 5
/** Up to this part of its time at work, a thread counts as one that sleeps. */
const asleepMax = 0.5
/** Bytes and ranges of a batch. */
const batchBytes = 2 ** 22
const batchRanges = 64
/** A huge page is nearly full when so much of it is Ready. */
const fullPart = 7 / 8

/** What it needs of a memory. */
export interface Scavenged {
  readonly idle: Idle
  readonly pageSize: number
  /** Bytes of a huge page; 0: the OS has none. */
  readonly hugePageSize: number
  /** Bytes that are Ready. */
  ready(): number
  /** Bytes by which a limit is near; 0 or less: it is not. */
  near(): number
  /** Bytes of [v, v+n) that are Ready. */
  readyIn(v: Address, n: number): number
  /**
   * Gives the memory of idle ranges back, pairs of address and size, and has them idle no more. Returns the bytes; less
   * than all of them: the OS or a limit refused.
   */
  release(pairs: readonly number[]): number
}

/** The next batch of a walk. */
interface Batch {
  readonly pairs: readonly number[]
  readonly bytes: number
  /** Where the walk goes on. Infinity: it has ended. */
  readonly next: Address
}

/** The scavenger of one memory. */
export class Scavenger {
  readonly #memory: Scavenged
  readonly #options: Scavenging
  readonly #clock: Clock
  #isWaiting = false
  #worked = 0
  #released = 0
  /** The last turn that ended so long ago that what became idle in it is due. */
  #due = 0
  /** The turns after it that have ended, and when. */
  readonly #ended: { readonly turn: number; readonly at: number }[] = []

  constructor(memory: Scavenged, options: Scavenging, clock: Clock = hostClock()) {
    this.#memory = memory
    this.#options = options
    this.#clock = clock
  }

  /** Bytes that it gave back, in all. */
  get released(): number {
    return this.#released
  }

  /** Milliseconds of processor time that its steps took, in all. */
  get worked(): number {
    return this.#worked
  }

  /** Pages became idle. */
  wake(): void {
    if (this.#isWaiting || this.#options.share === 0) return
    this.#clock.busy()
    this.#sleep(turnMilliseconds)
  }

  /** Gives back `bytes` of what is idle now, the oldest first, or all of it. Returns the bytes that it gave back. */
  scavenge(bytes: number): number {
    let released = 0
    for (const [turn] of this.#bytesByTurn()) released += this.#release(turn, bytes - released, true, Infinity)
    return released
  }

  #sleep(milliseconds: number): void {
    this.#isWaiting = true
    this.#clock.after(milliseconds, () => {
      this.#isWaiting = false
      if (this.#memory.idle.bytes > 0) this.#step()
    })
  }

  #step(): void {
    const { idle } = this.#memory
    const { retain, decay, share } = this.#options
    const lent = this.#clock.busy() <= asleepMax ? Math.min(1, share * shareAsleep) : share
    const now = this.#clock.now()
    const begun = this.#clock.worked()
    while (this.#ended[0] !== undefined && this.#ended[0].at <= now - decay) {
      this.#due = (this.#ended.shift() as { turn: number }).turn
    }
    const before = this.#released
    let excess = Math.max(idle.bytes - retain * this.#memory.ready(), this.#memory.near())
    const turns = this.#bytesByTurn()
    const isNew = turns.at(-1)?.[0] === idle.turn
    for (const [turn, bytes] of turns) {
      const isDue = turn <= this.#due
      if (turn === idle.turn || (!isDue && excess <= 0)) break
      const released = this.#release(turn, isDue ? bytes : excess, false, begun + stepMilliseconds)
      excess -= released
      if (this.#clock.worked() >= begun + stepMilliseconds) break
    }
    this.#ended.push({ turn: idle.turn, at: now })
    idle.nextTurn()
    const took = this.#clock.worked() - begun
    this.#worked += took
    const isAtRest = this.#released === before && !isNew
    const least = isAtRest ? turnMillisecondsAtRest : turnMilliseconds * (share / lent)
    if (idle.bytes > 0) this.#sleep(Math.max(least, took / lent))
  }

  /** The idle bytes of each turn, the oldest first. */
  #bytesByTurn(): [turn: number, bytes: number][] {
    const bytes = new Map<number, number>()
    this.#memory.idle.walk(0, (_, size, turn) => {
      bytes.set(turn, (bytes.get(turn) ?? 0) + size)
      return true
    })
    return [...bytes].sort(([a], [b]) => a - b)
  }

  /** Gives back up to `most` bytes of what became idle in a turn. Returns the bytes. */
  #release(turn: number, most: number, isForced: boolean, until: number): number {
    let released = 0
    for (const isWhole of this.#memory.hugePageSize > 0 ? [true, false] : [false]) {
      let at: Address = 0
      while (at !== Infinity && released < most) {
        const batch = this.#batch(at, turn, most - released, isWhole, isForced)
        at = batch.next
        if (batch.bytes === 0) continue
        const done = this.#memory.release(batch.pairs)
        released += done
        this.#released += done
        if (done < batch.bytes || this.#clock.worked() >= until) return released
      }
    }
    return released
  }

  #batch(from: Address, wanted: number, most: number, isWhole: boolean, isForced: boolean): Batch {
    const { idle, pageSize, hugePageSize } = this.#memory
    const unit = isWhole ? hugePageSize : pageSize
    const pairs: number[] = []
    let bytes = 0
    let next = Infinity
    idle.walk(from, (start, size, turn) => {
      if (turn !== wanted) return true
      const v = alignUp(start, unit)
      const n = Math.min(alignDown(start + size, unit) - v, alignUp(Math.min(most, batchBytes) - bytes, unit))
      if (n <= 0 || !(isWhole || isForced || this.#isWorthIt(v, n))) return true
      pairs.push(v, n)
      bytes += n
      next = v + n
      return bytes < Math.min(most, batchBytes) && pairs.length < 2 * batchRanges
    })
    const isOver = bytes < Math.min(most, batchBytes) && pairs.length < 2 * batchRanges
    return { pairs, bytes, next: isOver ? Infinity : next }
  }

  /** Whether [v, v+n), which is no whole huge page, lies in one that is not nearly full. */
  #isWorthIt(v: Address, n: number): boolean {
    const { hugePageSize } = this.#memory
    if (hugePageSize === 0) return true
    const start = alignDown(v, hugePageSize)
    const size = alignUp(v + n, hugePageSize) - start
    return this.#memory.readyIn(start, size) < fullPart * size
  }
}
