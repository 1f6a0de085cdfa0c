// Mappings: what the layer spends of the kernel's mappings, and its wishes about huge pages.
// A Linux process may have 65,530 mappings (vm.max_map_count). A process that has them all dies at the engine's next
// allocation, without a word. So the layer stops short of it: it counts down by what its operations can cost, asks
// the kernel when they may have used up a part of what was left, and refuses before the kernel does.
import type { Address, ProcessTable, Use } from '@memlayer/kernel'
import { OutOfMemoryError } from '../errors.js'
import type { Ledger } from '../ledger/ledger.js'
import { isMapped, type Packed } from '../ledger/states.js'
import type { OS } from '../os.js'
import {
  COUNTED,
  CREDITS,
  HEAP,
  LIVE,
  liveRecords,
  POOL,
  recordAt,
  RECORDS,
  STANDING,
  STATE,
  THREAD,
} from '../process/layout.js'
import { reap } from '../process/reap.js'
import type { ProcessRecord } from '../process/record.js'
import { heapGrowth, leftToEngine, mappingsForLater, mappingsLeft, mappingsOf, type BudgetOptions } from './headroom.js'
import type { HugePages } from './huge-pages.js'

/** The mappings that an operation can add: it cuts a mapping at both of its ends. */
const mappingsPerOperation = 2
/** Those that advice can add: the huge pages at its ends change their advice, and each is cut off at both ends. */
const mappingsPerAdvice = 4
/** The operations that an `unused` or `used` counts for where it cuts: itself, and a huge page at each end. */
const operationsPerCut = 3
/** Before the first count of the process: for the first memory, so that most programs read no files. */
const mappingsUncounted = 1024
/** As many for each later memory, so that a new thread can begin where others have come to the limit. */
const mappingsToBegin = 32
/** A memory takes this part of what is left of a count, and no more than so many mappings. */
const poolPart = 8
const creditsMax = 4096
/** After a count, threads may take so many mappings before the next one, or a part of what is free if that is more. */
const pooledMin = 8192
/** The most advice between two looks, where all advice there is costs no more than what was taken for it. */
const adviceMax = 65_536
/** The most advice between two looks after memory was mapped. */
const adviceAfterMap = 2048
/** Where nothing bounds mappings. The count starts again when it ends. */
const unbounded = 2 ** 30 - 1

/**
 * Counts down to the next question to the kernel. The limit is the process's. So what is free is taken from a pool
 * that all of its threads know of, where the host has such memory. A memory that finds too little there takes back what
 * others have not spent. Every method that spends throws an OutOfMemoryError at the limit.
 */
export class MappingBudget {
  readonly #os: OS
  readonly #ledger: Ledger
  readonly #hugePages: HugePages
  readonly #options: BudgetOptions
  /** Whether sysUnused and sysUsed change permissions, page by page. Elsewhere they only advise. */
  readonly #unusedCuts: boolean
  readonly #table: ProcessTable | null
  /** The words of the process's table, or of this memory alone. */
  readonly #words: Int32Array
  /** This memory's record among the words, and two of its places. */
  readonly #at: number
  readonly #credits: number
  readonly #standing: number
  /** Advice that is certain to fit, as long as what was taken for it stands. */
  #advice = 0
  // What was obtained last, since the last count.
  #address: Address = NaN
  #size = 0
  /** Gives back mappings that nothing needs. False: there are none. */
  readonly #relieve: () => boolean

