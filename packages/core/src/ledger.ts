// The ledger: which range is owned, in which state, counted under which category. It is
// asked before an operation has any effect, and told after it is done, so that a refused or
// broken operation leaves it as it was.
import type { Address } from '@memlayer/kernel'
import { FatalError, formatBytes, formatAddress, UsageError, type ErrorCode } from './errors.js'
import type { Operation } from './observer.js'
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

// What the map holds for a range: category * 4 + state. The same number is its place in `bytes`.
const stateOf = (value: number): number => value & 3
const categoryOf = (value: number): number => value >> 2

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
  enter(op: Operation, v: Address, n: number, state: number, category: number): void {
    this.#map.seek(v)
    if (this.#map.value !== 0 || this.#map.end < v + n) this.#foreign(op, v, n)
    this.#set(v, v + n, 0, category * 4 + state)
    this.#reservations?.set(v, n)
  }

  /**
   * Returns when all of [v, v+n) is in one of the `from` states.
   *
   * @throws UsageError ERR_MEMLAYER_NOT_OWNED or ERR_MEMLAYER_STATE, naming where the range fails.
   */
  expect(op: Operation, v: Address, n: number, from: number): void {
    const map = this.#map
    map.seek(v)
    const end = v + n
    for (;;) {
      if (((from >> stateOf(map.value)) & 1) === 0) this.#wrongState(op, v, n, from)
      if (map.end >= end) return
      map.next()
    }
  }

  /**
   * Returns when every counted part of [v, v+n) is counted under `category`.
   *
   * @throws UsageError ERR_MEMLAYER_STAT
   */
  expectCategory(op: Operation, v: Address, n: number, category: number, nameOf: (category: number) => string): void {
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
      if (map.end >= v + n) return
      map.next()
    }
  }

  /**
   * Returns when [v, v+n) is a whole reservation, or the OS frees parts.
   *
   * @throws UsageError ERR_MEMLAYER_RESERVATION
   */
  expectWhole(op: Operation, v: Address, n: number): void {
    if (this.#reservations === null) return
    const size = this.#reservations.get(v)
    if (size === n) return
    const found =
      size === undefined ? `${formatAddress(v)} is not where a reservation begins` : `the reservation at ${formatAddress(v)} is ${size} bytes`
    throw new UsageError('ERR_MEMLAYER_RESERVATION', `${op}(${formatAddress(v)}, ${n}): ${found}`, {
      op,
      address: v,
      size: n,
      hint: 'This operating system releases a reservation only whole: pass its base and its size. To give parts back, use sysUnused.',
    })
  }

  /** [v, v+n) goes to `state` and stays in its category; found owned by `expect` a moment ago. */
  move(v: Address, n: number, state: number): void {
    const map = this.#map
    const end = v + n
    map.seek(v)
    if (map.end >= end) {
      this.#set(v, end, map.value, (map.value & ~3) | state)
      return
    }
    for (let at = v; at < end; ) {
      map.seek(at)
      const value = map.value
      const stop = Math.min(map.end, end)
      this.#set(at, stop, value, (value & ~3) | state)
      at = stop
    }
  }

  /**
   * [v, v+n) goes to `state` and `category` (both 0: it is owned no more). `left` is told of the
   * bytes that leave a category.
   */
  assign(v: Address, n: number, state: number, category: number, left: (category: number, bytes: number) => void): void {
    const end = v + n
    for (let at = v; at < end; ) {
      this.#map.seek(at)
      const value = this.#map.value
      const stop = Math.min(this.#map.end, end)
      this.#set(at, stop, value, category * 4 + state)
      if (categoryOf(value) !== 0) left(categoryOf(value), stop - at)
      at = stop
    }
    if (state === 0) this.#reservations?.delete(v)
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

  /** The first disagreement between the sums and the ranges, as a sentence; null: none. */
  audit(): string | null {
    const sums = new Float64Array(this.#bytes.length)
    let previous: LedgerRange | undefined
    for (const range of this.ranges()) {
      const place = range.category * 4 + stateNames.indexOf(range.state)
      sums[place] = (sums[place] ?? 0) + range.size
      if (previous !== undefined && previous.address + previous.size > range.address) {
        return `the ranges at ${formatAddress(previous.address)} and ${formatAddress(range.address)} overlap`
      }
      if (!(range.size > 0)) return `the range at ${formatAddress(range.address)} has ${range.size} bytes`
      previous = range
    }
    for (let i = 0; i < sums.length; i++) {
      if (sums[i] !== this.#bytes[i]) {
        return `category ${categoryOf(i)} counts ${this.#bytes[i]} bytes ${nameOfState(i)}, its ranges are ${sums[i]}`
      }
    }
    return null
  }

  #set(v: Address, end: Address, from: number, to: number): void {
    this.#map.assign(v, end, to)
    const n = end - v
    if (to >= this.#bytes.length) this.#grow(to)
    const bytes = this.#bytes
    if (from !== 0) bytes[from] = (bytes[from] as number) - n
    if (to !== 0) bytes[to] = (bytes[to] as number) + n
    if (stateOf(from) === READY) this.#ready -= n
    if (stateOf(to) === READY) {
      this.#ready += n
      if (this.#ready > this.#peak) this.#peak = this.#ready
      const category = categoryOf(to)
      if ((bytes[to] as number) > (this.#peaks[category] as number)) this.#peaks[category] = bytes[to] as number
    }
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

  #wrongState(op: Operation, v: Address, n: number, from: number): never {
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

  #foreign(op: Operation, v: Address, n: number): never {
    throw new FatalError(`${op}: the kernel handed out ${formatBytes(n)} at ${formatAddress(v)}, where a range is owned already`, {
      op,
      address: v,
      size: n,
      hint: 'Something outside this memory has unmapped its ranges, or two memories share one kernel.',
    })
  }
}

function nameOfState(value: number): RegionState {
  return stateNames[stateOf(value)] ?? 'None'
}

function hintFor(op: Operation, found: RegionState): string {
  if (found === 'None') return 'Pass a range obtained from sysReserve or sysAlloc of this memory and not freed since.'
  if (op === 'sysMap') return 'sysMap takes Reserved ranges; what was mapped before needs sysUsed alone.'
  if (found === 'Reserved') return 'Call sysMap on it first.'
  return found === 'Prepared' ? 'Call sysUsed on it first.' : 'It is in use already.'
}
