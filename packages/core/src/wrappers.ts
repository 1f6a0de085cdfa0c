// The wrappers, in the order of Go's runtime/mem.go. Each checks its range, keeps the account,
// calls the OS, and tells observers; a refused or broken operation leaves the account as it
// found it.
import type { Address } from '@memlayer/kernel'
import { checkAddress, checkAlignment, checkSize, show } from './check.js'
import { FatalError, OutOfMemoryError, UsageError } from './errors.js'
import { FROM_MAPPED, FROM_OWNED, FROM_READY, FROM_RESERVED, PREPARED, READY, RESERVED, type Ledger } from './ledger.js'
import { SysMemStat } from './mem-stat.js'
import type { Memory, OwnedRange } from './memory.js'
import { tell, type Observer, type Operation } from './observer.js'
import type { OS } from './os.js'
import { outOfMemory, refused } from './refusal.js'
import { reserveAligned, type AlignedReservation } from './reserve-aligned.js'
import { countsOf, type MemoryStats } from './stats.js'

/** The account over one OS. Made by createMemory. */
export class Wrappers implements Memory {
  readonly os: OS
  readonly #ledger: Ledger | null
  // Ranges are whole pages where a ledger checks them; Go's wrappers leave that to the OS.
  readonly #align: number
  // Category 0 is what no category counts.
  readonly #stats: SysMemStat[] = [new SysMemStat('(uncategorized)', 0)]
  readonly #byName = new Map<string, SysMemStat>()
  readonly #calls: number[] = [0]
  readonly #refusals: number[] = [0]
  #observers: readonly Observer[] | null = null

  constructor(os: OS, ledger: Ledger | null) {
    this.os = os
    this.#ledger = ledger
    this.#align = ledger === null ? 1 : os.traits.pageSize
  }

