// The account of one memory: what each category holds, how many operations there were, and who observes them.
// The calls ask it before an operation (`expectRoom`, `expectSum`) and tell it after. What it is told can't fail.
import type { Address } from '@memlayer/kernel'
import { asOwn, FatalError, OutOfMemoryError, UsageError } from '../errors.js'
import type { Ledger } from '../ledger/ledger.js'
import { categoryOf, MIXED, PREPARED, READY, RESERVED, type Packed } from '../ledger/states.js'
import { checkOptions } from '../options.js'
import type { OS, Refusal } from '../os.js'
import { formatBytes, show } from '../text.js'
import { warn } from '../warning.js'
import { SysMemStat, type Count } from './mem-stat.js'
import { Observers, type ObserveOptions, type Observer, type Operation } from './observer.js'
import { statsOf, type MemoryStats } from './stats.js'

const hintOfRoom = 'Ask for less, because a category counts up to 2^53 - 1 bytes.'
const hintOfBalance =
  'Free each range with the stat that it was mapped with, because a category gives back only what it was given.'

/** Whether this thread was warned that the kernel keeps memory. */
let hasWarned = false

/** One category and its counts. */
class Category implements Count {
  readonly stat: SysMemStat
  readonly place: number
  bytes = 0
  limit = Infinity
  calls = 0
  refusals = 0
  /** Whether it is a region's name, for which nobody has asked. Without regions of the name it can be dropped. */
  isRegions = false
  readonly #limited: (category: Category) => void

  constructor(name: string, place: number, limited: (category: Category) => void) {
    this.place = place
    this.#limited = limited
    this.stat = new SysMemStat(name, place, this)
  }

  limited(): void {
    this.#limited(this)
  }
}

/** So many names of regions that hold nothing are kept. */
const idleNamesMax = 256

/** Categories and their counts. */
export class Account {
  readonly #os: OS
  readonly #ledger: Ledger | null
  // Category 0 is for bytes that no category counts.
  readonly #categories: (Category | null)[] = []
  readonly #byName = new Map<string, Category>()
  /** Places of categories that were dropped. */
  readonly #free: number[] = []
  /** Their stats, which count again when they are used. */
  readonly #dropped = new WeakSet<SysMemStat>()
  #regionNames = 0
  #regionNamesMax = 2 * idleNamesMax
  readonly #observers: Observers = new Observers()
  /** Bytes of sysUnused that the kernel would not take, in all. */
  #kept = 0
  // The category that was named last is found without a look at it.
  #lastStat: SysMemStat | null = null
  #lastPlace = 0
  readonly #limited: () => void

  /**
   * Without a ledger the states are not known, and the counts are all there is. `limited` hears that a category has a
   * limit.
   */
  constructor(os: OS, ledger: Ledger | null, limited: () => void) {
    this.#os = os
    this.#ledger = ledger
    this.#limited = limited
    this.#add('(uncategorized)')
  }

  /** The category of this name, made at first use. */
  stat(name: string): SysMemStat {
    const { place, stat } = this.#named(name)
    this.#keep(place)
    return stat
  }

  /** The category of a region's name. It may be dropped when no region has the name. */
  statOfRegion(name: string): SysMemStat {
    const isNew = !this.#byName.has(name)
    const category = this.#named(name)
    if (isNew) {
      category.isRegions = true
      this.#regionNames += 1
    }
    return category.stat
  }

  /** Whether there are so many names of regions that it is worth to look which are not used. */
  get hasManyNames(): boolean {
    return this.#regionNames > this.#regionNamesMax
  }

  /**
   * Drops categories that regions had, hold nothing, and are not among `names`. The youngest stay. Their operations are
   * counted as uncategorized from then on. No operation may be going on, because one knows its category by its place.
   */
  dropNames(names: ReadonlySet<string>): void {
    const idle: Category[] = []
    for (const category of this.#byName.values()) {
      const { isRegions, bytes, limit, stat } = category
      if (isRegions && bytes === 0 && limit === Infinity && !names.has(stat.name)) idle.push(category)
    }
    for (const category of idle.slice(0, -idleNamesMax)) this.#drop(category)
    this.#regionNamesMax = 2 * Math.max(idleNamesMax, this.#regionNames)
  }

