// Mappings: what the layer spends of the kernel's mappings, and its wishes about huge pages.
// A Linux process may have 65,530 mappings (vm.max_map_count). A process that has them all dies at the engine's next
// allocation, without a word. So the layer stops short of it: it counts down by what its operations can cost, asks
// the kernel when they may have used up a part of what was left, and refuses before the kernel does.
import type { Address } from '@memlayer/kernel'
import { OutOfMemoryError } from '../errors.js'
import type { Ledger } from '../ledger/ledger.js'
import { isMapped, type Packed } from '../ledger/states.js'
import type { OS } from '../os.js'
import type { HugePages } from './huge-pages.js'

/** The mappings that an operation can add: it cuts a mapping at both of its ends. */
const mappingsPerOperation = 2
/** Those that advice can add: the huge pages at its ends change their advice, and each is cut off at both ends. */
const mappingsPerAdvice = 4
/** The operations that an `unused` or `used` counts for where it cuts: itself, and a huge page at each end. */
const operationsPerCut = 3
// Before the first count. Enough to start without reading files, few enough for every thread to begin so.
const operationsUncounted = 1024
/** Mappings left to the engine, the C library and other native code. */
const mappingsHeadroom = 1024
// A memory takes an eighth of what is free between two counts, because other memories count for themselves.
const memoriesAssumed = 8
/** The most operations between two counts, however much is free. */
const operationsMax = 2048
/** The most advice between two counts, where all advice there is costs no more than this memory's part. */
const adviceMax = 65_536
/** Where nothing bounds mappings. The count starts again when it ends. */
const unbounded = 2 ** 30 - 1

interface MappingCount {
  readonly used: number
  readonly limit: number
}

/** Counts down to the next question to the kernel. Every method that spends throws an OutOfMemoryError at the limit. */
export class MappingBudget {
  readonly #os: OS
  readonly #ledger: Ledger
  readonly #hugePages: HugePages
  /** Whether sysUnused and sysUsed change permissions, page by page. Elsewhere they only advise. */
  readonly #unusedCuts: boolean
  /** Operations that are certain to fit. */
  #left: number
  /** Advice that is certain to fit. */
  #advice: number
  // What was obtained last, since the last count.
  #address: Address = NaN
  #size = 0
  /** Gives back mappings that nothing needs. False: there are none. */
  readonly #relieve: () => boolean

  constructor(os: OS, ledger: Ledger, hugePages: HugePages, relieve: () => boolean) {
    this.#os = os
    this.#ledger = ledger
    this.#hugePages = hugePages
    this.#relieve = relieve
    this.#unusedCuts = os.traits.unusedTraps
    this.#left = this.#advice = os.host?.mappings === undefined ? unbounded : operationsUncounted
  }

