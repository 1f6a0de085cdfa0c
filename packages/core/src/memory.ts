// Memory: the contract of what users call. createMemory in create-memory.ts makes one.
import type { Address } from '@memlayer/kernel'
import type { SysMemStat } from './account/mem-stat.js'
import type { ObserveOptions, Observer } from './account/observer.js'
import type { MemoryStats } from './account/stats.js'
import type { ShareToken } from './borrows/share-token.js'
import type { SharedRegion } from './borrows/shared-region.js'
import type { ViewConstructor, ViewOf } from './borrows/view-types.js'
import type { AlignedReservation } from './calls/reserve.js'
import type { Holding } from './holding.js'
import type { OwnedRange } from './ledger/states.js'
import type { HostLimit } from './limit/host-limit.js'
import type { Limit, LimitOptions } from './limit/limit.js'
import type { PressureListener } from './limit/pressure.js'
import type { Reclaimer, ReclaimerOptions } from './limit/reclaimers.js'
import type { MappingUse } from './mappings/mapping-use.js'
import type { OS } from './os.js'
import type { LeakedRegion } from './regions/leaked-region.js'
import type { Adoptable, AdoptOptions } from './regions/adoptable.js'
import type { AdoptedRegion } from './regions/adopted-region.js'
import type { Region, RegionOptions } from './regions/region.js'
import type { Explanation } from './residency/explain.js'
import type { Residency } from './residency/residency.js'
import type { ScavengeRequest } from './scavenge/options.js'
import type { ScavengeOptions } from './scavenge/scavenger.js'

/** How a memory is made. */
export interface MemoryOptions {
  /**
   * Whether every range is checked and its state kept. Default true. False: the wrappers are Go's, unchecked. A wrong
   * range reaches the kernel, and `stats()` knows no states.
   */
  readonly ledger?: boolean | undefined
  /**
   * Bytes by which the JavaScript heap must still be able to grow. The layer refuses an operation that would leave it
   * less, under vm.max_map_count, RLIMIT_AS and RLIMIT_DATA: an engine that meets a limit ends the process. Default: up
   * to the heap's own limit, but at most half of each of these limits. Of Windows' commit limit: 64 MiB, or as many
   * as are given.
   */
  readonly engineHeap?: number | undefined
  /** How idle pages are given back in the background. See `region.idle`. */
  readonly scavenge?: ScavengeOptions | undefined
}

/**
 * An operating system's memory, with its account. Sizes are bytes; ranges are whole pages. Methods other than
 * the operations and `view` may be taken off the object: `const { reserve, stat } = memory`.
 */
export interface Memory {
  /** The backend below. */
  readonly os: OS

  /**
   * None to Ready: `n` bytes of zeroed memory at an address that the OS chooses, counted under `stat`.
   * Source: sysAlloc in Go's runtime/mem.go.
   *
   * @throws OutOfMemoryError ERR_MEMLAYER_OUT_OF_MEMORY when the OS refuses; nothing is counted then.
   * @throws UsageError ERR_MEMLAYER_SIZE, ERR_MEMLAYER_ALIGNMENT or ERR_MEMLAYER_STAT before any effect.
   * @throws FatalError ERR_MEMLAYER_FATAL where the OS says that it can't give memory at all.
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
   * @throws OutOfMemoryError ERR_MEMLAYER_OUT_OF_MEMORY when the process has no kernel mapping to spare for it, or an
   * OS that commits memory has none left. What was Prepared is Prepared then.
   * @throws FatalError ERR_MEMLAYER_FATAL where an OS that maps pages anew has none left for a mix of both states.
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
   * No transition: gives [v, v+n), which is Ready, its memory now, so that no first touch faults. Pages that have
   * memory keep it, and their contents. False: this OS can't, and no page was touched. Linux can from 5.14 on, by
   * MADV_POPULATE_WRITE. Zero bytes: nothing.
   *
   * @throws UsageError ERR_MEMLAYER_STATE unless all of it is Ready.
   * @throws OutOfMemoryError ERR_MEMLAYER_OUT_OF_MEMORY when there is not so much memory. A part may
   * have its memory then.
   */
  sysPopulate(v: Address, n: number): boolean