  #drop(category: Category): void {
    const { stat, place, calls, refusals } = category
    const rest = this.#at(0)
    rest.calls += calls
    rest.refusals += refusals
    this.#lastStat = null
    this.#dropped.add(stat)
    this.#byName.delete(stat.name)
    this.#categories[place] = null
    this.#ledger?.forgetPeak(place)
    this.#free.push(place)
    this.#regionNames -= 1
  }

  /** Code knows the category, so it is not dropped. */
  #keep(place: number): void {
    const category = this.#at(place)
    if (!category.isRegions) return
    category.isRegions = false
    this.#regionNames -= 1
  }

  #named(name: string): Category {
    let category = this.#byName.get(name)
    if (category === undefined) {
      if (typeof name !== 'string' || name === '') {
        const hint = "Pass the category's name, a string that is not empty."
        throw new UsageError('ERR_MEMLAYER_STAT', `stat: the category is ${show(name)}`, { hint })
      }
      category = this.#add(name)
      this.#byName.set(name, category)
    }
    return category
  }

  /** A category's place; 0 for null. @throws UsageError ERR_MEMLAYER_STAT when `stat` is not of this memory. */
  categoryOf(op: string, stat: SysMemStat | null): number {
    if (stat === null) return 0
    if (stat === this.#lastStat) return this.#lastPlace
    const place = SysMemStat.placeOf(stat)
    const isKnown = place > 0 && SysMemStat.countOf(stat) === this.#categories[place]
    if (!isKnown && !this.#dropped.has(stat)) wrongStat(op, stat, place, this.#ledger !== null)
    this.#lastPlace = isKnown ? place : this.#countAgain(stat)
    this.#lastStat = stat
    return this.#lastPlace
  }

  /** The stat of a category that was dropped is used: it counts under its name again. */
  #countAgain(stat: SysMemStat): number {
    const category = this.#named(stat.name)
    this.#keep(category.place)
    SysMemStat.adopt(stat, category.place, category)
    return category.place
  }

  /** A category has a limit from now on. @throws UsageError where states are not known. */
  readonly #setLimited = (category: Category): void => {
    this.#limited()
    if (this.#dropped.has(category.stat)) this.#countAgain(category.stat)
  }

  /** A category as people call it. */
  readonly nameOf = (category: number): string => this.#categories[category]?.stat.name ?? String(category)

  /** @throws UsageError ERR_MEMLAYER_SIZE when `category` can't count `n` bytes more. */
  expectRoom(op: string, n: number, category: number): void {
    if (category === 0) return
    const { stat, bytes } = this.#at(category)
    if (Number.isSafeInteger(bytes + n)) return
    const message = `${op}: '${stat.name}' has ${bytes} bytes, and it can't count ${n} more`
    throw new UsageError('ERR_MEMLAYER_SIZE', message, { op, size: n, hint: hintOfRoom })
  }

  /** @throws OutOfMemoryError when `n` bytes more would be Ready than the limit of `category` allows. */
  expectBudget(op: Operation, n: number, category: number): void {
    const { stat, limit } = this.#at(category)
    const ready = limit === Infinity ? 0 : (this.#ledger?.bytes(category, READY) ?? 0)
    if (ready + n <= limit) return
    const used = `${formatBytes(ready)} of ${formatBytes(limit)} are Ready`
    const message = `${op}: ${formatBytes(n)} would pass the limit of the category '${stat.name}': ${used}`
    const hint = `Free memory of this category, or raise memory.stat('${stat.name}').limit.`
    throw new OutOfMemoryError(message, { op, size: n, hint })
  }

  /**
   * Returns when `category` can hold `n` bytes more, or less if `n` is negative. Without a ledger nothing else knows
   * what a category was given, so Go's check stands.
   *
   * @throws FatalError ERR_MEMLAYER_ACCOUNT, "sysMemStat overflow", for a sum below zero or above 2^53 - 1.
   */
  expectSum(op: string, n: number, category: number): void {
    if (category === 0) return
    const { stat, bytes } = this.#at(category)
    const sum = bytes + n
    if (sum >= 0 && sum <= Number.MAX_SAFE_INTEGER) return
    throw new FatalError(`sysMemStat overflow: ${stat.name} holds ${bytes} bytes, adding ${n}`, {
      code: 'ERR_MEMLAYER_ACCOUNT',
      op,
      size: Math.abs(n),
      hint: sum < 0 ? hintOfBalance : hintOfRoom,
    })
  }

  /** `category` holds `n` bytes more, or less if `n` is negative. */
  add(n: number, category: number): void {
    if (category !== 0) this.#at(category).bytes += n
  }

  /** The bytes of [v, v+n) leave the categories that count them. `packed` is what the ledger has there. */
  uncount(v: Address, n: number, packed: Packed): void {
    if (packed !== MIXED) this.add(-n, categoryOf(packed))
    else this.#uncountParts(v, n)
  }

  #uncountParts(v: Address, n: number): void {
    for (const part of this.#ledger?.within(v, n) ?? []) this.add(-part.size, categoryOf(part.packed))
  }

  /** Takes what each category holds from the ledger, because a script ended while it was being changed. */
  recount(): void {
    for (const category of this.#byName.values()) {
      if (this.#ledger !== null) category.bytes = ownedBytes(this.#ledger, category.place)
    }
  }

  /** Ends an operation that was done. */
  done(op: Operation, address: Address, size: number, category: number): void {
    // A refusal that the OS met on its way to success is not for the next operation.
    if (this.#os.refusal) this.#os.refusal = null
    this.#at(category).calls += 1
    if (this.#observers.listening) this.#tell(op, address, size, category)
  }

  /** sysUnused left the memory of `n` bytes where it was, because the kernel refused to take it. */
  kept(n: number, { syscall, errno, errnoName, hint }: Refusal): void {
    this.#kept += n
    if (hasWarned) return
    hasWarned = true
    const said = errnoName ?? (errno === undefined ? null : `errno ${errno}`)
    const why = syscall === undefined ? '' : ` ${syscall} ${said === null ? 'failed' : `answered ${said}`}.`
    warn('MEMLAYER_KEPT', `sysUnused: the kernel does not take the memory of ${formatBytes(n)} back.${why}`, hint)
  }

  /** Ends several operations that were done as one. `end` ends each of them. */
  together(end: () => void): void {
    this.#observers.together(end)
  }

  /**
   * Ends an operation that failed, and returns the error for its caller. A UsageError is returned as it is, because
   * the operation did not begin.
   */
  failed(op: Operation, address: Address | null, size: number, category: number, thrown: unknown): unknown {
    if (this.#os.refusal) this.#os.refusal = null
    const error = asOwn(thrown)
    if (error instanceof UsageError) return error
    const counts = this.#at(category)
    counts.calls += 1
    const outcome = error instanceof OutOfMemoryError ? 'refused' : 'broken'
    if (outcome === 'refused') counts.refusals += 1
    if (this.#observers.listening && error instanceof Error) {
      this.#observers.tell({ op, address, size, category: this.#namedOrNull(category), outcome, error })
    }
    return error
  }

  /**
   * The account as it stands. `retired`: bytes of retired addresses. `lingering`: of pages that stay committed.
   * `retained`: of idle pages.
   */
  stats(retired = 0, lingering = 0, retained = 0): MemoryStats {
    const counts = [this.#at(0), ...this.#byName.values()].map(({ stat, place, bytes, calls, refusals }) => ({
      name: stat.name,
      place,
      held: bytes,
      calls,
      refusals,
    }))
    return statsOf(counts, this.#ledger, retired, this.#kept, lingering, retained)
  }

  /** @throws FatalError ERR_MEMLAYER_ACCOUNT with the first disagreement between the account and the ledger. */
  check(): void {
    if (this.#ledger === null) return
    const fault = this.#ledger.audit(this.nameOf) ?? this.#auditCounts(this.#ledger)
    if (fault === null) return
    const hint = "Report this with the calls before it, because the ledger's sums disagree."
    throw new FatalError(`the account is wrong: ${fault}`, { code: 'ERR_MEMLAYER_ACCOUNT', hint })
  }

  /** Tells `observer` of every operation from now on; the function returned ends it. */
  observe(observer: Observer, options: ObserveOptions = {}): () => void {
    if (typeof observer !== 'function') {
      throw new UsageError('ERR_MEMLAYER_OPTION', `observe: the observer is ${show(observer)}`, {
        hint: 'Pass a function that takes an event.',
      })
    }
    const { wanted } = checkOptions('observe', options, ['wanted'])
    if (wanted !== undefined && typeof wanted !== 'function') {
      throw new UsageError('ERR_MEMLAYER_OPTION', `observe: the option wanted is ${show(wanted)}`, {
        hint: 'Pass a function that says whether events are wanted, or leave it out.',
      })
    }
    return this.#observers.add(observer, wanted)
  }

  #add(name: string): Category {
    const place = this.#free.pop() ?? this.#categories.length
    const category = new Category(name, place, this.#setLimited)
    this.#categories[place] = category
    return category
  }

  #at(category: number): Category {
    return this.#categories[category] as Category
  }

  #tell(op: Operation, address: Address, size: number, category: number): void {
    this.#observers.tell({ op, address, size, category: this.#namedOrNull(category), outcome: 'done' })
  }

  #auditCounts(ledger: Ledger): string | null {
    for (const { place, stat, bytes } of this.#byName.values()) {
      const owned = ownedBytes(ledger, place)
      if (owned !== bytes) return `category '${stat.name}' counts ${bytes} bytes, but its ranges have ${owned}`
    }
    return null
  }

  #namedOrNull(category: number): string | null {
    return category === 0 ? null : this.nameOf(category)
  }
}

function ownedBytes(ledger: Ledger, category: number): number {
  return ledger.bytes(category, RESERVED) + ledger.bytes(category, PREPARED) + ledger.bytes(category, READY)
}

function wrongStat(op: string, stat: unknown, place: number, hasLedger: boolean): never {
  const is = place < 0 ? show(stat) : "another memory's"
  // With a ledger, null lets sysFree find the category. The bytes leave it all the same.
  const hint =
    op === 'sysFree' && hasLedger
      ? 'Pass the stat that the range was mapped with, or null.'
      : "Pass what this memory's stat('name') returns, or null to count under no category."
  throw new UsageError('ERR_MEMLAYER_STAT', `${op}: the stat is ${is}`, { op, hint })
}
