// The budget of kernel mappings. A Linux process may have 65,530 of them (vm.max_map_count), and
// a process that has them all dies at the engine's next allocation, with no word about why.
// So the layer stops short of it: it counts down by what its operations can cost, asks the kernel
// when they may have used up a part of what was left, and refuses before the kernel does.
import type { Address } from '@memlayer/kernel'
import { OutOfMemoryError } from './errors.js'
import type { Ledger } from './ledger.js'
import type { MappingCount, OS } from './os.js'

/** What an operation can cost: it cuts a mapping at both of its ends. */
const PER_OPERATION = 2
/** What sysUnused can: the huge pages at its ends lose their advice, each of which is cut off at both of its ends. */
const PER_ADVICE = 4
// Before the first count: many enough to start without reading files, few enough for every thread to begin so.
const UNCOUNTED = 1024
/** Mappings left to the engine, the C library and other native code. */
const HEADROOM = 1024
// Of what is free a memory takes an eighth between two counts: others, in this thread and in workers, count for themselves.
const SHARE = 8
/** The most operations between two counts, however much is free. */
const MOST = 2048
/** The most advice between two counts, where all that can be given costs no more than a share of what is free. */
const MOST_ADVICE = 65_536

/** Where nothing bounds mappings, or nobody knows: a count that ends only to be begun again. */
const UNBOUNDED = 2 ** 30 - 1

/** Counts down to the next question to the kernel. */
export class MappingBudget {
  readonly #os: OS
  readonly #ledger: Ledger | null
  /** Operations that are certain to fit. */
  #left: number
  /** Likewise, of those that only advise. */
  #advice: number
  // What was obtained last, since the last count.
  #address: Address = NaN
  #size = 0

  /** Null: no ledger, and nothing is counted: the wrappers are Go's. */
  constructor(os: OS, ledger: Ledger | null) {
    this.#os = os
    this.#ledger = ledger
    this.#left = this.#advice = os.mappings === undefined || ledger === null ? UNBOUNDED : UNCOUNTED
  }

  /** One more operation that can cost mappings, or as many as `times`. False: it may not fit, and `demand` has to say. */
  spend(times: number): boolean {
    return (this.#left -= times) >= 0
  }

  /** [v, v+n) was obtained, by an operation that has been counted. */
  obtained(v: Address, n: number): void {
    this.#address = v
    this.#size = n
  }

  /** Whether freeing [v, v+n) undoes what was obtained last: mappings are what they would be without either, and neither counts. */
  undo(v: Address, n: number): boolean {
    if (v !== this.#address || n !== this.#size) return false
    this.#address = NaN
    this.#left += 1
    return true
  }

  /** As many more mapped ranges advised, by sysUnused, sysUsed or sysHugePage, and permissions as they were. False: as above, `demandAdvice`. */
  spendAdvice(times: number): boolean {
    return (this.#advice -= times) >= 0
  }

  /** Memory has been mapped: what advice can cost has grown. */
  mapped(): void {
    if (this.#advice > MOST) this.#advice = MOST
  }

  /**
   * Counts, for as many operations as `times`.
   *
   * @throws OutOfMemoryError when the process is within the engine's headroom of its limit.
   */
  demand(op: string, n: number, times: number): void {
    const count = this.#count()
    if (count === null) return
    const free = freeOf(count)
    this.#left = between(free / (SHARE * PER_OPERATION), MOST)
    if (free < times * PER_OPERATION) refuse(op, n, count)
  }

  /**
   * Counts, for advice on as many ranges as `times`.
   *
   * @throws OutOfMemoryError as above.
   */
  demandAdvice(op: string, n: number, times: number): void {
    const count = this.#count()
    if (count === null) return
    const free = freeOf(count)
    // It goes to whole huge pages, and given again it costs nothing: so there is an end to it.
    const most = 2 * (this.#ledger?.hugePagesMapped(this.#os.traits.hugePageSize) ?? 0)
    this.#advice = most <= free / SHARE ? MOST_ADVICE : between(free / (SHARE * PER_ADVICE), MOST)
    const cost = Math.min(times * PER_ADVICE, most)
    if (cost > 0 && free < cost) refuse(op, n, count)
  }

  /** What the kernel says; null: it does not, and is not asked again. */
  #count(): MappingCount | null {
    this.#address = NaN
    const count = this.#os.mappings?.()
    if (count !== undefined && !Number.isNaN(count.limit) && !Number.isNaN(count.used)) return count
    this.#left = this.#advice = UNBOUNDED
    return null
  }
}

/** From 0 to `most`, and an integer to the engine as well: of any other number the countdown would make objects. */
function between(n: number, most: number): number {
  return n < most ? Math.max(n, 0) | 0 : most
}

function freeOf({ used, limit }: MappingCount): number {
  return limit - HEADROOM - used
}

function refuse(op: string, n: number, { used, limit }: MappingCount): never {
  throw new OutOfMemoryError(
    `${op}: the process has ${used} of ${limit} kernel mappings, and the engine needs some of the rest`,
    {
      op,
      size: n,
      hint: 'Free neighbouring ranges together and keep pages of one state side by side, or raise vm.max_map_count with sysctl.',
    },
  )
}