  /**
   * Any state to None: gives [v, v+n) back, and takes its bytes from the category that counts them. `stat` is the
   * category that it was mapped with; `null`: the ledger finds it. Source: sysFree in Go's runtime/mem.go.
   *
   * @throws UsageError ERR_MEMLAYER_NOT_OWNED, ERR_MEMLAYER_STAT, or ERR_MEMLAYER_RESERVATION for a
   * part of a reservation on an OS that releases only whole ones.
   * @throws OutOfMemoryError ERR_MEMLAYER_OUT_OF_MEMORY when the kernel can't split its mapping, or has
   * no mapping to spare.
   */
  sysFree(v: Address, n: number, stat: SysMemStat | null): void

  /**
   * Ready or Prepared to Reserved: touching [v, v+n) faults from now on, and ends the process. Its category goes on
   * counting it, as in Go. For debugging. Zero bytes: nothing. Source: sysFault in Go's runtime/mem.go.
   *
   * @throws UsageError ERR_MEMLAYER_STATE unless all of it is Prepared or Ready.
   * @throws OutOfMemoryError ERR_MEMLAYER_OUT_OF_MEMORY when the process has no kernel mapping to spare for it.
   */
  sysFault(v: Address, n: number): void

  /**
   * None to Reserved: `n` bytes of address space that fault when touched and cost no memory. It begins at `v` if that
   * is given and free, else anywhere. Source: sysReserve in Go's runtime/mem.go.
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
   * @throws OutOfMemoryError ERR_MEMLAYER_OUT_OF_MEMORY when the host has not so much memory, or the process no kernel
   * mapping to spare for it. It is Reserved then.
   * @throws FatalError ERR_MEMLAYER_FATAL, "cannot map pages in arena address space", when the kernel refuses for
   * another reason, or "out of memory" when the reservation can't be put back.
   */
  sysMap(v: Address, n: number, stat: SysMemStat | null): void

  /**
   * sysUnused over many ranges, in as few kernel calls as the kernel allows: pairs of address and size, one after the
   * other. All of them are checked before the first is given back.
   *
   * @throws UsageError as sysUnused does, and ERR_MEMLAYER_SIZE for half a pair; nothing is given back then.
   * @throws OutOfMemoryError as sysUnused does; nothing is given back.
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
   * None to Ready, as a region: the whole pages of a buffer that other code allocated, with the bytes that they have.
   * It is the way to give memory of a WebAssembly module or of a SharedArrayBuffer back to the OS, and to account for
   * it. The memory has to be over os-engine. `release()` leaves the buffer as it is. A buffer over memory of
   * other code, such as a file's mapping, is not for it. Its bytes count as Ready, so {@link Memory.limit} is asked, as
   * for `sysAlloc`. A limit of the process has counted them before, and is not asked.
   *
   * @throws UsageError ERR_MEMLAYER_OPTION for what has no buffer, for a buffer that a region of this memory has
   * already, and where the backend's memory is not the engine's. ERR_MEMLAYER_SIZE for a buffer without a whole page.
   * OutOfMemoryError when it would pass a limit. Nothing has changed then.
   */
  adopt(buffer: Adoptable, options?: AdoptOptions): AdoptedRegion
  /**
   * A typed array, DataView or Buffer over Ready pages at `v`, as `region.view` makes it. `length` counts elements.
   *
   * @throws UsageError ERR_MEMLAYER_STATE unless every page it touches is Ready.
   */
  view<T extends ArrayBufferView>(type: ViewConstructor<T>, v: Address, length: number): ViewOf<T>
  /**
   * In a worker: takes up what another thread's `region.share(worker)` handed out. The token's shared buffer says which
   * pages; its other fields are for people. A buffer that was forged as a whole can't be told from a true one, so take
   * tokens from code that you trust.
   *
   * @throws UsageError ERR_MEMLAYER_SHARED when it is not a token, is for another thread, or is revoked, released or
   * attached already.
   */
  attach(token: ShareToken): SharedRegion
  /** The regions in use. */
  regions(): Region[]
  /**
   * The regions that were collected and never freed. They keep their address space and memory until `sysFree` is given
   * their parts.
   */
  leaks(): LeakedRegion[]
  /**
   * What keeps pages Ready besides their owner: holds, lends, transfers and streams, shares that a worker has, and
   * views whose bytes were moved to another buffer. The oldest comes first.
   */
  holds(): Holding[]
  /** The process's kernel mappings, counted now; `null` where nothing bounds them. */
  mappings(): MappingUse | null