  /** As many operations as `times`, each of which can cut a mapping at both of its ends. */
  cut(op: string, n: number, times = 1): void {
    if ((this.#left -= times) < 0) this.#recount(op, n, times)
  }

  /** Advice for a range whose packed number is `packed`. The advice budget is for mapped ranges only. */
  advise(op: string, n: number, packed: Packed): void {
    if (isMapped(packed)) this.#spendAdvice(op, n, 1)
    else this.cut(op, n)
  }

  /** As many sysUnused as `times`. */
  unused(op: string, n: number, times = 1): void {
    if (this.#unusedCuts) this.cut(op, n, operationsPerCut * times)
    else this.#spendAdvice(op, n, times)
  }

  /** One sysUsed. Policies about huge pages make it cut, because they advise at its very ends. */
  used(op: string, n: number): void {
    if (this.#unusedCuts || this.#hugePages.inUse) this.cut(op, n, operationsPerCut)
    else this.#spendAdvice(op, n, 1)
  }

  /**
   * One sysFree. At the limit, a free from the middle of a mapping is refused, as the kernel would refuse it. Any
   * other free makes room. A free of what was obtained last costs nothing, because together they change nothing.
   */
  free(v: Address, n: number): void {
    if (v === this.#address && n === this.#size) return
    if ((this.#left -= 1) < 0 && this.#ledger.isInside(v, n, this.#os.traits.pageSize)) this.#recount('sysFree', n, 1)
  }

  /** Pays for one operation that can cut a mapping at both of its ends. False: there is no mapping to spare for it. */
  hasRoom(): boolean {
    if ((this.#left -= 1) >= 0) return true
    return this.#relieved(() => this.#renew(1)) === null
  }

  /** [v, v+n) was obtained. */
  obtained(v: Address, n: number): void {
    this.#address = v
    this.#size = n
  }

  /** [v, v+n) was freed. */
  freed(v: Address, n: number): void {
    if (v !== this.#address || n !== this.#size) return
    this.#address = NaN
    this.#left += 1
  }

  /** Memory was mapped: the advice that there can be has grown. */
  mapped(): void {
    if (this.#advice > operationsMax) this.#advice = operationsMax
  }

  #spendAdvice(op: string, n: number, times: number): void {
    if ((this.#advice -= times) < 0) this.#recountAdvice(op, n, times)
  }

  #recount(op: string, n: number, times: number): void {
    const count = this.#relieved(() => this.#renew(times))
    if (count !== null) refuse(op, n, count)
  }

  /** Counts, and again where there is no room and something could be given back. Null: there is room. */
  #relieved(count: () => MappingCount | null): MappingCount | null {
    const found = count()
    return found === null || !this.#relieve() ? found : count()
  }

  /** Asks the kernel, and begins to count down anew. Null: there is room for as many operations as `times`. */
  #renew(times: number): MappingCount | null {
    const count = this.#count()
    if (count === null) return null
    const free = freeOf(count)
    this.#left = wholeBetween(free / (memoriesAssumed * mappingsPerOperation), operationsMax)
    return free < times * mappingsPerOperation ? count : null
  }

  #recountAdvice(op: string, n: number, times: number): void {
    const count = this.#relieved(() => this.#renewAdvice(times))
    if (count !== null) refuse(op, n, count)
  }

  #renewAdvice(times: number): MappingCount | null {
    const count = this.#count()
    if (count === null) return null
    const free = freeOf(count)
    // Advice goes to whole huge pages, and advice that is given again costs nothing. So its cost has an end.
    const most = 2 * this.#ledger.hugePagesMapped(this.#os.traits.hugePageSize)
    const part = free / memoriesAssumed
    this.#advice = most <= part ? adviceMax : wholeBetween(part / mappingsPerAdvice, operationsMax)
    const cost = Math.min(times * mappingsPerAdvice, most)
    return cost > 0 && free < cost ? count : null
  }

  /** What the kernel says; null: it does not tell now. */
  #count(): MappingCount | null {
    this.#address = NaN
    const count = this.#os.host?.mappings?.()
    if (count !== undefined && !Number.isNaN(count.limit) && !Number.isNaN(count.used)) return count
    // A process that has no descriptor left can't read its mappings, and can again later.
    this.#left = this.#advice = count === undefined ? unbounded : operationsMax
    return null
  }
}

/** A small integer from 0 to `most`. Of any other number the engine would make an object at each step of the count. */
function wholeBetween(n: number, most: number): number {
  return n < most ? Math.max(n, 0) | 0 : most
}

function freeOf({ used, limit }: MappingCount): number {
  return limit - mappingsHeadroom - used
}

function refuse(op: string, n: number, { used, limit }: MappingCount): never {
  const rest = 'the layer leaves the rest to the engine'
  const message = `${op}: the process has ${used} of ${limit} kernel mappings, and ${rest}`
  const hint =
    'Free neighbouring ranges together and keep pages of one state side by side, ' +
    'or raise vm.max_map_count with sysctl.'
  throw new OutOfMemoryError(message, { op, size: n, hint })
}