  sysAlloc(n: number, stat: SysMemStat | null): Address {
    checkSize('sysAlloc', n, 1, this.#align)
    const category = this.#categoryOf('sysAlloc', stat)
    stat?.add(n)
    let v: Address | null = null
    try {
      v = this.os.sysAllocOS(n)
      if (v === null) throw outOfMemory(this.os, 'sysAlloc', null, n)
      this.#ledger?.enter('sysAlloc', v, n, READY, category)
    } catch (error) {
      stat?.add(-n)
      throw this.#failed('sysAlloc', v, n, category, error)
    }
    this.#done('sysAlloc', v, n, category)
    return v
  }

  sysUnused(v: Address, n: number): void {
    checkSize('sysUnused', n, 0, this.#align)
    checkAddress('sysUnused', v, n, this.#align)
    if (n === 0) return
    const ledger = this.#ledger
    if (ledger === null) return this.#unchecked('sysUnused', v, n)
    ledger.expect('sysUnused', v, n, FROM_READY)
    const category = ledger.categoryAt(v)
    try {
      this.os.sysUnusedOS(v, n)
    } catch (error) {
      throw this.#failed('sysUnused', v, n, category, error)
    }
    ledger.move(v, n, PREPARED)
    this.#done('sysUnused', v, n, category)
  }

  sysUsed(v: Address, n: number): void {
    checkSize('sysUsed', n, 0, this.#align)
    checkAddress('sysUsed', v, n, this.#align)
    if (n === 0) return
    const ledger = this.#ledger
    if (ledger === null) return this.#unchecked('sysUsed', v, n)
    ledger.expect('sysUsed', v, n, FROM_MAPPED)
    const category = ledger.categoryAt(v)
    try {
      this.os.sysUsedOS(v, n)
    } catch (error) {
      throw this.#failed('sysUsed', v, n, category, error)
    }
    ledger.move(v, n, READY)
    this.#done('sysUsed', v, n, category)
  }

  sysHugePage(v: Address, n: number): void {
    checkSize('sysHugePage', n, 0, this.#align)
    checkAddress('sysHugePage', v, n, this.#align)
    if (n === 0) return
    const ledger = this.#ledger
    if (ledger === null) return this.#unchecked('sysHugePage', v, n)
    ledger.expect('sysHugePage', v, n, FROM_OWNED)
    const category = ledger.categoryAt(v)
    try {
      this.os.sysHugePageOS(v, n)
    } catch (error) {
      throw this.#failed('sysHugePage', v, n, category, error)
    }
    this.#done('sysHugePage', v, n, category)
  }

  sysFree(v: Address, n: number, stat: SysMemStat | null): void {
    checkSize('sysFree', n, 1, this.#align)
    checkAddress('sysFree', v, n, this.#align)
    const category = this.#categoryOf('sysFree', stat)
    const ledger = this.#ledger
    if (ledger === null) {
      stat?.add(-n)
      return this.#unchecked('sysFree', v, n)
    }
    ledger.expect('sysFree', v, n, FROM_OWNED)
    ledger.expectWhole('sysFree', v, n)
    if (stat !== null) ledger.expectCategory('sysFree', v, n, category, this.#nameOf)
    const counted = ledger.categoryAt(v)
    try {
      this.os.sysFreeOS(v, n)
      if (this.os.refusal) throw refused(this.os, 'sysFree', v, n)
    } catch (error) {
      throw this.#failed('sysFree', v, n, counted, error)
    }
    ledger.assign(v, n, 0, 0, this.#uncount)
    this.#done('sysFree', v, n, counted)
  }

  sysFault(v: Address, n: number): void {
    checkSize('sysFault', n, 0, this.#align)
    checkAddress('sysFault', v, n, this.#align)
    if (n === 0) return
    const ledger = this.#ledger
    if (ledger === null) return this.#unchecked('sysFault', v, n)
    ledger.expect('sysFault', v, n, FROM_MAPPED)
    const category = ledger.categoryAt(v)
    try {
      this.os.sysFaultOS(v, n)
      if (this.os.refusal) throw refused(this.os, 'sysFault', v, n)
    } catch (error) {
      throw this.#failed('sysFault', v, n, category, error)
    }
    ledger.move(v, n, RESERVED)
    this.#done('sysFault', v, n, category)
  }

  sysReserve(v: Address | null, n: number): Address {
    checkSize('sysReserve', n, 1, this.#align)
    if (v !== null) checkAddress('sysReserve', v, n, this.#align)
    let p: Address | null = null
    try {
      p = this.os.sysReserveOS(v, n)
      if (p === null) throw outOfMemory(this.os, 'sysReserve', v, n)
      this.#ledger?.enter('sysReserve', p, n, RESERVED, 0)
    } catch (error) {
      throw this.#failed('sysReserve', v, n, 0, error)
    }
    this.#done('sysReserve', p, n, 0)
    return p
  }

  sysReserveAligned(v: Address | null, size: number, align: number): AlignedReservation {
    checkAlignment('sysReserveAligned', align)
    checkSize('sysReserveAligned', size, 1, this.#align)
    checkSize('sysReserveAligned', size + align, 1, 1)
    if (v !== null) checkAddress('sysReserveAligned', v, size + align, this.#align)
    let range: AlignedReservation
    try {
      range = reserveAligned(this.os, this.#ledger, v, size, Math.max(align, this.#align))
      this.#ledger?.enter('sysReserveAligned', range.address, range.size, RESERVED, 0)
    } catch (error) {
      throw this.#failed('sysReserveAligned', v, size, 0, error)
    }
    this.#done('sysReserveAligned', range.address, range.size, 0)
    return range
  }

  sysMap(v: Address, n: number, stat: SysMemStat | null): void {
    checkSize('sysMap', n, 1, this.#align)
    checkAddress('sysMap', v, n, this.#align)
    const category = this.#categoryOf('sysMap', stat)
    this.#ledger?.expect('sysMap', v, n, FROM_RESERVED)
    stat?.add(n)
    try {
      this.os.sysMapOS(v, n)
    } catch (error) {
      stat?.add(-n)
      throw this.#failed('sysMap', v, n, category, error)
    }
    // What was faulted is still counted where it was mapped: it changes hands here.
    this.#ledger?.assign(v, n, PREPARED, category, this.#uncount)
    this.#done('sysMap', v, n, category)
  }

  stat(name: string): SysMemStat {
    let stat = this.#byName.get(name)
    if (stat === undefined) {
      if (typeof name !== 'string' || name === '') {
        throw new UsageError('ERR_MEMLAYER_STAT', `stat: the category is ${show(name)}`, { hint: 'Pass its name.' })
      }
      stat = new SysMemStat(name, this.#stats.length)
      this.#stats.push(stat)
      this.#calls.push(0)
      this.#refusals.push(0)
      this.#byName.set(name, stat)
    }
    return stat
  }

  stats(): MemoryStats {
    return countsOf(this.#stats, this.#ledger, this.#calls, this.#refusals)
  }

  ranges(): OwnedRange[] {
    if (this.#ledger === null) return []
    return Array.from(this.#ledger.ranges(), ({ category, ...range }) => ({
      ...range,
      category: category === 0 ? null : this.#nameOf(category),
    }))
  }

  check(): void {
    if (this.#ledger === null) return
    const fault = this.#ledger.audit() ?? this.#auditStats(this.#ledger)
    if (fault === null) return
    throw new FatalError(`the account is wrong: ${fault}`, { code: 'ERR_MEMLAYER_ACCOUNT' })
  }

  observe(observer: Observer): () => void {
    if (typeof observer !== 'function') {
      throw new UsageError('ERR_MEMLAYER_OPTION', `observe: the observer is ${show(observer)}`, {
        hint: 'Pass a function that takes an event.',
      })
    }
    const own: Observer = (event) => observer(event)
    this.#observers = [...(this.#observers ?? []), own]
    return () => {
      const others = (this.#observers ?? []).filter((other) => other !== own)
      this.#observers = others.length === 0 ? null : others
    }
  }

  /** Go's wrapper: nothing but the call. */
  #unchecked(op: 'sysUnused' | 'sysUsed' | 'sysHugePage' | 'sysFree' | 'sysFault', v: Address, n: number): void {
    try {
      this.os[`${op}OS`](v, n)
    } catch (error) {
      throw this.#failed(op, v, n, 0, error)
    }
    if (this.os.refusal) this.os.refusal = null
    this.#done(op, v, n, 0)
  }

  #categoryOf(op: Operation, stat: SysMemStat | null): number {
    if (stat === null) return 0
    const index = stat?.index
    if (index !== 0 && this.#stats[index] === stat) return index
    throw new UsageError('ERR_MEMLAYER_STAT', `${op}: the stat is ${stat instanceof SysMemStat ? "another memory's" : show(stat)}`, {
      op,
      hint: "Pass what this memory's stat('name') returns, or null to count under no category.",
    })
  }

  readonly #nameOf = (category: number): string => this.#stats[category]?.name ?? String(category)

  readonly #uncount = (category: number, bytes: number): void => {
    this.#stats[category]?.add(-bytes)
  }

  #auditStats(ledger: Ledger): string | null {
    for (const stat of this.#stats.slice(1)) {
      const { index } = stat
      const held = ledger.bytes(index, RESERVED) + ledger.bytes(index, PREPARED) + ledger.bytes(index, READY)
      if (held !== stat.load()) return `'${stat.name}' counts ${stat.load()} bytes, its ranges are ${held}`
    }
    return null
  }

  #done(op: Operation, address: Address, size: number, category: number): void {
    this.#calls[category] = (this.#calls[category] as number) + 1
    if (this.#observers !== null) {
      tell(this.#observers, { op, address, size, category: this.#named(category), outcome: 'done' })
    }
  }

  /** Counts and tells of a failure; returns the error that the caller is to get. */
  #failed(op: Operation, address: Address | null, size: number, category: number, error: unknown): unknown {
    if (this.os.refusal) this.os.refusal = null
    this.#calls[category] = (this.#calls[category] as number) + 1
    const outcome = error instanceof OutOfMemoryError ? 'refused' : 'broken'
    if (outcome === 'refused') this.#refusals[category] = (this.#refusals[category] as number) + 1
    if (this.#observers !== null && error instanceof Error) {
      tell(this.#observers, { op, address, size, category: this.#named(category), outcome, error })
    }
    return error
  }

  #named(category: number): string | null {
    return category === 0 ? null : this.#nameOf(category)
  }
}
