// What users call: a memory over one operating system, and its contract. The wrappers behind
// it are in wrappers.ts.
import { canDetach, isPowerOfTwo, type Address } from '@memlayer/kernel'
import { show } from './check.js'
import { warnOfCopies } from './copies.js'
import { UsageError } from './errors.js'
import type { Explanation } from './explain.js'
import { Ledger, type RegionState } from './ledger.js'
import type { SysMemStat } from './mem-stat.js'
import { remember } from './memories.js'
import type { Observer } from './observer.js'
import type { OS } from './os.js'
import type { AlignedReservation } from './reserve-aligned.js'
import type { Region, RegionOptions } from './region.js'
import type { Residency } from './residency.js'
import type { SharedRegion } from './shared-region.js'
import type { ShareToken } from './shares.js'
import type { MemoryStats } from './stats.js'
import type { ViewConstructor } from './views.js'
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
  /** Its first byte. */
  readonly address: Address
  /** Its bytes. */
  readonly size: number
  /** The one state that all of it is in. */
  readonly state: RegionState
  /** The category that counts it; `null`: none, it was only reserved. */
  readonly category: string | null
}

/** The kernel mappings of the process, and how many of them are this memory's. */
export interface MappingUse {
  /** What the process has, the engine's own included. */
  readonly used: number
  /** What it may have. */
  readonly limit: number
  /** What this memory's ranges cost, advice to the kernel not counted. */
  readonly own: number
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
   * @throws OutOfMemoryError ERR_MEMLAYER_OUT_OF_MEMORY when the process has no kernel mapping to spare for it.
   */
  sysUnused(v: Address, n: number): void

  /**
   * Prepared to Ready: [v, v+n) may be touched. A mix of Prepared and Ready is legal.
   * Zero bytes: nothing. Source: sysUsed in Go's runtime/mem.go.
   *
   * @throws UsageError ERR_MEMLAYER_STATE unless all of it is Prepared or Ready.
   * @throws OutOfMemoryError ERR_MEMLAYER_OUT_OF_MEMORY when the process has no kernel mapping to spare for it.
   * @throws FatalError ERR_MEMLAYER_FATAL where an OS that commits memory has none left.
   */
  sysUsed(v: Address, n: number): void

  /**
   * No transition: tells the OS that larger pages would serve [v, v+n).
   * Zero bytes: nothing. Source: sysHugePage in Go's runtime/mem.go.
   *
   * @throws UsageError ERR_MEMLAYER_NOT_OWNED unless all of it is owned.
   * @throws OutOfMemoryError ERR_MEMLAYER_OUT_OF_MEMORY when the process has no kernel mapping to spare for it.
   */
  sysHugePage(v: Address, n: number): void

  /**
   * No transition: gives [v, v+n), which is Ready, its memory now, so that no first touch of it faults. What is
   * there already stays, contents and all. False: this OS can't, and nothing has been done, in particular no page
   * has been touched; Linux can from 5.14 on, by MADV_POPULATE_WRITE. Zero bytes: nothing.
   *
   * @throws UsageError ERR_MEMLAYER_STATE unless all of it is Ready.
   * @throws OutOfMemoryError ERR_MEMLAYER_OUT_OF_MEMORY when there is not so much memory; a part may have been given.
   */
  sysPopulate(v: Address, n: number): boolean

  /**
   * Any state to None: gives [v, v+n) back, and its bytes to the category that counts them. `stat`
   * is the one it was mapped with; `null`: whichever it was. Source: sysFree in Go's runtime/mem.go.
   *
   * @throws UsageError ERR_MEMLAYER_NOT_OWNED, ERR_MEMLAYER_STAT, or ERR_MEMLAYER_RESERVATION for a
   * part of a reservation on an OS that releases only whole ones.
   * @throws OutOfMemoryError ERR_MEMLAYER_OUT_OF_MEMORY when the kernel can't split its mapping, or has none to spare for it.
   */
  sysFree(v: Address, n: number, stat: SysMemStat | null): void

  /**
   * Ready or Prepared to Reserved: touching [v, v+n) faults from now on. Its category goes on
   * counting it, as in Go. For debugging. Zero bytes: nothing. Source: sysFault in Go's runtime/mem.go.
   *
   * @throws UsageError ERR_MEMLAYER_STATE unless all of it is Prepared or Ready.
   * @throws OutOfMemoryError ERR_MEMLAYER_OUT_OF_MEMORY when the process has no kernel mapping to spare for it.
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
   * @throws OutOfMemoryError ERR_MEMLAYER_OUT_OF_MEMORY when the process has no kernel mapping to spare for it.
   * @throws FatalError ERR_MEMLAYER_FATAL, "out of memory" or "cannot map pages in arena address
   * space", when the kernel refuses.
   */
  sysMap(v: Address, n: number, stat: SysMemStat | null): void

  /**
   * sysUnused over many ranges, in as few kernel calls as the kernel allows: pairs of address and size,
   * one after the other. All of them are checked before the first is given back.
   *
   * @throws UsageError as sysUnused does, and ERR_MEMLAYER_SIZE for half a pair; nothing is given back then.
   * @throws OutOfMemoryError as sysUnused does; likewise.
   */
  sysUnusedAll(ranges: ArrayLike<number>): void

