// Calls: the operations of a memory with a ledger, in the order of Go's runtime/mem.go. Each has three steps.
// Prove: nothing has changed yet, and a wrong call ends here. Try: the budget, the borrowers, the OS; what fails here
// leaves the account right. Record: the ledger, the account, the observers; this can't fail.
// A script may end anywhere. The intent is open from before the OS is asked until the record is made, and a call that
// finds it open settles what was left.
import type { Address } from '@memlayer/kernel'
import type { Account } from '../account/account.js'
import type { SysMemStat } from '../account/mem-stat.js'
import type { Operation } from '../account/observer.js'
import type { ViewConstructor, ViewOf } from '../borrows/view-types.js'
import { checkAddress, checkRange, checkSize } from '../check.js'
import type { RegionTable } from '../claims/region-table.js'
import { AS_IS, RETIRED, type Intent } from '../ledger/intent.js'
import type { Ledger } from '../ledger/ledger.js'
import {
  FROM_MAPPED,
  FROM_OWNED,
  FROM_READY,
  FROM_RESERVED,
  PREPARED,
  READY,
  RESERVED,
  type Packed,
} from '../ledger/states.js'
import type { Limit, LimitOptions } from '../limit/limit.js'
import type { HugePages } from '../mappings/huge-pages.js'
import type { MappingBudget } from '../mappings/mapping-budget.js'
import type { SpaceBudget } from '../mappings/space-budget.js'
import type { OS } from '../os.js'
import type { Log } from '../process/log.js'
import type { Retired } from '../retired/retired.js'
import type { Idle } from '../scavenge/idle.js'
import type { Charge } from './charge.js'
import { endBorrows, fault, giveBack, payForFree, renew, unuse } from './give-back.js'
import { allocate } from './obtain.js'
import type { Parts } from './parts.js'
import { noMemoryToMap, outOfMemory, refused, takeRefusal, undoUsed } from './refusal.js'
import { reserve, reserveAligned, type AlignedReservation } from './reserve.js'
import { endIdle, expectBudgets, takeOfAlloc, takeOfLimit } from './scavenge.js'
import { expectOpen, failed, settle } from './settle.js'
import { unusedAll } from './unused-all.js'
import { viewOf } from './view.js'

/** The operations. `createMemory` makes a memory of it. */
export class Wrappers {
  readonly os: OS
  readonly #parts: Parts
  readonly #page: number
  readonly #ledger: Ledger
  readonly #account: Account
  readonly #budget: MappingBudget
  readonly #hugePages: HugePages
  readonly #claims: RegionTable
  readonly #retired: Retired
  readonly #intent: Intent
  readonly #space: SpaceBudget
  readonly #charge: Charge
  readonly #idle: Idle
  readonly #log: Log | null

  constructor(parts: Parts) {
    this.os = parts.os
    this.#parts = parts
    this.#page = parts.os.traits.pageSize
    this.#ledger = parts.ledger
    this.#account = parts.account
    this.#budget = parts.budget
    this.#hugePages = parts.hugePages
    this.#claims = parts.claims
    this.#retired = parts.retired
    this.#intent = parts.intent
    this.#space = parts.space
    this.#charge = parts.charge
    this.#idle = parts.idle
    this.#log = parts.record?.log ?? null
  }

  // An accessor of the class: one that is defined on the object makes all of its properties slow.
  get limit(): Limit | null {
    return this.#parts.limit.limit
  }

  set limit(given: LimitOptions | null) {
    this.#parts.limit.limit = given
  }

