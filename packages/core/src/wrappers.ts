// The wrappers, in the order of Go's runtime/mem.go. Each checks its range, keeps the account,
// calls the OS, and tells observers; a refused or broken operation leaves the account as it
// found it.
import type { Address } from '@memlayer/kernel'
import { Account } from './account.js'
import { checkAddress, checkAlignment, checkOptions, checkRange, checkSize, checkTogether } from './check.js'
import { UsageError } from './errors.js'
import { explainProcess, trimHost, type Explanation } from './explain.js'
import {
  FROM_MAPPED,
  FROM_OWNED,
  FROM_READY,
  FROM_RESERVED,
  isMapped,
  PREPARED,
  READY,
  RESERVED,
  type Held,
  type Ledger,
} from './ledger.js'
import type { SysMemStat } from './mem-stat.js'
import { MappingBudget } from './mapping-budget.js'
import type { MappingUse, Memory, OwnedRange } from './memory.js'
import type { Observer, Operation } from './observer.js'
import type { OS } from './os.js'
import type { Region, RegionOptions } from './region.js'
import { Regions } from './regions.js'
import { residencyOf, type Residency } from './residency.js'
import { outOfMemory, refused } from './refusal.js'
import { reserveAligned, type AlignedReservation } from './reserve-aligned.js'
import type { SharedRegion } from './shared-region.js'
import type { ShareToken } from './shares.js'
import type { MemoryStats } from './stats.js'
import { pairsOf, unusedAll } from './unused-all.js'
import type { ViewConstructor } from './views.js'

/** The account over one OS. Made by createMemory. */
export class Wrappers implements Memory {
  readonly os: OS
  readonly #ledger: Ledger | null
  // Ranges are whole pages where a ledger checks them; Go's wrappers leave that to the OS.
  readonly #align: number
  readonly #account: Account
  readonly #budget: MappingBudget
  readonly #regions: Regions
  // Whether sysUnused and sysUsed change permissions, page by page; elsewhere they only advise.
  readonly #unusedCuts: boolean

  constructor(os: OS, ledger: Ledger | null) {
    this.os = os
    this.#ledger = ledger
    this.#align = ledger === null ? 1 : os.traits.pageSize
    this.#account = new Account(os, ledger)
    this.#budget = new MappingBudget(os, ledger)
    this.#regions = new Regions(this, ledger, this.#budget)
    this.#unusedCuts = os.traits.unusedTraps
  }

