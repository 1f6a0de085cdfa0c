// The ledger: which range is owned, in which state, counted under which category. It is
// asked before an operation has any effect, and told after it is done, so that a refused or
// broken operation leaves it as it was.
import type { Address } from '@memlayer/kernel'
import { FatalError, formatBytes, formatAddress, UsageError, type ErrorCode } from './errors.js'
import type { OwnedRange } from './memory.js'
import { RangeMap } from './range-map.js'

/** The states that a range is in. None is what the layer does not own. */
export type RegionState = 'None' | 'Reserved' | 'Prepared' | 'Ready'

export const RESERVED = 1
export const PREPARED = 2
export const READY = 3

/** Sets of states, for `expect`: the bit of a state is 1 << state. */
export const FROM_RESERVED: number = 1 << RESERVED
export const FROM_READY: number = 1 << READY
export const FROM_MAPPED: number = (1 << PREPARED) | (1 << READY)
export const FROM_OWNED: number = (1 << RESERVED) | (1 << PREPARED) | (1 << READY)

const stateNames: readonly RegionState[] = ['None', 'Reserved', 'Prepared', 'Ready']

/** One range of the address space, as the ledger has it. */
export interface LedgerRange {
  readonly address: Address
  readonly size: number
  readonly state: RegionState
  /** The index of the category that counts it; 0: none. */
  readonly category: number
}

/** What the map holds for a range: category * 4 + state. The same number is its place in `bytes`. */
export type Held = number
/** In place of it: the range is of several states or categories. */
export const MIXED: Held = -1

const stateOf = (held: Held): number => held & 3
/** The category that counts a range; 0: none. */
export const categoryOf = (held: Held): number => held >> 2

/** Whether it is Prepared or Ready, all of it; of a mix that is not known. */
export const isMapped = (held: Held): boolean => held !== MIXED && stateOf(held) >= PREPARED

/** Ranges by state and category, with their sums. */
export class Ledger {
  readonly #map = new RangeMap()
  #bytes: Float64Array = new Float64Array(64)
  #peaks: Float64Array = new Float64Array(16)
  #ready = 0
  #peak = 0
  /** Base to size, where the OS releases reservations only whole; else null. */
  readonly #reservations: Map<Address, number> | null

  constructor(freesParts: boolean) {
    this.#reservations = freesParts ? null : new Map()
  }

  /** Bytes of a category in a state. */
  bytes(category: number, state: number): number {
    return this.#bytes[category * 4 + state] ?? 0
  }

  /** The most bytes of a category that were ever Ready at once. */
  peak(category: number): number {
    return this.#peaks[category] ?? 0
  }

  /** The most bytes that were ever Ready at once. */
  get totalPeak(): number {
    return this.#peak
  }

  /** The number of boundaries held: what the ledger costs. */
  get size(): number {
    return this.#map.size
  }

  /** Enters [v, v+n), new from the kernel, as a reservation of its own. */
  enter(op: string, v: Address, n: number, state: number, category: number): void {
    this.#map.seek(v)
    if (this.#map.value !== 0 || !this.#map.reaches(v, n)) this.#foreign(op, v, n)
    this.#set(v, n, 0, category * 4 + state)
    this.#reservations?.set(v, n)
  }

  /**
   * Returns when all of [v, v+n) is in one of the `from` states: what is held for it, where that is the
   * same for all of it, else MIXED.
   *
   * @throws UsageError ERR_MEMLAYER_NOT_OWNED or ERR_MEMLAYER_STATE, naming where the range fails.
   */
  expect(op: string, v: Address, n: number, from: number): Held {
    const map = this.#map
    map.seek(v)
    const held = map.value
    if (((from >> stateOf(held)) & 1) === 0) this.#wrongState(op, v, n, from)
    return map.reaches(v, n) ? held : this.#expectOn(op, v, n, from)
  }

  /** The rest of `expect`: what follows the range where [v, v+n) begins. */
  #expectOn(op: string, v: Address, n: number, from: number): Held {
    const map = this.#map
    while (!map.reaches(v, n)) {
      map.next()
      if (((from >> stateOf(map.value)) & 1) === 0) this.#wrongState(op, v, n, from)
    }
    return MIXED
  }

