// What users call: a memory over one operating system, and its contract. The wrappers behind
// it are in wrappers.ts.
import type { Address } from '@memlayer/kernel'
import { show } from './check.js'
import { UsageError } from './errors.js'
import { Ledger, type RegionState } from './ledger.js'
import type { SysMemStat } from './mem-stat.js'
import type { Observer } from './observer.js'
import type { OS } from './os.js'
import type { AlignedReservation } from './reserve-aligned.js'
import type { MemoryStats } from './stats.js'
import { Wrappers } from './wrappers.js'

/** How a memory is made. */
export interface MemoryOptions {
  /**
   * Whether every range is checked and its state kept. Default true. False: the wrappers are Go's,
   * unchecked; a wrong range reaches the kernel, and `stats()` knows no states.
   */
  readonly ledger?: boolean
}

/** A range as `memory.ranges()` tells of it. */
export interface OwnedRange {
  readonly address: Address
  readonly size: number
  readonly state: RegionState
  /** The category that counts it; `null`: none, it was only reserved. */
  readonly category: string | null
}

/** An operating system's memory, with its account. Sizes are bytes; ranges are whole pages. */
export interface Memory {
  /** The backend below. */
  readonly os: OS

  /**
   * None to Ready: `n` bytes of zeroed memory at an address that the OS chooses, counted under `stat`.
   * Source: sysAlloc in Go's runtime/mem.go.
   *
   * @throws OutOfMemoryError ERR_MEMLAYER_OUT_OF_MEMORY when the OS refuses; nothing is counted.
   * @throws UsageError ERR_MEMLAYER_SIZE, ERR_MEMLAYER_ALIGNMENT or ERR_MEMLAYER_STAT before any effect.
   * @throws FatalError ERR_MEMLAYER_FATAL where the OS says that memory can't be had at all.
   */
  sysAlloc(n: number, stat: SysMemStat | null): Address

  /**
   * Ready to Prepared: the OS may take the pages behind [v, v+n) back; the contents are forfeit.
   * Zero bytes: nothing. Source: sysUnused in Go's runtime/mem.go.
   *
   * @throws UsageError ERR_MEMLAYER_STATE unless all of it is Ready.
   */
  sysUnused(v: Address, n: number): void

  /**
   * Prepared to Ready: [v, v+n) may be touched. A mix of Prepared and Ready is legal.
   * Zero bytes: nothing. Source: sysUsed in Go's runtime/mem.go.
   *
   * @throws UsageError ERR_MEMLAYER_STATE unless all of it is Prepared or Ready.
   * @throws FatalError ERR_MEMLAYER_FATAL where an OS that commits memory has none left.
   */
  sysUsed(v: Address, n: number): void

  /**
   * No transition: tells the OS that larger pages would serve [v, v+n).
   * Zero bytes: nothing. Source: sysHugePage in Go's runtime/mem.go.
   *
   * @throws UsageError ERR_MEMLAYER_NOT_OWNED unless all of it is owned.
   */
  sysHugePage(v: Address, n: number): void

  /**
   * Any state to None: gives [v, v+n) back, and its bytes to the category that counts them. `stat`
   * is the one it was mapped with; `null`: whichever it was. Source: sysFree in Go's runtime/mem.go.
   *
   * @throws UsageError ERR_MEMLAYER_NOT_OWNED, ERR_MEMLAYER_STAT, or ERR_MEMLAYER_RESERVATION for a
   * part of a reservation on an OS that releases only whole ones.
   * @throws OutOfMemoryError ERR_MEMLAYER_OUT_OF_MEMORY when the kernel can't split its mapping.
   */
  sysFree(v: Address, n: number, stat: SysMemStat | null): void

  /**
   * Ready or Prepared to Reserved: touching [v, v+n) faults from now on. Its category goes on
   * counting it, as in Go. For debugging. Zero bytes: nothing. Source: sysFault in Go's runtime/mem.go.
   *
   * @throws UsageError ERR_MEMLAYER_STATE unless all of it is Prepared or Ready.
   */
  sysFault(v: Address, n: number): void

  /**
   * None to Reserved: `n` bytes of address space that fault when touched and cost no memory. At `v`
   * if it is given and free, else anywhere. Source: sysReserve in Go's runtime/mem.go.
   *
   * @throws OutOfMemoryError ERR_MEMLAYER_OUT_OF_MEMORY when the OS refuses.
   */
  sysReserve(v: Address | null, n: number): Address

  /**
   * None to Reserved, at a multiple of `align` bytes, a power of two. The size is as asked, or more
   * where the OS happened to answer aligned. Source: sysReserveAligned in Go's runtime/malloc.go.
   *
   * @throws OutOfMemoryError ERR_MEMLAYER_OUT_OF_MEMORY when the OS refuses.
   * @throws FatalError ERR_MEMLAYER_FATAL, "failed to allocate aligned heap memory; too many
   * retries", where an OS that frees no parts loses the race for the aligned address 100 times.
   */
  sysReserveAligned(v: Address | null, size: number, align: number): AlignedReservation

  /**
   * Reserved to Prepared: [v, v+n) can be made Ready at little cost, counted under `stat` from now on.
   * Source: sysMap in Go's runtime/mem.go.
   *
   * @throws UsageError ERR_MEMLAYER_STATE unless all of it is Reserved.
   * @throws FatalError ERR_MEMLAYER_FATAL, "out of memory" or "cannot map pages in arena address
   * space", when the kernel refuses.
   */
  sysMap(v: Address, n: number, stat: SysMemStat | null): void

  /** The category of this name, made at first use. */
  stat(name: string): SysMemStat
  /** The account: by category and in total. Slow enough not to be called per operation. */
  stats(): MemoryStats
  /** Every owned range in order of address. Empty without a ledger. */
  ranges(): OwnedRange[]
  /**
   * Proves the account against the ledger: sums, categories, order.
   *
   * @throws FatalError ERR_MEMLAYER_ACCOUNT with the first disagreement.
   */
  check(): void
  /** Tells `observer` of every operation from now on; the function returned ends it. */
  observe(observer: Observer): () => void
}

/** Over one operating system: its memory, with an account of its own. */
export function createMemory(os: OS, options: MemoryOptions = {}): Memory {
  if (os === null || typeof os !== 'object' || typeof os.sysReserveOS !== 'function') {
    throw new UsageError('ERR_MEMLAYER_OPTION', `createMemory: the OS is ${show(os)}`, {
      hint: "Pass what a backend's createOS() returns.",
    })
  }
  const { ledger = true } = options
  if (typeof ledger !== 'boolean') {
    throw new UsageError('ERR_MEMLAYER_OPTION', `createMemory: the option ledger is ${show(ledger)}`, {
      hint: 'Pass true or false.',
    })
  }
  return new Wrappers(os, ledger ? new Ledger(os.traits.freesParts) : null)
}
