// The ledger: which range is owned, in which state, counted under which category. The calls ask it before an
// operation has any effect, and tell it after the operation is done.
import { isAligned, type Address } from '@memlayer/kernel'
import { firstFault } from './audit.js'
import { Gauge } from './gauge.js'
import { foreignRange, isAddress, noAddress, wrongCategory, wrongReservation, wrongState } from './misuse.js'
import { RangeMap } from './range-map.js'
import {
  categoryOf,
  MIXED,
  nameOfState,
  pack,
  PREPARED,
  READY,
  RESERVED,
  stateOf,
  type LedgerRange,
  type OwnedRange,
  type Packed,
} from './states.js'

/** Ranges by state and category, with their sums. */
export class Ledger {
  readonly #map = new RangeMap()
  // Bytes by packed number. Place 0 counts what nothing owns, and is never read.
  #bytes: Float64Array = new Float64Array(64)
  #peaks: Float64Array = new Float64Array(16)
  #ready = 0
  #peak = 0
  /** Base to size, where the OS releases only whole reservations; else null. */
  readonly #reservations: Map<Address, number> | null

  readonly #page: number
  /** What is Ready, for other threads. */
  readonly gauge: Gauge = new Gauge()
  /** A number that changes with every change of a range. */
  version = 0

  constructor(freesParts: boolean, pageSize = 1) {
    this.#page = pageSize
    this.#reservations = freesParts ? null : new Map()
  }

  /** Bytes of a category in a state. */
  bytes(category: number, state: number): number {
    return this.#bytes[pack(state, category)] ?? 0
  }

  /** The most bytes of a category that were ever Ready at once. */
  peak(category: number): number {
    return this.#peaks[category] ?? 0
  }

