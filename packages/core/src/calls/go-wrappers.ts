// The operations without a ledger: Go's wrappers. They check no state and keep no state; a wrong range reaches the
// kernel. What a category holds is all that they count, as Go does.
import type { Address } from '@memlayer/kernel'
import type { Account } from '../account/account.js'
import type { SysMemStat } from '../account/mem-stat.js'
import { checkAddress, checkRange, checkSize } from '../check.js'
import { UsageError } from '../errors.js'
import type { Limit, LimitOptions } from '../limit/limit.js'
import type { OS } from '../os.js'
import { outOfMemory } from './refusal.js'
import { checkAligned, obtainAligned, type AlignedReservation } from './reserve.js'
import { pairsOf } from './unused-all.js'

// Go's wrappers leave alignment to the OS.
const ANY = 1

/** The operations. `createMemory` makes a memory of it. */
export class GoWrappers {
  readonly os: OS
  readonly #account: Account

  constructor(os: OS, account: Account) {
    this.os = os
    this.#account = account
  }

  get limit(): Limit | null {
    return null
  }

  set limit(_: LimitOptions | null) {
    needsLedger('limit')
  }

  sysAlloc(n: number, stat: SysMemStat | null): Address {
    checkSize('sysAlloc', n, 1, ANY)
    const category = this.#account.categoryOf('sysAlloc', stat)
    this.#account.expectSum('sysAlloc', n, category)
    let v: Address | null = null
    try {
      v = this.os.sysAllocOS(n)
      if (v === null) throw outOfMemory(this.os, 'sysAlloc', null, n)
    } catch (error) {
      throw this.#account.failed('sysAlloc', v, n, category, error)
    }
    this.#account.add(n, category)
    this.#account.done('sysAlloc', v, n, category)
    return v
  }

  sysUnused(v: Address, n: number): void {
    this.#move('sysUnused', v, n)
  }

  sysUsed(v: Address, n: number): void {
    this.#move('sysUsed', v, n)
  }

  sysHugePage(v: Address, n: number): void {
    this.#move('sysHugePage', v, n)
  }

  sysPopulate(v: Address, n: number): boolean {
    checkRange('sysPopulate', v, n, 0, ANY)
    if (n === 0 || this.os.sysPopulateOS === undefined) return this.os.sysPopulateOS !== undefined
    let populated: boolean | null
    try {
      populated = this.os.sysPopulateOS(v, n)
      if (populated === null) throw outOfMemory(this.os, 'sysPopulate', v, n)
    } catch (error) {
      throw this.#account.failed('sysPopulate', v, n, 0, error)
    }
    if (populated) this.#account.done('sysPopulate', v, n, 0)
    return populated
  }

  sysFree(v: Address, n: number, stat: SysMemStat | null): void {
    checkRange('sysFree', v, n, 1, ANY)
    const category = this.#account.categoryOf('sysFree', stat)
    this.#account.expectSum('sysFree', -n, category)
    try {
      this.os.sysFreeOS(v, n)
    } catch (error) {
      throw this.#account.failed('sysFree', v, n, category, error)
    }
    this.#account.add(-n, category)
    this.#account.done('sysFree', v, n, category)
  }

  sysFault(v: Address, n: number): void {
    this.#move('sysFault', v, n)
  }

  sysReserve(v: Address | null, n: number): Address {
    checkSize('sysReserve', n, 1, ANY)
    if (v !== null) checkAddress('sysReserve', v, n, ANY)
    let p: Address | null = null
    try {
      p = this.os.sysReserveOS(v, n)
      if (p === null) throw outOfMemory(this.os, 'sysReserve', v, n)
    } catch (error) {
      throw this.#account.failed('sysReserve', v, n, 0, error)
    }
    this.#account.done('sysReserve', p, n, 0)
    return p
  }

  sysReserveAligned(v: Address | null, size: number, align: number): AlignedReservation {
    const alignment = checkAligned(v, size, align, ANY)
    let range: AlignedReservation
    try {
      range = obtainAligned(this.os, null, v, size, alignment)
    } catch (error) {
      throw this.#account.failed('sysReserveAligned', v, size, 0, error)
    }
    this.#account.done('sysReserveAligned', range.address, range.size, 0)
    return range
  }

  sysMap(v: Address, n: number, stat: SysMemStat | null): void {
    checkRange('sysMap', v, n, 1, ANY)
    const category = this.#account.categoryOf('sysMap', stat)
    this.#account.expectSum('sysMap', n, category)
    try {
      this.os.sysMapOS(v, n)
    } catch (error) {
      throw this.#account.failed('sysMap', v, n, category, error)
    }
    this.#account.add(n, category)
    this.#account.done('sysMap', v, n, category)
  }

  sysUnusedAll(ranges: ArrayLike<number>): void {
    const pairs = pairsOf(ranges, ANY)
    for (let i = 0; i < pairs.length; i += 2) this.sysUnused(pairs[i] as Address, pairs[i + 1] as number)
  }

  view(): never {
    return needsLedger('view')
  }

  #move(op: 'sysUnused' | 'sysUsed' | 'sysHugePage' | 'sysFault', v: Address, n: number): void {
    checkRange(op, v, n, 0, ANY)
    if (n === 0) return
    const { os } = this
    try {
      if (op === 'sysUnused') os.sysUnusedOS(v, n)
      else if (op === 'sysUsed') os.sysUsedOS(v, n)
      else if (op === 'sysHugePage') os.sysHugePageOS(v, n)
      else os.sysFaultOS(v, n)
    } catch (error) {
      throw this.#account.failed(op, v, n, 0, error)
    }
    if (op === 'sysUnused' && os.refusal) this.#account.kept(n, os.refusal)
    this.#account.done(op, v, n, 0)
  }
}

/** @throws UsageError ERR_MEMLAYER_OPTION always: regions and views need a ledger. */
export function needsLedger(op: string): never {
  throw new UsageError('ERR_MEMLAYER_OPTION', `${op}: this memory keeps no ledger`, {
    op,
    hint: 'Make the memory without { ledger: false }, because only a ledger makes views and regions safe.',
  })
}
