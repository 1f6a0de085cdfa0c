// Calls: the operations of a memory with a ledger, in the order of Go's runtime/mem.go. Each has three steps.
// Prove: nothing has changed yet, and a wrong call ends here. Try: the budget, the borrowers, the OS; what fails here
// leaves the account as it was. Record: the ledger, the account, the observers; this can't fail.
import type { Address } from '@memlayer/kernel'
import type { Account } from '../account/account.js'
import type { SysMemStat } from '../account/mem-stat.js'
import type { Borrows } from '../borrows/borrows.js'
import type { ViewConstructor, ViewOf } from '../borrows/view-types.js'
import { checkAddress, checkRange, checkSize } from '../check.js'
import type { RegionTable } from '../claims/region-table.js'
import type { Ledger } from '../ledger/ledger.js'
import { FROM_MAPPED, FROM_OWNED, FROM_READY, FROM_RESERVED, PREPARED, READY, RESERVED } from '../ledger/states.js'
import type { HugePages } from '../mappings/huge-pages.js'
import type { MappingBudget } from '../mappings/mapping-budget.js'
import type { OS } from '../os.js'
import type { Parts } from './parts.js'
import { outOfMemory, refused, takeRefusal } from './refusal.js'
import { reserve, reserveAligned, type AlignedReservation } from './reserve.js'
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
  readonly #borrows: Borrows
  readonly #hugePages: HugePages
  readonly #claims: RegionTable

  constructor(parts: Parts) {
    this.os = parts.os
    this.#parts = parts
    this.#page = parts.os.traits.pageSize
    this.#ledger = parts.ledger
    this.#account = parts.account
    this.#budget = parts.budget
    this.#borrows = parts.borrows
    this.#hugePages = parts.hugePages
    this.#claims = parts.claims
  }

  sysAlloc(n: number, stat: SysMemStat | null): Address {
    checkSize('sysAlloc', n, 1, this.#page)
    const category = this.#account.categoryOf('sysAlloc', stat)
    this.#account.expectRoom('sysAlloc', n, category)
    let v: Address | null = null
    try {
      this.#budget.cut('sysAlloc', n)
      v = this.os.sysAllocOS(n)
      if (v === null) throw outOfMemory(this.os, 'sysAlloc', null, n)
      this.#ledger.enter('sysAlloc', v, n, READY, category)
    } catch (error) {
      throw this.#account.failed('sysAlloc', v, n, category, error)
    }
    this.#budget.obtained(v, n)
    this.#budget.mapped()
    this.#account.add(n, category)
    this.#account.done('sysAlloc', v, n, category)
    return v
  }

  sysUnused(v: Address, n: number): void {
    checkRange('sysUnused', v, n, 0, this.#page)
    if (n === 0) return
    const packed = this.#ledger.expect('sysUnused', v, n, FROM_READY)
    this.#borrows.expectSettled('sysUnused', v, n)
    const category = this.#ledger.categoryOf(packed, v)
    try {
      this.#budget.unused('sysUnused', n)
      this.#borrows.end('sysUnused', v, n)
      this.os.sysUnusedOS(v, n)
    } catch (error) {
      throw this.#account.failed('sysUnused', v, n, category, error)
    }
    this.#ledger.move(v, n, PREPARED, packed)
    this.#account.done('sysUnused', v, n, category)
  }

  sysUsed(v: Address, n: number): void {
    checkRange('sysUsed', v, n, 0, this.#page)
    if (n === 0) return
    const packed = this.#ledger.expect('sysUsed', v, n, FROM_MAPPED)
    this.#borrows.expectSettled('sysUsed', v, n)
    const category = this.#ledger.categoryOf(packed, v)
    try {
      this.#budget.used('sysUsed', n)
      this.os.sysUsedOS(v, n)
    } catch (error) {
      throw this.#account.failed('sysUsed', v, n, category, error)
    }
    this.#ledger.move(v, n, READY, packed)
    if (this.#hugePages.inUse) this.#hugePages.used(v, n)
    this.#account.done('sysUsed', v, n, category)
  }

  sysHugePage(v: Address, n: number): void {
    checkRange('sysHugePage', v, n, 0, this.#page)
    if (n === 0) return
    const packed = this.#ledger.expect('sysHugePage', v, n, FROM_OWNED)
    const category = this.#ledger.categoryOf(packed, v)
    try {
      this.#budget.advise('sysHugePage', n, packed)
      this.os.sysHugePageOS(v, n)
    } catch (error) {
      throw this.#account.failed('sysHugePage', v, n, category, error)
    }
    this.#account.done('sysHugePage', v, n, category)
  }

  sysPopulate(v: Address, n: number): boolean {
    checkRange('sysPopulate', v, n, 0, this.#page)
    if (n === 0 || this.os.sysPopulateOS === undefined) return this.#expectPopulate(v, n)
    const packed = this.#ledger.expect('sysPopulate', v, n, FROM_READY)
    const category = this.#ledger.categoryOf(packed, v)
    let populated: boolean | null
    try {
      populated = this.os.sysPopulateOS(v, n)
      if (populated === null) throw outOfMemory(this.os, 'sysPopulate', v, n)
    } catch (error) {
      throw this.#account.failed('sysPopulate', v, n, category, error)
    }
    if (populated) this.#account.done('sysPopulate', v, n, category)
    return populated
  }

  sysFree(v: Address, n: number, stat: SysMemStat | null): void {
    checkRange('sysFree', v, n, 1, this.#page)
    const named = this.#account.categoryOf('sysFree', stat)
    const packed = this.#ledger.expect('sysFree', v, n, FROM_OWNED)
    this.#borrows.expectSettled('sysFree', v, n)
    this.#ledger.expectWhole('sysFree', v, n)
    if (stat !== null) this.#ledger.expectCategory('sysFree', v, n, packed, named, this.#account.nameOf)
    const category = this.#ledger.categoryOf(packed, v)
    try {
      this.#budget.free(v, n)
      this.#borrows.end('sysFree', v, n)
      takeRefusal(this.os)
      this.os.sysFreeOS(v, n)
      if (this.os.refusal) throw refused(this.os, 'sysFree', v, n)
    } catch (error) {
      throw this.#account.failed('sysFree', v, n, category, error)
    }
    this.#account.uncount(v, n, packed)
    this.#ledger.assign(v, n, 0, 0, packed)
    this.#budget.freed(v, n)
    this.#hugePages.freed(v, n)
    this.#claims.freed(v, n)
    this.#account.done('sysFree', v, n, category)
  }

  sysFault(v: Address, n: number): void {
    checkRange('sysFault', v, n, 0, this.#page)
    if (n === 0) return
    const packed = this.#ledger.expect('sysFault', v, n, FROM_MAPPED)
    this.#borrows.expectSettled('sysFault', v, n)
    const category = this.#ledger.categoryOf(packed, v)
    try {
      this.#budget.cut('sysFault', n)
      this.#borrows.end('sysFault', v, n)
      takeRefusal(this.os)
      this.os.sysFaultOS(v, n)
      if (this.os.refusal) throw refused(this.os, 'sysFault', v, n)
    } catch (error) {
      throw this.#account.failed('sysFault', v, n, category, error)
    }
    this.#ledger.move(v, n, RESERVED, packed)
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
    checkRange('sysMap', v, n, 1, this.#page)
    const category = this.#account.categoryOf('sysMap', stat)
    const packed = this.#ledger.expect('sysMap', v, n, FROM_RESERVED)
    this.#borrows.expectSettled('sysMap', v, n)
    this.#account.expectRoom('sysMap', n, category)
    try {
      this.#budget.cut('sysMap', n)
      this.os.sysMapOS(v, n)
    } catch (error) {
      throw this.#account.failed('sysMap', v, n, category, error)
    }
    // What was faulted is counted where it was mapped before. It changes hands.
    this.#account.uncount(v, n, packed)
    this.#account.add(n, category)
    this.#ledger.assign(v, n, PREPARED, category, packed)
    this.#budget.mapped()
    this.#account.done('sysMap', v, n, category)
  }

  sysUnusedAll(ranges: ArrayLike<number>): void {
    unusedAll(this.#parts, ranges)
  }

  view<T extends ArrayBufferView>(type: ViewConstructor<T>, v: Address, length: number): ViewOf<T> {
    return viewOf(this.#parts, type, v, length, null)
  }

  /** sysPopulate of no bytes, or where the OS can't. */
  #expectPopulate(v: Address, n: number): boolean {
    if (n > 0) this.#ledger.expect('sysPopulate', v, n, FROM_READY)
    return this.os.sysPopulateOS !== undefined
  }
}