  sysAlloc(n: number, stat: SysMemStat | null): Address {
    if (this.#intent.isOpen) settle(this.#parts)
    checkSize('sysAlloc', n, 1, this.#page)
    const category = this.#account.categoryOf('sysAlloc', stat)
    this.#account.expectRoom('sysAlloc', n, category)
    let v: Address | null = null
    try {
      if (this.#parts.limit.isSet) takeOfAlloc(this.#parts, n, category)
      this.#budget.cut('sysAlloc', n)
      this.#space.take('sysAlloc', n, n)
      this.#charge.take('sysAlloc', null, n)
      this.#intent.begin(AS_IS, NaN, 0)
      v = allocate(this.#parts, n)
      if (v === null) throw outOfMemory(this.os, 'sysAlloc', null, n)
      this.#ledger.enter('sysAlloc', v, n, READY, category)
      this.#log?.add(v, n)
    } catch (error) {
      throw failed(this.#parts, 'sysAlloc', v, n, category, error)
    }
    this.#budget.obtained(v, n)
    this.#budget.mapped()
    this.#account.add(n, category)
    this.#intent.end()
    this.#account.done('sysAlloc', v, n, category)
    return v
  }

  /** `isNow`: in a lazy memory as well. */
  sysUnused(v: Address, n: number, isNow = false): void {
    if (this.#parts.isLazy && !isNow) return this.idle(v, n)
    if (this.#intent.isOpen) settle(this.#parts)
    checkRange('sysUnused', v, n, 0, this.#page)
    if (n === 0) return
    let packed = this.#ledger.expect('sysUnused', v, n, FROM_READY)
    const category = this.#ledger.categoryOf(packed, v)
    try {
      this.#budget.unused('sysUnused', n)
      packed = endBorrows(this.#parts, 'sysUnused', v, n, packed, FROM_READY)
      this.#intent.begin(PREPARED, v, n)
      unuse(this.#parts, v, n)
      if (this.os.refusal) renew(this.#parts, v, n)
      expectOpen(this.#parts, PREPARED, 'sysUnused', v, n)
    } catch (error) {
      throw failed(this.#parts, 'sysUnused', v, n, category, error)
    }
    this.#ledger.move(v, n, PREPARED, packed)
    this.#intent.end()
    this.#account.done('sysUnused', v, n, category)
  }

  sysUsed(v: Address, n: number): void {
    if (this.#intent.isOpen) settle(this.#parts)
    checkRange('sysUsed', v, n, 0, this.#page)
    if (n === 0) return
    let packed = this.#ledger.expect('sysUsed', v, n, FROM_MAPPED)
    const category = this.#ledger.categoryOf(packed, v)
    if (this.#idle.has(v, n)) return this.#takeBack(v, n, packed, category)
    try {
      if (this.#parts.limit.isSet) {
        takeOfLimit(this.#parts, 'sysUsed', v, n, packed, category)
        packed = this.#ledger.expect('sysUsed', v, n, FROM_MAPPED)
      }
      this.#idle.forget(v, n)
      this.#budget.used('sysUsed', n)
      if (this.os.traits.unusedTraps) this.#space.take('sysUsed', 0, n)
      this.#charge.takeUnready('sysUsed', v, n, packed, this.#ledger)
      this.#intent.begin(AS_IS, v, n)
      this.os.sysUsedOS(v, n)
      expectOpen(this.#parts, PREPARED, 'sysUsed', v, n)
    } catch (error) {
      throw failed(this.#parts, 'sysUsed', v, n, category, undoUsed(this.#parts, v, n, packed, error))
    }
    this.#parts.lingering.take(v, n)
    this.#ledger.move(v, n, READY, packed)
    this.#intent.end()
    if (this.#hugePages.inUse) this.#hugePages.used(v, n)
    this.#account.done('sysUsed', v, n, category)
  }

  /** sysUnused that leaves the pages their memory, until the scavenger takes it. */
  idle(v: Address, n: number): void {
    if (this.#intent.isOpen) settle(this.#parts)
    checkRange('sysUnused', v, n, 0, this.#page)
    if (n === 0) return
    let packed = this.#ledger.expect('sysUnused', v, n, FROM_READY)
    const category = this.#ledger.categoryOf(packed, v)
    try {
      packed = endBorrows(this.#parts, 'sysUnused', v, n, packed, FROM_READY)
    } catch (error) {
      throw failed(this.#parts, 'sysUnused', v, n, category, error)
    }
    this.#intent.begin(PREPARED, v, n)
    this.#idle.add(v, n)
    this.#ledger.move(v, n, PREPARED, packed)
    this.#intent.end()
    this.#parts.scavenger.wake()
    this.#account.done('sysUnused', v, n, category)
  }

  /** sysUsed of pages that have been idle: the OS was never asked to take them. */
  #takeBack(v: Address, n: number, packed: Packed, category: number): void {
    if (this.#parts.limit.hasBudgets) this.#expectBudgets(v, n, category)
    this.#intent.begin(AS_IS, v, n)
    this.#idle.forget(v, n)
    this.#ledger.move(v, n, READY, packed)
    this.#intent.end()
    this.#account.done('sysUsed', v, n, category)
  }

  #expectBudgets(v: Address, n: number, category: number): void {
    try {
      expectBudgets(this.#parts, 'sysUsed', v, n, category)
    } catch (error) {
      throw failed(this.#parts, 'sysUsed', v, n, category, error)
    }
  }

  sysHugePage(v: Address, n: number): void {
    if (this.#intent.isOpen) settle(this.#parts)
    checkRange('sysHugePage', v, n, 0, this.#page)
    if (n === 0) return
    const packed = this.#ledger.expect('sysHugePage', v, n, FROM_OWNED)
    const category = this.#ledger.categoryOf(packed, v)
    try {
      this.#budget.advise('sysHugePage', n, packed)
      this.os.sysHugePageOS(v, n)
    } catch (error) {
      throw failed(this.#parts, 'sysHugePage', v, n, category, error)
    }
    this.#account.done('sysHugePage', v, n, category)
  }

  sysPopulate(v: Address, n: number): boolean {
    if (this.#intent.isOpen) settle(this.#parts)
    checkRange('sysPopulate', v, n, 0, this.#page)
    if (n === 0 || this.os.sysPopulateOS === undefined) return this.#expectPopulate(v, n)
    const packed = this.#ledger.expect('sysPopulate', v, n, FROM_READY)
    const category = this.#ledger.categoryOf(packed, v)
    let populated: boolean | null
    try {
      populated = this.os.sysPopulateOS(v, n)
      if (populated === null) throw outOfMemory(this.os, 'sysPopulate', v, n)
    } catch (error) {
      throw failed(this.#parts, 'sysPopulate', v, n, category, error)
    }
    if (populated) this.#account.done('sysPopulate', v, n, category)
    return populated
  }

  sysFree(v: Address, n: number, stat: SysMemStat | null): void {
    if (this.#intent.isOpen) settle(this.#parts)
    checkRange('sysFree', v, n, 1, this.#page)
    const named = this.#account.categoryOf('sysFree', stat)
    let packed = this.#proveFree(v, n, stat, named)
    const category = this.#ledger.categoryOf(packed, v)
    try {
      endIdle(this.#parts, v, n)
      const isKept = payForFree(this.#parts, v, n)
      const { version } = this.#ledger
      packed = endBorrows(this.#parts, 'sysFree', v, n, packed, FROM_OWNED)
      if (version !== this.#ledger.version) packed = this.#proveFree(v, n, stat, named)
      giveBack(this.#parts, v, n, packed, isKept)
    } catch (error) {
      throw failed(this.#parts, 'sysFree', v, n, category, error)
    }
    const isRetired = this.#intent.state === RETIRED
    this.#account.uncount(v, n, packed)
    this.#ledger.assign(v, n, 0, 0, packed)
    this.#budget.freed(v, n)
    this.#hugePages.freed(v, n)
    this.#claims.freed(v, n)
    if (isRetired) this.#retired.add(v, n)
    else this.#retired.forget(v, n)
    this.#intent.end()
    this.#account.done('sysFree', v, n, category)
  }

  sysFault(v: Address, n: number): void {
    if (this.#intent.isOpen) settle(this.#parts)
    checkRange('sysFault', v, n, 0, this.#page)
    if (n === 0) return
    let packed = this.#ledger.expect('sysFault', v, n, FROM_MAPPED)
    const category = this.#ledger.categoryOf(packed, v)
    try {
      this.#budget.cut('sysFault', n)
      packed = endBorrows(this.#parts, 'sysFault', v, n, packed, FROM_MAPPED)
      endIdle(this.#parts, v, n)
      takeRefusal(this.os)
      this.#intent.begin(RESERVED, v, n)
      fault(this.#parts, v, n)
      if (this.os.refusal) this.#keptByKernel('sysFault', v, n)
      expectOpen(this.#parts, RESERVED, 'sysFault', v, n)
    } catch (error) {
      throw failed(this.#parts, 'sysFault', v, n, category, error)
    }
    this.#ledger.move(v, n, RESERVED, packed)
    this.#intent.end()
    this.#account.done('sysFault', v, n, category)
  }

  sysReserve(v: Address | null, n: number): Address {
    checkSize('sysReserve', n, 1, this.#page)
    if (v !== null) checkAddress('sysReserve', v, n, this.#page)
    return reserve(this.#parts, v, n, null)
  }

  sysReserveAligned(v: Address | null, size: number, align: number): AlignedReservation {
    return reserveAligned(this.#parts, v, size, align, null)
  }

  sysMap(v: Address, n: number, stat: SysMemStat | null): void {
    if (this.#intent.isOpen) settle(this.#parts)
    checkRange('sysMap', v, n, 1, this.#page)
    const category = this.#account.categoryOf('sysMap', stat)
    const packed = this.#ledger.expect('sysMap', v, n, FROM_RESERVED)
    this.#account.expectRoom('sysMap', n, category)
    try {
      this.#budget.cut('sysMap', n)
      this.#space.take('sysMap', 0, n)
      this.#intent.begin(AS_IS, v, n)
      this.os.sysMapOS(v, n)
      expectOpen(this.#parts, RESERVED, 'sysMap', v, n)
    } catch (error) {
      throw failed(this.#parts, 'sysMap', v, n, category, noMemoryToMap(this.os, v, n, error))
    }
    // What was faulted is counted where it was mapped before. It changes hands.
    this.#account.uncount(v, n, packed)
    this.#account.add(n, category)
    this.#ledger.assign(v, n, PREPARED, category, packed)
    this.#budget.mapped()
    this.#intent.end()
    this.#account.done('sysMap', v, n, category)
  }

  sysUnusedAll(ranges: ArrayLike<number>): void {
    unusedAll(this.#parts, ranges)
  }

  view<T extends ArrayBufferView>(type: ViewConstructor<T>, v: Address, length: number): ViewOf<T> {
    return viewOf(this.#parts, type, v, length, null)
  }

  #proveFree(v: Address, n: number, stat: SysMemStat | null, named: number): Packed {
    const packed = this.#ledger.expect('sysFree', v, n, FROM_OWNED)
    this.#ledger.expectWhole('sysFree', v, n)
    if (stat !== null) this.#ledger.expectCategory('sysFree', v, n, packed, named, this.#account.nameOf)
    return packed
  }

  /** The kernel kept the range as it was. */
  #keptByKernel(op: Operation, v: Address, n: number): never {
    this.#intent.end()
    throw refused(this.os, op, v, n)
  }

  /** sysPopulate of no bytes, or where the OS can't. */
  #expectPopulate(v: Address, n: number): boolean {
    if (n > 0) this.#ledger.expect('sysPopulate', v, n, FROM_READY)
    return this.os.sysPopulateOS !== undefined
  }
}