  constructor(
    os: OS,
    ledger: Ledger,
    hugePages: HugePages,
    relieve: () => boolean,
    record: ProcessRecord | null,
    options: BudgetOptions,
  ) {
    this.#os = os
    this.#ledger = ledger
    this.#hugePages = hugePages
    this.#relieve = relieve
    this.#options = options
    this.#unusedCuts = os.traits.unusedTraps
    this.#table = record?.table ?? null
    this.#words = record?.table.words ?? ownWords()
    this.#at = record?.at ?? recordAt(0)
    this.#credits = this.#at + CREDITS
    this.#standing = this.#at + STANDING
    if (os.host?.mappings === undefined) this.#unbound()
    else {
      const isFirst = Atomics.compareExchange(this.#words, COUNTED, 0, 1) === 0
      const begin = isFirst ? mappingsUncounted : mappingsToBegin
      this.#words[this.#credits] = this.#words[this.#standing] = begin
      this.#advice = begin / mappingsPerAdvice
    }
  }

  /** As many operations as `times`, each of which can cut a mapping at both of its ends. */
  cut(op: string, n: number, times = 1): void {
    if (this.#spend(mappingsPerOperation * times) < 0) this.#recount(op, n, mappingsPerOperation * times)
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
    if (this.#spend(mappingsPerOperation) >= 0) return
    if (this.#ledger.isInside(v, n, this.#os.traits.pageSize)) this.#recount('sysFree', n, mappingsPerOperation)
    else this.#words[this.#credits] = 0
  }

  /** Pays for one operation that can cut a mapping at both of its ends. False: there is no mapping to spare for it. */
  hasRoom(): boolean {
    return this.#spend(mappingsPerOperation) >= 0 || this.#findRoom(mappingsPerOperation) === null
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
    this.#spend(-mappingsPerOperation)
  }

  /** Memory was mapped: the advice that there can be has grown. */
  mapped(): void {
    if (this.#advice > adviceAfterMap && this.#advice < unbounded / 2) this.#advice = adviceAfterMap
  }

  /** Takes mappings off the credits, and returns what is left. Other threads read it, and may take all of it. */
  #spend(mappings: number): number {
    const words = this.#words
    return (words[this.#credits] = (words[this.#credits] as number) - mappings)
  }

  #spendAdvice(op: string, n: number, times: number): void {
    if ((this.#advice -= times) >= 0 && this.#words[this.#standing] !== 0) return
    this.#recountAdvice(op, n, times)
  }

  // A function with a closure makes an object when it is called. So closures are in the rare halves.

  #recountAdvice(op: string, n: number, times: number): void {
    const count = this.#relieved(() => this.#renewAdvice(times))
    if (count !== null) refuse(op, n, count)
  }

  #recount(op: string, n: number, mappings: number): void {
    const count = this.#findRoom(mappings)
    if (count !== null) refuse(op, n, count)
  }

  #findRoom(mappings: number): Use | null {
    return this.#relieved(() => this.#renew(mappings))
  }

  /** Counts, and again where there is no room and something could be given back. Null: there is room. */
  #relieved(count: () => Use | null): Use | null {
    const found = count()
    return found === null || !this.#relieve() ? found : count()
  }

  /** Takes credits for a call that costs `mappings`, which are spent. Null: there is room. */
  #renew(mappings: number): Use | null {
    this.#words[this.#credits] = 0
    const taken = this.#take(mappings, creditsMax)
    if (typeof taken !== 'number') return taken
    this.#spend(mappings - taken)
    return null
  }

  #renewAdvice(times: number): Use | null {
    const words = this.#words
    // Advice goes to whole huge pages, and advice that is given again costs nothing. So its cost has an end.
    const most = 2 * this.#ledger.hugePagesMapped(this.#os.traits.hugePageSize)
    const standing = words[this.#standing] as number
    if (most > standing || standing === 0) {
      words[this.#standing] = 0
      const taken = this.#take(Math.min(times * mappingsPerAdvice, most), most)
      if (taken === null) return null
      if (typeof taken !== 'number') {
        this.#advice = 0
        return taken
      }
      // 0 means that another thread has taken it.
      words[this.#standing] = Math.max(1, taken)
    }
    const isAll = (words[this.#standing] as number) >= most
    const some = Math.floor((words[this.#standing] as number) / mappingsPerAdvice) - times
    this.#advice = isAll ? adviceMax : Math.max(0, some)
    return null
  }

  /**
   * Takes at least `least` mappings from the pool, and up to `most`. It counts when there are too few. Returns how
   * many; null: the kernel does not tell now, and this memory goes on; a count: there are not so many.
   */
  #take(least: number, most: number): number | Use | null {
    const words = this.#words
    for (;;) {
      const pool = Atomics.load(words, POOL)
      const taken = Math.max(least, Math.min(most, Math.floor(pool / poolPart)))
      if (taken <= pool) {
        if (Atomics.compareExchange(words, POOL, pool, pool - taken) === pool) return taken
        continue
      }
      // What others have is read before the count: what they spend between is counted twice, and not missed.
      if (this.#table !== null) reap(this.#table)
      const promised = this.#promised()
      const count = this.#count()
      if (count === null) return null
      // A kernel may have no limit, and a word of the table holds no infinity.
      let free = Math.min(count.limit - count.used - this.#left(count.limit), unbounded)
      if (free - promised < least) this.#takeBack()
      else free -= promised
      const pooled = Math.max(0, Math.min(free, Math.max(this.#pooledMin(least), Math.floor(free / poolPart))))
      if (Atomics.compareExchange(words, POOL, pool, pooled) === pool && free < least) return count
    }
  }

  /** Memories that know nothing of each other share what is free by taking a part each. */
  #pooledMin(least: number): number {
    return this.#table === null ? least : Math.max(pooledMin, least)
  }

  /** Mappings that memories have taken and not spent. */
  #promised(): number {
    let sum = 0
    for (const at of liveRecords(this.#words))
      sum += Math.max(0, this.#words[at + CREDITS] as number) + (this.#words[at + STANDING] as number)
    return sum
  }

  /** Takes back what memories have not spent, this one's too. Each notices at its next operation. */
  #takeBack(): void {
    for (const at of liveRecords(this.#words)) {
      Atomics.store(this.#words, at + CREDITS, 0)
      Atomics.store(this.#words, at + STANDING, 0)
    }
  }

  /** Mappings that are left to the engine: its heaps may grow in every thread. */
  #left(limit: number): number {
    const words = this.#words
    words[this.#at + HEAP] = mappingsOf(heapGrowth(this.#os, this.#options))
    const heaps = new Map<number, number>()
    for (const at of liveRecords(this.#words)) {
      const thread = words[at + THREAD] as number
      heaps.set(thread, Math.max(heaps.get(thread) ?? 0, words[at + HEAP] as number))
    }
    let needed = mappingsForLater(this.#os, this.#options, limit)
    for (const heap of heaps.values()) needed += heap
    return mappingsLeft(needed, limit)
  }

  /** What the kernel says; null: it does not tell now. */
  #count(): Use | null {
    this.#address = NaN
    const count = this.#os.host?.mappings?.()
    if (count !== undefined && !Number.isNaN(count.limit) && !Number.isNaN(count.used)) return count
    if (count === undefined) this.#unbound()
    else {
      // A process that has no descriptor left can't read its mappings, and can again later.
      this.#words[this.#credits] = this.#words[this.#standing] = creditsMax
      this.#advice = adviceAfterMap
    }
    return null
  }

  #unbound(): void {
    this.#words[this.#credits] = this.#words[this.#standing] = this.#advice = unbounded
  }
}

/** Words for one memory, where the host has none for all. */
function ownWords(): Int32Array {
  const words = new Int32Array(recordAt(1))
  words[RECORDS] = 1
  words[recordAt(0) + STATE] = LIVE
  return words
}

function refuse(op: string, n: number, { used, limit }: Use): never {
  const rest = 'the layer leaves the rest to the engine'
  const message = `${op}: the process has ${used} of ${limit} kernel mappings, and ${rest}`
  const hint =
    'Free neighboring ranges together and keep pages of one state side by side, ' +
    `or raise vm.max_map_count with sysctl. ${leftToEngine}`
  throw new OutOfMemoryError(message, { op, size: n, hint })
}