  /** The category is another one's from now on. */
  forgetPeak(category: number): void {
    if (category < this.#peaks.length) this.#peaks[category] = 0
  }

  /** Bytes that are Ready. */
  get ready(): number {
    return this.#ready
  }

  /** The most bytes that were ever Ready at once. */
  get totalPeak(): number {
    return this.#peak
  }

  /**
   * Enters [v, v+n), new from the kernel, as a reservation of its own.
   *
   * @throws FatalError when `v` is not an address, or a part of it is owned already.
   */
  enter(op: string, v: Address, n: number, state: number, category: number): void {
    if (!isAddress(v) || !isAligned(v, this.#page)) throw noAddress(op, v, n)
    this.#map.seek(v)
    if (this.#map.value !== 0 || !this.#map.reaches(v, n)) throw foreignRange(op, v, n)
    this.#reservations?.set(v, n)
    this.#set(v, n, 0, pack(state, category))
  }

  /**
   * Returns when all of [v, v+n) is in one of the `from` states. Returns its packed number if that is the same for
   * all of it, else MIXED.
   *
   * @throws UsageError ERR_MEMLAYER_NOT_OWNED or ERR_MEMLAYER_STATE, naming where the range fails.
   */
  expect(op: string, v: Address, n: number, from: number): Packed {
    const map = this.#map
    map.seek(v)
    const packed = map.value
    if (((from >> stateOf(packed)) & 1) === 0) this.#wrongState(op, v, n, from)
    return map.reaches(v, n) ? packed : this.#expectOn(op, v, n, from)
  }

  /** Whether all of [v, v+n) is Prepared, in one category. */
  isPrepared(v: Address, n: number): boolean {
    const map = this.#map
    map.seek(v)
    return stateOf(map.value) === PREPARED && map.reaches(v, n)
  }

  /** The rest of `expect`: what follows the range where [v, v+n) begins. */
  #expectOn(op: string, v: Address, n: number, from: number): Packed {
    const map = this.#map
    while (!map.reaches(v, n)) {
      map.next()
      if (((from >> stateOf(map.value)) & 1) === 0) this.#wrongState(op, v, n, from)
    }
    return MIXED
  }

  /**
   * Returns when `category` counts every counted part of [v, v+n). `packed` is what `expect` returned.
   *
   * @throws UsageError ERR_MEMLAYER_STAT
   */
  expectCategory(
    op: string,
    v: Address,
    n: number,
    packed: Packed,
    category: number,
    nameOf: (category: number) => string,
  ): void {
    if (packed !== MIXED && (categoryOf(packed) === 0 || categoryOf(packed) === category)) return
    for (const part of this.within(v, n)) {
      const found = categoryOf(part.packed)
      if (found !== 0 && found !== category)
        throw wrongCategory(op, v, n, part.address, nameOf(found), nameOf(category))
    }
  }

  /**
   * Returns when [v, v+n) is a whole reservation, or the OS frees parts.
   *
   * @throws UsageError ERR_MEMLAYER_RESERVATION
   */
  expectWhole(op: string, v: Address, n: number): void {
    if (this.#reservations === null) return
    const size = this.#reservations.get(v)
    if (size !== n) throw wrongReservation(op, v, n, size)
  }

  /** [v, v+n) goes to `state` and stays in its category. `packed` is what `expect` returned; MIXED is always right. */
  move(v: Address, n: number, state: number, packed: Packed = MIXED): void {
    if (packed !== MIXED) this.#set(v, n, packed, pack(state, categoryOf(packed)))
    else for (const part of this.within(v, n)) this.move(part.address, part.size, state, part.packed)
  }

  /** [v, v+n) goes to `state` and `category`. Both 0: it is not owned any more. `packed` as for `move`. */
  assign(v: Address, n: number, state: number, category: number, packed: Packed = MIXED): void {
    if (packed !== MIXED) this.#set(v, n, packed, pack(state, category))
    else this.#assignParts(v, n, pack(state, category))
    if (state === 0) this.#reservations?.delete(v)
  }

  #assignParts(v: Address, n: number, to: Packed): void {
    for (const part of this.within(v, n)) this.#set(part.address, part.size, part.packed, to)
  }

  /** What of [v, v+n) is owned goes to `state`, whatever it is in. For a range that a script left. */
  force(v: Address, n: number, state: number): void {
    for (const { address, size, packed } of this.within(v, n)) {
      if (packed !== 0) this.#map.assign(address, size, state === 0 ? 0 : pack(state, categoryOf(packed)))
    }
    this.version = (this.version + 1) | 0
    if (state === 0) this.#reservations?.delete(v)
  }

  /** Counts all sums anew from the ranges, because a script ended while they were being changed. Peaks stay. */
  recount(): void {
    const bytes = new Float64Array(this.#bytes.length)
    let ready = 0
    for (const { size, packed } of this.ranges()) {
      bytes[packed] = (bytes[packed] as number) + size
      if (stateOf(packed) === READY) ready += size
    }
    this.#bytes = bytes
    this.#ready = ready
    this.gauge.set(ready)
    for (const v of this.#reservations?.keys() ?? []) {
      this.#map.seek(v)
      if (this.#map.value === 0) this.#reservations?.delete(v)
    }
  }

  /** Where the pages like the one at `v` begin and end, within [from, end). */
  runAt(v: Address, from: Address, end: Address): [start: Address, end: Address] {
    this.#map.seek(v)
    const stop = this.#map.endBy(end)
    return [Math.max(this.#map.start, from), stop]
  }

  /** The category of the first byte of a range at `v`. `packed` is what `expect` returned. */
  categoryOf(packed: Packed, v: Address): number {
    if (packed !== MIXED) return categoryOf(packed)
    this.#map.seek(v)
    return categoryOf(this.#map.value)
  }

  /** Bytes of [v, v+n) that are Ready. */
  readyIn(v: Address, n: number): number {
    let bytes = 0
    const end = v + n
    for (let at = v; at < end;) {
      this.#map.seek(at)
      const stop = this.#map.endBy(end)
      if (stateOf(this.#map.value) === READY) bytes += stop - at
      at = stop
    }
    return bytes
  }

  /** `readyIn` of a range that `expect` has found to be `packed`. */
  readyOf(v: Address, n: number, packed: Packed): number {
    if (packed === MIXED) return this.readyIn(v, n)
    return stateOf(packed) === READY ? n : 0
  }

  /** The ranges that make up [v, v+n), cut to it; those that nothing owns are among them, packed as 0. */
  within(v: Address, n: number): LedgerRange[] {
    const found: LedgerRange[] = []
    const end = v + n
    for (let at = v; at < end;) {
      this.#map.seek(at)
      const stop = this.#map.endBy(end)
      found.push({ address: at, size: stop - at, packed: this.#map.value })
      at = stop
    }
    return found
  }

  /** Every owned range in order of address. Neighbours in one state and category are one range. */
  *ranges(): Generator<LedgerRange, void, void> {
    let at = 0
    for (;;) {
      this.#map.seek(at)
      const { start, end, value } = this.#map
      if (value !== 0) yield { address: start, size: end - start, packed: value }
      if (end === Infinity) return
      at = end
    }
  }

  /** Like `ranges()`, as one array: one pass, one object a range. The inspector asks once a second. */
  list(nameOf: (category: number) => string): OwnedRange[] {
    const map = this.#map
    const found: OwnedRange[] = []
    map.seek(0)
    do {
      const { start, value } = map
      if (value === 0) continue
      const category = categoryOf(value) === 0 ? null : nameOf(categoryOf(value))
      found.push({ address: start, size: map.end - start, state: nameOfState(value), category })
    } while (map.next())
    return found
  }

  /** What the ranges cost in kernel mappings: one for each run that is Reserved, or mapped. */
  mappings(): number {
    const map = this.#map
    let runs = 0
    let before = 0
    map.seek(0)
    do {
      const state = stateOf(map.value)
      // 0: not owned, 1: Reserved, 2: mapped.
      const now = state === 0 ? 0 : state === RESERVED ? 1 : 2
      if (now !== 0 && now !== before) runs += 1
      before = now
    } while (map.next())
    return runs
  }

  /** The huge pages, of `huge` bytes, that Prepared and Ready memory lies in. 0 where `huge` is 0. */
  hugePagesMapped(huge: number): number {
    if (huge === 0) return 0
    const map = this.#map
    let count = 0
    let next = 0
    map.seek(0)
    do {
      if (stateOf(map.value) < PREPARED) continue
      const first = Math.max(Math.floor(map.start / huge), next)
      const end = Math.ceil(map.end / huge)
      if (end > first) count += end - first
      next = Math.max(end, next)
    } while (map.next())
    return count
  }

  /**
   * Whether the kernel may have to cut one mapping in two to take [v, v+n) out. It may if the pages on both sides, of
   * `page` bytes, can be of one mapping with the range. Reserved and Ready pages never are of one mapping.
   */
  isInside(v: Address, n: number, page: number): boolean {
    return this.#mayBeOne(v - page, v) && this.#mayBeOne(v + n - page, v + n)
  }

  /** The first disagreement between the sums and the ranges, as a sentence; null where they agree. */
  audit(nameOf: (category: number) => string): string | null {
    return firstFault([...this.ranges()], this.#bytes, this.#ready, this.#reservations, nameOf)
  }

  #mayBeOne(a: Address, b: Address): boolean {
    const [before, after] = [this.#stateAt(a), this.#stateAt(b)]
    return before !== 0 && after !== 0 && Math.abs(before - after) < READY - RESERVED
  }

  #stateAt(v: Address): number {
    this.#map.seek(v)
    return stateOf(this.#map.value)
  }

  #set(v: Address, n: number, from: Packed, to: Packed): void {
    if (to >= this.#bytes.length) this.#grow(to)
    this.version = (this.version + 1) | 0
    if (!this.#map.put(v, n, to)) this.#map.assign(v, n, to)
    const bytes = this.#bytes
    bytes[from] = (bytes[from] as number) - n
    bytes[to] = (bytes[to] as number) + n
    if (stateOf(from) === READY) this.#ready -= n
    if (stateOf(to) === READY) this.#ready += n
    this.gauge.set(this.#ready)
    if (stateOf(to) !== READY) return
    if (this.#ready > this.#peak) this.#peak = this.#ready
    const category = categoryOf(to)
    if (bytes[to] > (this.#peaks[category] as number)) this.#peaks[category] = bytes[to]
  }

  #grow(value: Packed): void {
    const categories = (categoryOf(value) + 1) * 2
    const bytes = new Float64Array(categories * 4)
    bytes.set(this.#bytes)
    const peaks = new Float64Array(categories)
    peaks.set(this.#peaks)
    // `#bytes` tells that there is room, so it comes last.
    this.#peaks = peaks
    this.#bytes = bytes
  }

  #wrongState(op: string, v: Address, n: number, from: number): never {
    throw wrongState(op, v, n, from, Math.max(this.#map.start, v), this.#map.value)
  }
}