  /**
   * Returns when every counted part of [v, v+n) is counted under `category`; `held` is what `expect` returned.
   *
   * @throws UsageError ERR_MEMLAYER_STAT
   */
  expectCategory(
    op: string,
    v: Address,
    n: number,
    held: Held,
    category: number,
    nameOf: (category: number) => string,
  ): void {
    if (held !== MIXED && (categoryOf(held) === 0 || categoryOf(held) === category)) return
    const map = this.#map
    map.seek(v)
    for (;;) {
      const found = categoryOf(map.value)
      if (found !== 0 && found !== category) {
        const message = `${op}: the bytes at ${formatAddress(Math.max(map.start, v))} are counted under '${nameOf(found)}', not '${nameOf(category)}'`
        throw new UsageError('ERR_MEMLAYER_STAT', message, {
          op,
          address: v,
          size: n,
          hint: 'Free a range with the stat that it was mapped with, or with null to let the ledger find it.',
        })
      }
      if (map.reaches(v, n)) return
      map.next()
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
    if (size === n) return
    const found =
      size === undefined
        ? `${formatAddress(v)} is not where a reservation begins`
        : `the reservation at ${formatAddress(v)} is ${size} bytes`
    throw new UsageError('ERR_MEMLAYER_RESERVATION', `${op}(${formatAddress(v)}, ${n}): ${found}`, {
      op,
      address: v,
      size: n,
      hint: 'This operating system releases a reservation only whole: pass its base and its size. To give parts back, use sysUnused.',
    })
  }

  /** [v, v+n) goes to `state` and stays in its category; `held`, where it is known, is what `expect` returned a moment ago. */
  move(v: Address, n: number, state: number, held: Held = MIXED): void {
    if (held === MIXED) this.#moveParts(v, n, state)
    else this.#set(v, n, held, (held & ~3) | state)
  }

  #moveParts(v: Address, n: number, state: number): void {
    for (const part of this.within(v, n)) {
      this.#set(part.address, part.size, heldOf(part), part.category * 4 + state)
    }
  }

  /** [v, v+n) goes to `state` and `category`; both 0: it is owned no more. `held` as for `move`. */
  assign(v: Address, n: number, state: number, category: number, held: Held = MIXED): void {
    if (held === MIXED) this.#assignParts(v, n, category * 4 + state)
    else this.#set(v, n, held, category * 4 + state)
    if (state === 0) this.#reservations?.delete(v)
  }

