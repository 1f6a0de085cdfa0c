// Retired: addresses that JavaScript has seen are not given back. A view that was moved, a call in flight and a native
// object keep an address where the layer can't see it. If the address were unmapped, the engine might get it next, and
// a late access would end the process or change the engine's own memory. So a freed range that ever had a view gives
// its memory back and keeps its addresses, readable and writable. They serve later reservations after a quarantine.
//
// A script may end at any call here. The intent is open then, and `recount` and `addAgain` mend what is half done.
import { alignDown, alignUp, type Address } from '@memlayer/kernel'
import { RangeMap } from '../ledger/range-map.js'
import type { OS, Quarantine } from '../os.js'
import type { ProcessRecord } from '../process/record.js'
import { forgetRefusal, givesBack } from './answers.js'
import { keepsCommitted } from './lingering.js'
import { Queue, queuedMax } from './queue.js'

// What a retired range is. 0: it is not retired.
const QUARANTINED = 1
/** In quarantine, and it traps: the OS charges writable memory, and younger ranges have what can be spared. */
const TRAPPING = 2
/** It may serve a reservation. */
const COOLED = 3

/** Retirements between two sweeps. A sweep gives back what was written late, and the page tables. */
const retirementsPerSweep = 256
/** The most ranges that one sweep visits. The next one goes on from there. */
const rangesPerSweep = 64

const nothing: Quarantine = { space: 0, writable: 0 }

/** An address and a size. */
type Pair = readonly [Address, number]

/** The retired ranges of one memory. */
export class Retired {
  readonly #os: OS
  /** 1 where owned pages have had a view. */
  readonly #seen = new RangeMap()
  /** What each retired address is. An entry of the queue may be out of date; this map is right. */
  readonly #kinds = new RangeMap()
  /** Bytes of each kind. */
  #bytes: Float64Array = new Float64Array(COOLED + 1)
  /** What is in quarantine. */
  readonly #queue = new Queue()
  #sinceSweep = 0
  /** Where the next sweep begins. */
  #sweepAt: Address = 0
  /** No cooled range is larger. */
  #largestCooled = 0
  /** What `retire` left committed of the range that `add` comes with, as pairs of address and size. */
  #committed: readonly Pair[] | null = null

  readonly #record: ProcessRecord | null

  constructor(os: OS, record: ProcessRecord | null = null) {
    this.#os = os
    this.#record = record
  }

  /** Bytes of address space that are retired. */
  get bytes(): number {
    return this.#of(QUARANTINED) + this.#of(TRAPPING) + this.#of(COOLED)
  }

  /** The retired ranges as pairs of address and size, in order of address. Neighbours are one. */
  ranges(): Address[] {
    const pairs: Address[] = []
    const kinds = this.#kinds
    kinds.seek(0)
    do if (kinds.value !== 0) append(pairs, kinds.start, kinds.end)
    while (kinds.next())
    return pairs
  }