  /** The category of this name, made at first use. */
  stat(name: string): SysMemStat
  /** The account: by category and in total. Do not call it per operation; it makes an object a category. */
  stats(): MemoryStats
  /**
   * What of [v, v+n) has memory behind it; `null` where the host can't tell. The range need not be owned, and need not
   * be whole pages: every page that it touches counts.
   *
   * @throws UsageError ERR_MEMLAYER_ADDRESS or ERR_MEMLAYER_SIZE for numbers that are not a range.
   */
  residency(v: Address, n: number): Residency | null
  /**
   * Where the process's resident memory is, in parts that sum to what the kernel says. `null` where the host can't
   * tell. Slow.
   */
  explain(): Explanation | null
  /**
   * Asks the host's allocator to give back what it holds free (malloc_trim). Returns the bytes by which the process's
   * resident memory fell. 0: there is no such call, or other threads took as much meanwhile.
   */
  trimHost(): number
  /**
   * The limit on what may be Ready; null: there is none. Set it to bytes, or to `'auto'` for the smallest limit of the
   * host. What would pass it is refused, after idle pages were given back and the reclaimers were asked.
   */
  get limit(): Limit | null
  set limit(given: LimitOptions | null)
  /**
   * The limits of the host on this process's memory, the smallest first. Empty where the host tells none. Linux reads
   * several files for it.
   */
  hostLimits(): HostLimit[]
  /**
   * Adds a reclaimer: a cache, a pool or a buffer that can shrink. It is asked when an operation would pass
   * {@link Memory.limit}, and when memory is short: once a round, in order of priority. The function returned takes it
   * away.
   *
   * @throws UsageError ERR_MEMLAYER_OPTION for a wrong option.
   */
  reclaimer(options: ReclaimerOptions, reclaim: Reclaimer): () => void
  /**
   * Calls `listener` when memory is short or a limit is near: at the change of a level, every ten seconds while it
   * lasts, and with `'normal'` when it is over. Idle pages were given back and the reclaimers were asked before that.
   * A memory with a listener or a reclaimer looks once a second, by a timer that keeps no process alive. The function
   * returned takes the listener away.
   *
   * @throws UsageError ERR_MEMLAYER_OPTION for what is not a function.
   */
  onPressure(listener: PressureListener): () => void
  /** What console.log prints of it: `Memory of linux: 1 GiB Reserved, 0 bytes Prepared, 4 MiB Ready`. */
  toString(): string
  /**
   * Gives back idle pages now, the oldest first: `bytes` of them, or all. Returns the bytes that the OS took. See
   * `region.idle`.
   *
   * @throws UsageError ERR_MEMLAYER_OPTION for a wrong option.
   */
  scavenge(request?: ScavengeRequest): number
  /** Every owned range in order of address. Empty without a ledger. */
  ranges(): OwnedRange[]
  /**
   * Proves the account against the ledger: sums, categories, order.
   *
   * @throws FatalError ERR_MEMLAYER_ACCOUNT with the first disagreement.
   */
  check(): void
  /**
   * Tells `observer` of every operation from now on. The function returned ends it.
   *
   * @throws UsageError ERR_MEMLAYER_OPTION for an observer that is not a function, or a wrong option.
   */
  observe(observer: Observer, options?: ObserveOptions): () => void
}