  #assignParts(v: Address, n: number, to: Held): void {
    for (const part of this.within(v, n)) this.#set(part.address, part.size, heldOf(part), to)
  }

  /** The category of the first byte of a range at `v`; `held` is what `expect` returned. */
  categoryOf(held: Held, v: Address): number {
    return held === MIXED ? this.categoryAt(v) : categoryOf(held)
  }

  /** The category that counts the byte at `v`; 0: none. */
  categoryAt(v: Address): number {
    this.#map.seek(v)
    return categoryOf(this.#map.value)
  }

  /** The state of the byte at `v`. */
  stateAt(v: Address): RegionState {
    this.#map.seek(v)
    return nameOfState(this.#map.value)
  }

  /** Every owned range in order of address, neighbours in one state and category as one. */
  *ranges(): Generator<LedgerRange, void, void> {
    let at = 0
    for (;;) {
      this.#map.seek(at)
      const { start, end, value } = this.#map
      if (value !== 0) {
        yield { address: start, size: end - start, state: nameOfState(value), category: categoryOf(value) }
      }
      if (end === Infinity) return
      at = end
    }
  }

  /** The ranges that make up [v, v+n), cut to it. */
  within(v: Address, n: number): LedgerRange[] {
    const found: LedgerRange[] = []
    const end = v + n
    for (let at = v; at < end;) {
      this.#map.seek(at)
      const { value } = this.#map
      const stop = this.#map.endBy(end)
      found.push({ address: at, size: stop - at, state: nameOfState(value), category: categoryOf(value) })
      at = stop
    }
    return found
  }

  /** The same at once, for whoever looks each second: without a search and without an object between for each. */
  list(nameOf: (category: number) => string): OwnedRange[] {
    const map = this.#map
    const found: OwnedRange[] = []
    map.seek(0)
    do {
      const { start, value } = map
      if (value === 0) continue
      const category = categoryOf(value)
      found.push({
        address: start,
        size: map.end - start,
        state: nameOfState(value),
        category: category === 0 ? null : nameOf(category),
      })
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
      // 0: owned by nobody, 1: Reserved, 2: mapped.
      const now = state === 0 ? 0 : state === RESERVED ? 1 : 2
      if (now !== 0 && now !== before) runs += 1
      before = now
    } while (map.next())
    return runs
  }

  /** The huge pages, of `huge` bytes, that Prepared and Ready memory lies in; of 0 bytes: none. */
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
   * Whether the kernel may have to cut one mapping in two to take [v, v+n) out: on both sides, a page of `page` bytes
   * on, is what may be of one mapping with it. Reserved and Ready never are.
   */
  isInside(v: Address, n: number, page: number): boolean {
    return this.#mayBeOne(v - page, v) && this.#mayBeOne(v + n - page, v + n)
  }

  #mayBeOne(a: Address, b: Address): boolean {
    const [before, after] = [this.#stateAt(a), this.#stateAt(b)]
    return before !== 0 && after !== 0 && Math.abs(before - after) < READY - RESERVED
  }

  #stateAt(v: Address): number {
    this.#map.seek(v)
    return stateOf(this.#map.value)
  }

  /** The first disagreement between the sums and the ranges, as a sentence; null: none. */
  audit(): string | null {
    const sums = new Float64Array(this.#bytes.length)
    let owned = 0
    let ready = 0
    let previous: LedgerRange | undefined
    for (const range of this.ranges()) {
      const place = heldOf(range)
      sums[place] = (sums[place] ?? 0) + range.size
      owned += range.size
      if (range.state === 'Ready') ready += range.size
      if (previous !== undefined && previous.address + previous.size > range.address) {
        return `the ranges at ${formatAddress(previous.address)} and ${formatAddress(range.address)} overlap`
      }
      if (!(range.size > 0)) return `the range at ${formatAddress(range.address)} has ${range.size} bytes`
      previous = range
    }
    for (let i = 1; i < sums.length; i++) {
      if (sums[i] !== this.#bytes[i]) {
        return `category ${categoryOf(i)} counts ${this.#bytes[i]} bytes ${nameOfState(i)}, its ranges are ${sums[i]}`
      }
    }
    if (ready !== this.#ready) return `${this.#ready} bytes are counted Ready, the ranges that are have ${ready}`
    return this.#auditReservations(owned)
  }

  /** Every owned byte came with a reservation that is known, and all of each is owned. */
  #auditReservations(owned: number): string | null {
    if (this.#reservations === null) return null
    let reserved = 0
    for (const [v, n] of this.#reservations) {
      reserved += n
      const none = this.within(v, n).find(({ state }) => state === 'None')
      if (none !== undefined)
        return `the reservation at ${formatAddress(v)} is not owned from ${formatAddress(none.address)} on`
    }
    return reserved === owned ? null : `reservations are of ${reserved} bytes, and ${owned} are owned`
  }

  #set(v: Address, n: number, from: Held, to: Held): void {
    if (!this.#map.put(v, n, to)) this.#map.assign(v, n, to)
    if (to >= this.#bytes.length) this.#grow(to)
    const bytes = this.#bytes
    // What is owned by nobody is counted as well, in place 0, which nobody reads.
    bytes[from] = (bytes[from] as number) - n
    bytes[to] = (bytes[to] as number) + n
    if (stateOf(from) === READY) this.#ready -= n
    if (stateOf(to) !== READY) return
    this.#ready += n
    if (this.#ready > this.#peak) this.#peak = this.#ready
    const category = categoryOf(to)
    if (bytes[to] > (this.#peaks[category] as number)) this.#peaks[category] = bytes[to]
  }

  #grow(value: number): void {
    const categories = (categoryOf(value) + 1) * 2
    const bytes = new Float64Array(categories * 4)
    bytes.set(this.#bytes)
    this.#bytes = bytes
    const peaks = new Float64Array(categories)
    peaks.set(this.#peaks)
    this.#peaks = peaks
  }

  #wrongState(op: string, v: Address, n: number, from: number): never {
    const at = Math.max(this.#map.start, v)
    const found = nameOfState(this.#map.value)
    const wanted = stateNames.filter((_, state) => (from >> state) & 1).join(' or ')
    const code: ErrorCode = found === 'None' ? 'ERR_MEMLAYER_NOT_OWNED' : 'ERR_MEMLAYER_STATE'
    const where = at === v ? 'from its start' : `from offset ${at - v} (${formatAddress(at)})`
    const is = found === 'None' ? 'is not owned by this memory' : `is ${found}`
    throw new UsageError(code, `${op}(${formatAddress(v)}, ${n}): the range has to be ${wanted}, and ${is} ${where}`, {
      op,
      address: v,
      size: n,
      hint: hintFor(op, found),
    })
  }

  #foreign(op: string, v: Address, n: number): never {
    throw new FatalError(
      `${op}: the kernel handed out ${formatBytes(n)} at ${formatAddress(v)}, where a range is owned already`,
      {
        op,
        address: v,
        size: n,
        hint: 'Something outside this memory has unmapped its ranges, or two memories share one kernel.',
      },
    )
  }
}

function heldOf({ category, state }: LedgerRange): Held {
  return category * 4 + stateNames.indexOf(state)
}

function nameOfState(value: number): RegionState {
  return stateNames[stateOf(value)] ?? 'None'
}

function hintFor(op: string, found: RegionState): string {
  if (found === 'None') return 'Pass a range obtained from sysReserve or sysAlloc of this memory and not freed since.'
  if (op === 'sysMap') return 'sysMap takes Reserved ranges; what was mapped before needs sysUsed alone.'
  if (op === 'sysUnused') return 'Leave that part out: it has no pages to give back.'
  if (op === 'sysFault') return 'Leave that part out: it faults already.'
  if (op === 'sysUsed') return 'Call sysMap on it first, or region.commit, which does both.'
  return `Make it Ready first: ${found === 'Reserved' ? 'sysMap and then sysUsed' : 'sysUsed'} of that part, or region.commit.`
}