  /**
   * None to Reserved, as a region: a name, offsets in place of addresses, and views that can't dangle.
   *
   * @throws OutOfMemoryError ERR_MEMLAYER_OUT_OF_MEMORY when the OS refuses.
   * @throws UsageError ERR_MEMLAYER_OPTION with `{ ledger: false }`: a region's safety is the ledger's.
   */
  reserve(size: number, options?: RegionOptions): Region
  /**
   * A typed array or DataView over Ready pages at `v`, as `region.view` makes it; `length` counts elements.
   *
   * @throws UsageError ERR_MEMLAYER_STATE unless every page it touches is Ready.
   */
  view<T extends object>(type: ViewConstructor<T>, v: Address, length: number): T
  /**
   * In a worker: takes up what another thread's `region.share(worker)` handed out. Which pages it is of is read from
   * the token's shared buffer; its other fields are for people. A buffer that is forged as a whole can't be told from a
   * true one: take tokens from code that you trust.
   *
   * @throws UsageError ERR_MEMLAYER_SHARED when it is no token or for another thread, or is revoked, released or attached already.
   */
  attach(token: ShareToken): SharedRegion
  /** The regions in use. */
  regions(): Region[]
  /** The process's kernel mappings, counted now; `null` where nothing bounds them. */
  mappings(): MappingUse | null

  /** The category of this name, made at first use. */
  stat(name: string): SysMemStat
  /** The account: by category and in total. Slow enough not to be called per operation. */
  stats(): MemoryStats
  /**
   * What of [v, v+n) has memory behind it, of whoever's range it is; `null` where the host can't tell.
   * The numbers need not be whole pages: pages that they touch are looked at.
   *
   * @throws UsageError ERR_MEMLAYER_ADDRESS or ERR_MEMLAYER_SIZE for what is no range.
   */
  residency(v: Address, n: number): Residency | null
  /** Where the process's resident memory is, in parts that sum to what the kernel says; `null` where the host can't tell. Slow. */
  explain(): Explanation | null
  /**
   * Asks the host's allocator to give back what it holds free (malloc_trim). Returns the bytes by which the
   * process's resident memory fell: 0 where it has no such call, or other threads took as much meanwhile.
   */
  trimHost(): number
  /** Every owned range in order of address. Empty without a ledger. */
  ranges(): OwnedRange[]
  /**
   * Proves the account against the ledger: sums, categories, order.
   *
   * @throws FatalError ERR_MEMLAYER_ACCOUNT with the first disagreement.
   */
  check(): void
  /**
   * Tells `observer` of every operation from now on; the function returned ends it. `wanted` is asked before an
   * event is made: while every observer's says no, operations make none. What it throws is a no, and goes where an
   * observer's errors go.
   */
  observe(observer: Observer, wanted?: () => boolean): () => void
}

/**
 * Over one operating system: its memory, with an account of its own. Warns once, MEMLAYER_TWO_CORES, where several
 * copies of this package are loaded.
 *
 * @throws UsageError ERR_MEMLAYER_OPTION when `os` is no backend, or an option is not what it has to be; ERR_MEMLAYER_VIEW
 * when this engine cannot detach views, which would then outlive their pages.
 */
export function createMemory(os: OS, options: MemoryOptions = {}): Memory {
  checkBackend(os)
  warnOfCopies()
  const { ledger = true } =
    typeof options === 'object' && options !== null ? options : wrong('the options are', options)
  if (typeof ledger !== 'boolean') wrong('the option ledger is', ledger, 'Pass true or false.')
  if (ledger && os.detach === undefined && !canDetach) cannotDetach(os.name)
  const memory = new Wrappers(os, ledger ? new Ledger(os.traits.freesParts) : null)
  remember(memory)
  return memory
}

/** The functions of a backend, in mem.go's order. */
const functions = [
  'sysAllocOS',
  'sysUnusedOS',
  'sysUsedOS',
  'sysHugePageOS',
  'sysFreeOS',
  'sysFaultOS',
  'sysReserveOS',
  'sysMapOS',
  'view',
] as const

function cannotDetach(name: string): never {
  throw new UsageError(
    'ERR_MEMLAYER_VIEW',
    `createMemory: this engine cannot detach an ArrayBuffer, and views of ${name} memory would outlive their pages`,
    {
      hint: 'Run on Node 22.12 or later, on Bun or on Deno 2.',
    },
  )
}

function checkBackend(os: OS): void {
  const hint = "Pass what a backend's createOS() returns."
  if (os === null || typeof os !== 'object') wrong('the OS is', os, hint)
  const missing = functions.find((name) => typeof os[name] !== 'function')
  if (missing !== undefined) wrong(`the OS's ${missing} is`, os[missing], hint)
  const { traits } = os
  if (traits === null || typeof traits !== 'object') wrong("the OS's traits are", traits, hint)
  // Every range is measured by it; Go stops at a page size that is none as well.
  if (!isPowerOfTwo(traits.pageSize)) wrong("the OS's page size is", traits.pageSize, 'It has to be a power of two.')
}

function wrong(what: string, value: unknown, hint = 'Pass an object, or nothing.'): never {
  throw new UsageError('ERR_MEMLAYER_OPTION', `createMemory: ${what} ${show(value)}`, { hint })
}