  sysAlloc(n: number, stat: SysMemStat | null): Address {
    checkSize('sysAlloc', n, 1, this.#align)
    const category = this.#account.categoryOf('sysAlloc', stat)
    this.#add('sysAlloc', n, stat)
    let v: Address | null = null
    try {
      if (!this.#budget.spend(1)) this.#budget.demand('sysAlloc', n, 1)
      v = this.os.sysAllocOS(n)
      if (v === null) throw outOfMemory(this.os, 'sysAlloc', null, n)
      this.#ledger?.enter('sysAlloc', v, n, READY, category)
    } catch (error) {
      stat?.add(-n)
      throw this.#account.failed('sysAlloc', v, n, category, error)
    }
    this.#budget.obtained(v, n)
    this.#budget.mapped()
    this.#account.done('sysAlloc', v, n, category)
    return v
  }

  sysUnused(v: Address, n: number): void {
    checkRange('sysUnused', v, n, 0, this.#align)
    if (n === 0) return
    const ledger = this.#ledger
    if (ledger === null) return this.#unchecked('sysUnused', v, n)
    const held = ledger.expect('sysUnused', v, n, FROM_READY)
    if (this.#regions.isLeaving) this.#regions.expectStays('sysUnused', v, n)
    const category = ledger.categoryOf(held, v)
    if (!this.#spendUnused('sysUnused', 1)) this.#demandUnused('sysUnused', v, n, category)
    this.#regions.takeAway('sysUnused', v, n)
    try {
      this.os.sysUnusedOS(v, n)
    } catch (error) {
      throw this.#account.failed('sysUnused', v, n, category, error)
    }
    ledger.move(v, n, PREPARED, held)
    this.#account.done('sysUnused', v, n, category)
  }

  sysUsed(v: Address, n: number): void {
    checkRange('sysUsed', v, n, 0, this.#align)
    if (n === 0) return
    const ledger = this.#ledger
    if (ledger === null) return this.#unchecked('sysUsed', v, n)
    const held = ledger.expect('sysUsed', v, n, FROM_MAPPED)
    if (this.#regions.isLeaving) this.#regions.expectStays('sysUsed', v, n)
    const category = ledger.categoryOf(held, v)
    if (!this.#spendUnused('sysUsed', 1)) this.#demandUnused('sysUsed', v, n, category)
    try {
      this.os.sysUsedOS(v, n)
    } catch (error) {
      throw this.#account.failed('sysUsed', v, n, category, error)
    }
    ledger.move(v, n, READY, held)
    this.#regions.used(v, n)
    this.#account.done('sysUsed', v, n, category)
  }

  sysHugePage(v: Address, n: number): void {
    checkRange('sysHugePage', v, n, 0, this.#align)
    if (n === 0) return
    const ledger = this.#ledger
    if (ledger === null) return this.#unchecked('sysHugePage', v, n)
    const held = ledger.expect('sysHugePage', v, n, FROM_OWNED)
    const category = ledger.categoryOf(held, v)
    // What is mapped has its part of the budget for advice; advice on what is only reserved has not.
    const advises = isMapped(held)
    if (!(advises ? this.#budget.spendAdvice(1) : this.#budget.spend(1)))
      this.#demand('sysHugePage', v, n, category, 1, advises)
    try {
      this.os.sysHugePageOS(v, n)
    } catch (error) {
      throw this.#account.failed('sysHugePage', v, n, category, error)
    }
    this.#account.done('sysHugePage', v, n, category)
  }

  sysPopulate(v: Address, n: number): boolean {
    checkRange('sysPopulate', v, n, 0, this.#align)
    const { os } = this
    if (n === 0) return os.sysPopulateOS !== undefined
    const category = this.#ledger?.categoryOf(this.#ledger.expect('sysPopulate', v, n, FROM_READY), v) ?? 0
    if (os.sysPopulateOS === undefined) return false
    let populated: boolean | null
    try {
      populated = os.sysPopulateOS(v, n)
      if (populated === null) throw outOfMemory(os, 'sysPopulate', v, n)
    } catch (error) {
      throw this.#account.failed('sysPopulate', v, n, category, error)
    }
    if (populated) this.#account.done('sysPopulate', v, n, category)
    return populated
  }

  sysFree(v: Address, n: number, stat: SysMemStat | null): void {
    checkRange('sysFree', v, n, 1, this.#align)
    const category = this.#account.categoryOf('sysFree', stat)
    const ledger = this.#ledger
    if (ledger === null) return this.#freeUnchecked(v, n, stat, category)
    const held = ledger.expect('sysFree', v, n, FROM_OWNED)
    if (this.#regions.isLeaving) this.#regions.expectStays('sysFree', v, n)
    ledger.expectWhole('sysFree', v, n)
    if (stat !== null) ledger.expectCategory('sysFree', v, n, held, category, this.#account.nameOf)
    const counted = ledger.categoryOf(held, v)
    // At the limit a free from the middle of a mapping is refused, as the kernel would; any other makes room.
    if (!this.#budget.undo(v, n) && !this.#budget.spend(1) && ledger.isInside(v, n, this.#align))
      this.#demand('sysFree', v, n, counted, 1)
    this.#account.count('sysFree', v, n, held, -1)
    try {
      this.#regions.takeAway('sysFree', v, n)
      this.os.sysFreeOS(v, n)
      if (this.os.refusal) throw refused(this.os, 'sysFree', v, n)
    } catch (error) {
      this.#account.count('sysFree', v, n, held, 1)
      // A worker holds a part of it: the kernel has not been asked.
      if (error instanceof UsageError) throw error
      throw this.#account.failed('sysFree', v, n, counted, error)
    }
    ledger.assign(v, n, 0, 0, held)
    this.#regions.freed(v, n)
    this.#account.done('sysFree', v, n, counted)
  }

  sysFault(v: Address, n: number): void {
    checkRange('sysFault', v, n, 0, this.#align)
    if (n === 0) return
    const ledger = this.#ledger
    if (ledger === null) return this.#unchecked('sysFault', v, n)
    const held = ledger.expect('sysFault', v, n, FROM_MAPPED)
    if (this.#regions.isLeaving) this.#regions.expectStays('sysFault', v, n)
    const category = ledger.categoryOf(held, v)
    if (!this.#budget.spend(1)) this.#demand('sysFault', v, n, category, 1)
    this.#regions.takeAway('sysFault', v, n)
    try {
      this.os.sysFaultOS(v, n)
      if (this.os.refusal) throw refused(this.os, 'sysFault', v, n)
    } catch (error) {
      throw this.#account.failed('sysFault', v, n, category, error)
    }
    ledger.move(v, n, RESERVED, held)
    this.#account.done('sysFault', v, n, category)
  }

  sysReserve(v: Address | null, n: number): Address {
    checkSize('sysReserve', n, 1, this.#align)
    if (v !== null) checkAddress('sysReserve', v, n, this.#align)
    let p: Address | null = null
    try {
      if (!this.#budget.spend(1)) this.#budget.demand('sysReserve', n, 1)
      p = this.os.sysReserveOS(v, n)
      if (p === null) throw outOfMemory(this.os, 'sysReserve', v, n)
      this.#ledger?.enter('sysReserve', p, n, RESERVED, 0)
    } catch (error) {
      throw this.#account.failed('sysReserve', v, n, 0, error)
    }
    this.#budget.obtained(p, n)
    this.#account.done('sysReserve', p, n, 0)
    return p
  }

  sysReserveAligned(v: Address | null, size: number, align: number): AlignedReservation {
    checkAlignment('sysReserveAligned', align)
    checkSize('sysReserveAligned', size, 1, this.#align)
    const alignment = Math.max(align, this.#align)
    checkTogether('sysReserveAligned', size, alignment)
    if (v !== null) checkAddress('sysReserveAligned', v, size + alignment, this.#align)
    let range: AlignedReservation
    try {
      if (!this.#budget.spend(1)) this.#budget.demand('sysReserveAligned', size, 1)
      range = reserveAligned(this.os, this.#ledger, v, size, alignment)
      this.#ledger?.enter('sysReserveAligned', range.address, range.size, RESERVED, 0)
    } catch (error) {
      throw this.#account.failed('sysReserveAligned', v, size, 0, error)
    }
    this.#account.done('sysReserveAligned', range.address, range.size, 0)
    return range
  }

  sysMap(v: Address, n: number, stat: SysMemStat | null): void {
    checkRange('sysMap', v, n, 1, this.#align)
    const category = this.#account.categoryOf('sysMap', stat)
    const ledger = this.#ledger
    const held = ledger?.expect('sysMap', v, n, FROM_RESERVED) ?? 0
    if (this.#regions.isLeaving) this.#regions.expectStays('sysMap', v, n)
    this.#claim(v, n, held, stat)
    try {
      if (!this.#budget.spend(1)) this.#budget.demand('sysMap', n, 1)
      this.os.sysMapOS(v, n)
    } catch (error) {
      stat?.add(-n)
      this.#account.count('sysMap', v, n, held, 1)
      throw this.#account.failed('sysMap', v, n, category, error)
    }
    ledger?.assign(v, n, PREPARED, category, held)
    this.#budget.mapped()
    this.#account.done('sysMap', v, n, category)
  }

  sysUnusedAll(ranges: ArrayLike<number>): void {
    const pairs = pairsOf(ranges, this.#align)
    const ledger = this.#ledger
    if (ledger === null) {
      for (let i = 0; i < pairs.length; i += 2) this.#unchecked('sysUnused', pairs[i] as number, pairs[i + 1] as number)
      return
    }
    const count = pairs.length / 2
    unusedAll(this.os, ledger, this.#regions, this.#account, pairs, () => {
      if (!this.#spendUnused('sysUnused', count)) this.#affordUnused('sysUnused', pairs[1] as number, count)
    })
  }

  reserve(size: number, options: RegionOptions = {}): Region {
    checkOptions('reserve', options)
    this.#account.categoryOf('sysReserve', options.stat ?? null)
    return this.#regions.reserve(size, options)
  }

  view<T extends object>(type: ViewConstructor<T>, v: Address, length: number): T {
    return this.#regions.view(type, v, length)
  }

  attach(token: ShareToken): SharedRegion {
    return this.#regions.attach(token)
  }

  regions(): Region[] {
    return this.#regions.list()
  }

  mappings(): MappingUse | null {
    const count = this.os.mappings?.()
    return count === undefined ? null : { ...count, own: this.#ledger?.mappings() ?? NaN }
  }

  stat(name: string): SysMemStat {
    return this.#account.stat(name)
  }

  stats(): MemoryStats {
    return this.#account.stats()
  }

  ranges(): OwnedRange[] {
    return this.#ledger?.list(this.#account.nameOf) ?? []
  }

  check(): void {
    this.#account.check()
  }

  residency(v: Address, n: number): Residency | null {
    return residencyOf(this.os, v, n)
  }

  explain(): Explanation | null {
    return explainProcess(this, this.#regions.viewBytes)
  }

  trimHost(): number {
    return trimHost(this.os)
  }

  observe(observer: Observer, wanted?: () => boolean): () => void {
    return this.#account.observe(observer, wanted)
  }

  /** Whether it cuts mappings at its very ends: sysUsed does where regions have policies of huge pages, sysUnused advises whole ones. */
  #cuts(op: 'sysUnused' | 'sysUsed'): boolean {
    return this.#unusedCuts || (op === 'sysUsed' && this.#regions.advises)
  }

  /** Counts as many sysUnused or sysUsed as `times`. False: `#demandUnused` has to say whether they fit. */
  #spendUnused(op: 'sysUnused' | 'sysUsed', times: number): boolean {
    return this.#cuts(op) ? this.#budget.spend(3 * times) : this.#budget.spendAdvice(times)
  }

  #demandUnused(op: 'sysUnused' | 'sysUsed', v: Address, n: number, category: number): void {
    try {
      this.#affordUnused(op, n, 1)
    } catch (error) {
      throw this.#account.failed(op, v, n, category, error)
    }
  }

  #affordUnused(op: 'sysUnused' | 'sysUsed', n: number, times: number): void {
    if (this.#cuts(op)) this.#budget.demand(op, n, 3 * times)
    else this.#budget.demandAdvice(op, n, times)
  }

  #demand(op: Operation, v: Address, n: number, category: number, times: number, advises = false): void {
    try {
      if (advises) this.#budget.demandAdvice(op, n, times)
      else this.#budget.demand(op, n, times)
    } catch (error) {
      throw this.#account.failed(op, v, n, category, error)
    }
  }

  /** Go's wrapper: nothing but the call. */
  #unchecked(op: 'sysUnused' | 'sysUsed' | 'sysHugePage' | 'sysFault', v: Address, n: number): void {
    const { os } = this
    try {
      if (op === 'sysUnused') os.sysUnusedOS(v, n)
      else if (op === 'sysUsed') os.sysUsedOS(v, n)
      else if (op === 'sysHugePage') os.sysHugePageOS(v, n)
      else os.sysFaultOS(v, n)
    } catch (error) {
      throw this.#account.failed(op, v, n, 0, error)
    }
    this.#account.done(op, v, n, 0)
  }

  #freeUnchecked(v: Address, n: number, stat: SysMemStat | null, category: number): void {
    stat?.add(-n, 'sysFree')
    try {
      this.os.sysFreeOS(v, n)
    } catch (error) {
      stat?.add(n)
      throw this.#account.failed('sysFree', v, n, category, error)
    }
    this.#account.done('sysFree', v, n, category)
  }

  /** `n` bytes more of `stat`: what no count could hold is the caller's mistake. Without a ledger Go's word stands, and its throw. */
  #add(op: Operation, n: number, stat: SysMemStat | null): void {
    if (stat !== null && this.#ledger !== null && !Number.isSafeInteger(stat.load() + n)) {
      throw new UsageError(
        'ERR_MEMLAYER_SIZE',
        `${op}: '${stat.name}' holds ${stat.load()} bytes, and ${n} more are too many to count`,
        {
          op,
          size: n,
          hint: 'A category counts up to 2^53 - 1 bytes: ask for less.',
        },
      )
    }
    stat?.add(n, op)
  }

  /** [v, v+n) counts for `stat` from now on. What was faulted is still counted where it was mapped: it changes hands. */
  #claim(v: Address, n: number, held: Held, stat: SysMemStat | null): void {
    this.#account.count('sysMap', v, n, held, -1)
    try {
      this.#add('sysMap', n, stat)
    } catch (error) {
      this.#account.count('sysMap', v, n, held, 1)
      throw error
    }
  }
}