  /** Whether all of [v, v+n) counts as seen. Where the OS retires nothing, it is not asked. */
  counts(v: Address, n: number): boolean {
    if (this.#os.sysRetireOS === undefined) return true
    this.#seen.seek(v)
    return this.#seen.value !== 0 && this.#seen.reaches(v, n)
  }

  /** JavaScript is about to see a part of [v, v+n). */
  see(v: Address, n: number): void {
    const { pageSize } = this.#os.traits
    const start = alignDown(v, pageSize)
    this.#seen.assign(start, alignUp(v + n, pageSize) - start, 1)
  }

  /** Whether JavaScript has seen a part of [v, v+n). */
  hasSeen(v: Address, n: number): boolean {
    const seen = this.#seen
    if (seen.size === 1) return false
    seen.seek(v)
    return seen.value !== 0 || !seen.reaches(v, n)
  }

  /** Whether the OS can spare `n` bytes of addresses. */
  mayRetire(n: number): boolean {
    return n <= this.#spare.space
  }

  /**
   * Gives the memory of [v, v+n) back to the OS and keeps the addresses. `isMapped`: all of it can be touched now.
   * False: the OS can't, and the range is as it was or has lost its memory.
   */
  retire(v: Address, n: number, isMapped: boolean): boolean {
    const { writable } = this.#spare
    if (n <= writable) return givesBack(this.#os, v, n, isMapped)
    // The OS can't spare so much memory that can be touched. The addresses trap from the start.
    return this.#traps(v, n)
  }

  /**
   * `retire` for an OS that charges committed memory. Only `ready` and `lingering` are committed, and they stay so.
   * What lingers holds nothing any more.
   */
  retireCommitted(v: Address, n: number, ready: readonly Pair[], lingering: readonly Pair[]): boolean {
    const bytes = [...ready, ...lingering].reduce((sum, [, size]) => sum + size, 0)
    if (bytes > this.#spare.writable) {
      this.#committed = []
      return this.#traps(v, n)
    }
    const committed: Pair[] = [...lingering]
    for (const [at, size] of ready) {
      if (givesBack(this.#os, at, size, true)) committed.push([at, size])
      else if (!this.#traps(at, size)) return false
    }
    this.#committed = committed
    return true
  }

  /** [v, v+n) was retired. */
  add(v: Address, n: number): void {
    this.#seen.assign(v, n, 0)
    const committed = this.#committed
    this.#change(v, n, 0, committed !== null || n > this.#spare.writable ? TRAPPING : QUARANTINED)
    for (const [at, size] of committed ?? []) this.#change(at, size, TRAPPING, QUARANTINED)
    this.#queue.push(v, n)
    this.#age()
    if ((this.#sinceSweep += 1) >= retirementsPerSweep) this.#sweep()
  }

  /** `add` and what is before it, where a script may have ended inside. The bytes have to be counted anew. */
  addAgain(v: Address, n: number): void {
    this.#seen.assign(v, n, 0)
    // Where the OS can't, the addresses serve nothing any more.
    if (!this.retire(v, n, false)) return
    this.#kinds.assign(v, n, n > this.#spare.writable ? TRAPPING : QUARANTINED)
    this.#queue.push(v, n)
  }

  /** [v, v+n) was given back to the OS. */
  forget(v: Address, n: number): void {
    if (this.hasSeen(v, n)) this.#seen.assign(v, n, 0)
  }

  /** Retired addresses for a reservation of `n` bytes; null: there are none. They are Reserved now. */
  reserve(n: number, align = 1): Address | null {
    if (n > this.#largestCooled) return null
    const v = this.#take(n, align)
    return v === null || this.#traps(v, n) ? v : this.#keep(v, n)
  }

  /** Retired addresses for an allocation of `n` bytes; null: there are none. They are Ready now, and read zero. */
  alloc(n: number): Address | null {
    return n > this.#largestCooled ? null : this.#allocCooled(n)
  }

  #allocCooled(n: number): Address | null {
    const v = this.#take(n, 1)
    return v === null || givesBack(this.#os, v, n, this.#coolsTouchable) ? v : this.#keep(v, n)
  }

  /** Ends the quarantine of all ranges, because the OS refused other addresses. */
  cool(): void {
    while (this.#queue.length > 0) this.#coolFirst()
  }

  /**
   * Gives all retired addresses back to the OS, because it refused others. False: there are none. What a program kept
   * until now is not protected any more; a reservation that fails ends most programs for certain.
   */
  release(): boolean {
    if (this.bytes === 0) return false
    this.cool()
    while (this.#of(COOLED) > 0) this.#releaseCooled()
    return true
  }

  /** Decommits what can be touched in quarantine, because memory is short. False: there is none. */
  uncommit(): boolean {
    const before = this.#of(QUARANTINED)
    while (this.#queue.hasWritable) this.#trapFirst()
    return this.#of(QUARANTINED) < before
  }

  /** Counts the bytes anew, because a script ended while they were being changed. */
  recount(): void {
    const bytes = new Float64Array(COOLED + 1)
    const kinds = this.#kinds
    kinds.seek(0)
    do if (kinds.value !== 0) bytes[kinds.value] = (bytes[kinds.value] as number) + (kinds.end - kinds.start)
    while (kinds.next())
    this.#bytes = bytes
    this.#largestCooled = this.#of(COOLED)
  }

  /** Whether cooled ranges can be touched. They trap where the OS can spare little memory that can. */
  get #coolsTouchable(): boolean {
    return this.#spare.writable === Infinity
  }

  get #spare(): Quarantine {
    return this.#os.quarantine ?? nothing
  }

  #of(kind: number): number {
    return this.#bytes[kind] as number
  }

  #change(v: Address, n: number, from: number, to: number): void {
    this.#kinds.assign(v, n, to)
    const bytes = this.#bytes
    bytes[from] = (bytes[from] as number) - n
    bytes[to] = (bytes[to] as number) + n
  }

  /** Takes cooled addresses out, at a multiple of `align`. Null: no cooled range is large enough. */
  #take(n: number, align: number): Address | null {
    const kinds = this.#kinds
    let largest = 0
    kinds.seek(0)
    do {
      if (kinds.value !== COOLED) continue
      const { start, end } = kinds
      const v = alignUp(start, align)
      if (v + n <= end) {
        this.#change(v, n, COOLED, 0)
        return v
      }
      largest = Math.max(largest, end - start)
    } while (kinds.next())
    this.#largestCooled = largest
    return null
  }

  /** Keeps addresses that were taken, because the OS would not make of them what was asked. */
  #keep(v: Address, n: number): null {
    this.#change(v, n, 0, COOLED)
    return null
  }

  /** Makes [v, v+n) trap. False: the OS can't, and nothing has changed. */
  #traps(v: Address, n: number): boolean {
    // The refusal of the call before is not this one's.
    forgetRefusal(this.#os)
    try {
      this.#os.sysFaultOS(v, n)
    } catch {
      return false
    }
    if (!this.#os.refusal) return true
    forgetRefusal(this.#os)
    return false
  }

  /** Lets the oldest ranges trap, cool and go, as far as the OS can't spare more. */
  #age(): void {
    const { space, writable } = this.#spare
    const queue = this.#queue
    while (this.#of(QUARANTINED) > writable && queue.hasWritable) this.#trapFirst()
    // Half of the space is for the quarantine, so that there are cooled addresses for later reservations.
    while (queue.length > 0 && (queue.length > queuedMax || this.#inQuarantine > space / 2)) this.#coolFirst()
    while (this.bytes > space && this.#of(COOLED) > 0) this.#releaseCooled()
  }

  get #inQuarantine(): number {
    return this.#of(QUARANTINED) + this.#of(TRAPPING)
  }

  #trapFirst(): void {
    const { v, n } = this.#queue.nextWritable()
    // Parts of it may trap already.
    for (const [at, size, kind] of this.#kinds.within(v, n)) {
      if (kind === QUARANTINED && this.#traps(at, size)) this.#change(at, size, QUARANTINED, TRAPPING)
    }
  }

  #coolFirst(): void {
    const { v, n } = this.#queue.shift()
    const serves = this.#os.traits.freesParts
    for (const [at, size, kind] of this.#kinds.within(v, n)) {
      if (kind !== QUARANTINED && kind !== TRAPPING) continue
      if (kind === QUARANTINED && serves && !this.#coolsTouchable) this.#traps(at, size)
      this.#change(at, size, kind, COOLED)
    }
    // A script may have ended after the range came here, and then it came twice.
    if (!this.#isCooled(v, n)) return
    // A reservation that goes as a whole would have to serve one of exactly its size.
    if (!serves) this.#unmap(v, n)
    else this.#largestCooled = Math.max(this.#largestCooled, this.#kinds.end - this.#kinds.start)
  }

  /** Whether all of [v, v+n) may serve. The cursor is there then. */
  #isCooled(v: Address, n: number): boolean {
    this.#kinds.seek(v)
    return this.#kinds.value === COOLED && this.#kinds.reaches(v, n)
  }

  #releaseCooled(): void {
    const kinds = this.#kinds
    kinds.seek(0)
    while (kinds.value !== COOLED) if (!kinds.next()) return this.recount()
    const { start, end } = kinds
    this.#unmap(start, end - start)
  }

  /** Gives cooled addresses back to the OS. They leave the map first, because a script may end between the two. */
  #unmap(v: Address, n: number): void {
    this.#change(v, n, COOLED, 0)
    this.#record?.log.remove(v, n)
    try {
      this.#os.sysFreeOS(v, n)
    } catch {
      // The kernel keeps them, and they are nobody's.
    }
    forgetRefusal(this.#os)
  }

  /** Gives back what was written late to retired ranges, and their page tables: of some ranges now, of others later. */
  #sweep(): void {
    this.#sinceSweep = 0
    // An OS that charges committed memory has little of it in quarantine, and decommits that soon.
    if (keepsCommitted(this.#os)) return
    const runs = this.#runsFrom(this.#sweepAt)
    for (let i = 0; i < runs.length; i += 2) givesBack(this.#os, runs[i] as Address, runs[i + 1] as number, false)
  }

  /** The ranges of a sweep that begins at `v`: those that can be touched. Neighbours are one. */
  #runsFrom(v: Address): Address[] {
    const pairs: Address[] = []
    const kinds = this.#kinds
    kinds.seek(v)
    do {
      if (kinds.value !== QUARANTINED && !(kinds.value === COOLED && this.#coolsTouchable)) continue
      if (pairs.length === 2 * rangesPerSweep) {
        this.#sweepAt = kinds.start
        return pairs
      }
      append(pairs, kinds.start, kinds.end)
    } while (kinds.next())
    this.#sweepAt = 0
    return pairs
  }
}

/** Adds [start, end) to pairs of address and size. It joins a neighbour before it. */
function append(pairs: Address[], start: Address, end: Address): void {
  const last = pairs.length - 2
  if (last >= 0 && (pairs[last] as Address) + (pairs[last + 1] as number) === start) {
    pairs[last + 1] = end - (pairs[last] as Address)
  } else pairs.push(start, end - start)
}
