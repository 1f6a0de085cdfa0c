// `memory`: the memory of this host, made at its first use. Importing it costs nothing, and nothing native
// is loaded for a program that never asks.
import {
  createMemory,
  type Address,
  type AlignedReservation,
  type Explanation,
  type MappingUse,
  type Memory,
  type MemoryStats,
  type Observer,
  type OS,
  type OwnedRange,
  type Region,
  type RegionOptions,
  type Residency,
  type SharedRegion,
  type ShareToken,
  type SysMemStat,
  type ViewConstructor,
} from '@memlayer/core'
import type { Choice } from './choice.js'
import { host } from './host.js'

/** The memory of this host. */
export interface HostMemory extends Memory {
  /** The backend below, and why it is that one. */
  readonly choice: Choice
}

/** One line a member, so that a member that core adds and this lacks does not compile. */
class LazyMemory implements HostMemory {
  #made: Memory | undefined

  get choice(): Choice {
    return host().choice
  }

  get os(): OS {
    return this.#memory.os
  }

  get #memory(): Memory {
    this.#made ??= createMemory(host().os)
    return this.#made
  }

  sysAlloc(n: number, stat: SysMemStat | null): Address {
    return this.#memory.sysAlloc(n, stat)
  }

  sysUnused(v: Address, n: number): void {
    this.#memory.sysUnused(v, n)
  }

  sysUsed(v: Address, n: number): void {
    this.#memory.sysUsed(v, n)
  }

  sysHugePage(v: Address, n: number): void {
    this.#memory.sysHugePage(v, n)
  }

  sysPopulate(v: Address, n: number): boolean {
    return this.#memory.sysPopulate(v, n)
  }

  sysFree(v: Address, n: number, stat: SysMemStat | null): void {
    this.#memory.sysFree(v, n, stat)
  }

  sysFault(v: Address, n: number): void {
    this.#memory.sysFault(v, n)
  }

  sysReserve(v: Address | null, n: number): Address {
    return this.#memory.sysReserve(v, n)
  }

  sysReserveAligned(v: Address | null, size: number, align: number): AlignedReservation {
    return this.#memory.sysReserveAligned(v, size, align)
  }

  sysMap(v: Address, n: number, stat: SysMemStat | null): void {
    this.#memory.sysMap(v, n, stat)
  }

  sysUnusedAll(ranges: ArrayLike<number>): void {
    this.#memory.sysUnusedAll(ranges)
  }

  reserve(size: number, options?: RegionOptions): Region {
    return this.#memory.reserve(size, options)
  }

  view<T extends object>(type: ViewConstructor<T>, v: Address, length: number): T {
    return this.#memory.view(type, v, length)
  }

  attach(token: ShareToken): SharedRegion {
    return this.#memory.attach(token)
  }

  regions(): Region[] {
    return this.#memory.regions()
  }

  mappings(): MappingUse | null {
    return this.#memory.mappings()
  }

  stat(name: string): SysMemStat {
    return this.#memory.stat(name)
  }

  stats(): MemoryStats {
    return this.#memory.stats()
  }

  ranges(): OwnedRange[] {
    return this.#memory.ranges()
  }

  check(): void {
    this.#memory.check()
  }

  residency(v: Address, n: number): Residency | null {
    return this.#memory.residency(v, n)
  }

  explain(): Explanation | null {
    return this.#memory.explain()
  }

  trimHost(): number {
    return this.#memory.trimHost()
  }

  observe(observer: Observer, wanted?: () => boolean): () => void {
    return this.#memory.observe(observer, wanted)
  }
}

/**
 * The operating system's memory on this host, one for a thread. The backend is chosen at the first use:
 * `memory.os.name` says which system, `memory.choice` which package and why.
 *
 * Every member throws what core's `Memory` says, and at the first use BackendError ERR_MEMLAYER_BACKEND when no
 * backend can be had.
 */
export const memory: HostMemory = new LazyMemory()
