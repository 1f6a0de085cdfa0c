// A region: one reservation with a name, addressed by offsets, whose views can't dangle. It
// answers to nothing in Go, whose callers hold raw addresses; all it does goes through the
// memory's own operations.
import type { Address } from '@memlayer/kernel'
import { show } from './check.js'
import { UsageError } from './errors.js'
import type { Hold } from './hold.js'
import { checkPolicy, type HugePagePolicy, type HugePageUse } from './huge-pages.js'
import { warnOfLeak, type Trace } from './leak.js'
import type { SysMemStat } from './mem-stat.js'
import type { Memory } from './memory.js'
import { RangeMap } from './range-map.js'
import type { ShareToken, WorkerLike } from './shares.js'
import { countOf, numbers } from './unused-all.js'
import { spanOf, type ViewConstructor } from './views.js'

/** How a region is reserved. */
export interface RegionOptions {
  /** What people call it: in warnings, in the inspector, and as its category. Default `'region'`. */
  readonly name?: string
  /** The category that counts its bytes. Default: `memory.stat(name)`. */
  readonly stat?: SysMemStat
  /** Its first address is a multiple of this power of two. Default: the page size. */
  readonly align?: number
  /** Where it should begin, if that is free. */
  readonly address?: Address
  /** What is asked for as to huge pages. `'on'` also has it begin at one, unless `align` is given. Default `'default'`. */
  readonly hugePages?: HugePagePolicy
}

/** What a region needs of its memory besides its operations. */
export interface RegionHost {
  /** The memory that it is part of. */
  readonly memory: Memory
  /** Maps what is Reserved in the range, and makes all of it Ready. */
  commit(v: Address, n: number, stat: SysMemStat): void
  /** A view that keeps `keeper` alive. */
  view<T extends object>(type: ViewConstructor<T>, v: Address, length: number, keeper: object): T
  /** Copies Ready bytes at `v` into `target`. */
  copyOut(v: Address, target: Uint8Array): void
  /** Copies `source` to Ready bytes at `v`. */
  copyIn(v: Address, source: Uint8Array): void
  /** The policy at `v`. */
  hugePagesAt(v: Address): HugePagePolicy
  /** Sets the policy of a range. */
  setHugePages(v: Address, n: number, policy: HugePagePolicy): void
  /** Huge pages asked for and obtained in a range. */
  hugePageUse(v: Address, n: number): HugePageUse
  /** Throws where a worker or a hold has a part of the range, or somebody has a view's bytes. */
  expectNotHeld(op: string, v: Address, n: number): void
  /** Keeps Ready pages as they are. */
  hold(name: string, v: Address, n: number): Hold
  /** Throws where threads do not share addresses, and for what is no worker whose end is heard of. */
  expectSharing(worker: WorkerLike): void
  /** Offers Ready pages to a worker. */
  share(worker: WorkerLike, name: string, v: Address, n: number): ShareToken
}

const leaks = new FinalizationRegistry<Trace>(warnOfLeak)

/** Tells a region that a part of it, or all of it, has been freed, by whomever. For the memory alone. */
// oxlint-disable-next-line import/no-mutable-exports -- the class sets it once, where its private fields are in reach
export let lose: (region: Region, v: Address, n: number) => void

/**
 * One reservation. Offsets and lengths are bytes from its start, whole pages where pages change
 * state. Declare it with `using`, or call `free()`: a region that is collected without it warns.
 */
export class Region {
  /** Where it begins. */
  readonly address: Address
  /** Its bytes: as asked, or more where the OS happened to answer aligned. */
  readonly size: number
  /** What people call it. */
  readonly name: string
  /** The category that counts it. */
  readonly stat: SysMemStat
  /** The memory that it is part of. */
  readonly memory: Memory
  readonly #host: RegionHost
  readonly #made: string
  // 1 where it has been freed: those addresses may be another region's by now.
  #freed: RangeMap | null = null
  #left: number
  #disposed = false

  static {
    lose = (region, v, n): void => region.#lose(v, n)
  }

  /** Made by `memory.reserve()`. */
  constructor(host: RegionHost, address: Address, size: number, name: string, stat: SysMemStat, made: string) {
    this.#host = host
    this.memory = host.memory
    this.address = address
    this.size = size
    this.name = name
    this.stat = stat
    this.#made = made
    this.#left = size
    leaks.register(this, { name, address, size, made }, this)
  }

  /** Whether it has been freed. */
  get disposed(): boolean {
    return this.#disposed
  }

  /** The stack of the place where it was reserved. */
  get made(): string {
    return this.#made
  }

  /** Reserved to Prepared. See {@link Memory.sysMap}. */
  map(offset: number, length: number): void {
    this.memory.sysMap(this.#at('map', offset, length), length, this.stat)
  }

  /** Prepared to Ready: the pages may be touched. See {@link Memory.sysUsed}. */
  used(offset: number, length: number): void {
    this.memory.sysUsed(this.#at('used', offset, length), length)
  }

  /** Reserved or Prepared to Ready, in one: maps what has to be mapped. What is Ready already stays as it is. */
  commit(offset: number, length: number): void {
    this.#host.commit(this.#at('commit', offset, length), length, this.stat)
  }

  /** Ready to Prepared: views over the pages are detached, and the OS may take them back. See {@link Memory.sysUnused}. */
  unused(offset: number, length: number): void {
    this.memory.sysUnused(this.#at('unused', offset, length), length)
  }

  /** `unused` over many ranges in as few kernel calls as the kernel allows: pairs of offset and length, one after the other. */
  unusedAll(ranges: ArrayLike<number>): void {
    const count = countOf(ranges)
    const absolute = numbers(count)
    for (let i = 0; i < count; i += 2) {
      const length = ranges[i + 1] as number
      absolute[i] = this.#at('unusedAll', ranges[i] as number, length)
      absolute[i + 1] = length
    }
    this.memory.sysUnusedAll(absolute)
  }

  /** No transition: larger pages would serve the range. See {@link Memory.sysHugePage}. */
  hugePage(offset: number, length: number): void {
    this.memory.sysHugePage(this.#at('hugePage', offset, length), length)
  }

  /** No transition: gives Ready pages their memory now, so that no first touch faults. False: this OS can't. See {@link Memory.sysPopulate}. */
  populate(offset: number, length: number): boolean {
    return this.memory.sysPopulate(this.#at('populate', offset, length), length)
  }

  /** What is asked for as to huge pages; setting it advises the OS on what is Ready, and from then on on what becomes so. */
  get hugePages(): HugePagePolicy {
    for (const [v] of this.#owned()) return this.#host.hugePagesAt(v)
    return 'default'
  }

  set hugePages(policy: HugePagePolicy) {
    checkPolicy('hugePages', policy)
    if (this.#disposed) disposed('hugePages', this.name)
    for (const [v, n] of this.#owned()) this.#host.setHugePages(v, n, policy)
  }

  /** Huge pages asked for, and those that the kernel says there are. */
  hugePageUse(): HugePageUse {
    if (this.#disposed) disposed('hugePageUse', this.name)
    let [requested, obtained] = [0, 0]
    for (const [v, n] of this.#owned()) {
      const use = this.#host.hugePageUse(v, n)
      requested += use.requested
      obtained += use.obtained
    }
    return { requested, obtained }
  }

  /** Ready or Prepared to Reserved: touching the pages faults. See {@link Memory.sysFault}. */
  fault(offset: number, length: number): void {
    this.memory.sysFault(this.#at('fault', offset, length), length)
  }

  /**
   * A typed array or DataView over Ready pages, at full speed and without a copy. Before any of the
   * pages leaves Ready it is detached: its length is then 0 and its elements are `undefined`.
   * `length` counts elements, of a DataView bytes.
   *
   * @throws UsageError ERR_MEMLAYER_STATE unless every page it touches is Ready, ERR_MEMLAYER_VIEW
   * for a type or a length that makes no view.
   */
  view<T extends object>(type: ViewConstructor<T>, offset: number, length: number): T {
    return this.#host.view(type, this.#at('view', offset, spanOf(type, length)), length, this)
  }

  /** Copies bytes from `offset` into `target`, all of it. For engines that forbid views, and for short reads. */
  read(offset: number, target: ArrayBufferView): void {
    const bytes = bytesOf('read', target)
    this.#host.copyOut(this.#at('read', offset, bytes.byteLength), bytes)
  }

  /** Copies `source` to `offset`, all of it. */
  write(offset: number, source: ArrayBufferView): void {
    const bytes = bytesOf('write', source)
    this.#host.copyIn(this.#at('write', offset, bytes.byteLength), bytes)
  }

  /**
   * Keeps Ready pages so until what it returns is released. For an asynchronous call that is given a view
   * (`crypto.randomFill`, `fs.read`, `zlib`): it works by address on a thread of the host, where detaching the view does not
   * reach it.
   *
   *     using hold = region.hold(0, n)
   *     await randomFill(region.view(Uint8Array, 0, n))
   *
   * @throws UsageError ERR_MEMLAYER_STATE unless all of it is Ready.
   */
  hold(offset = 0, length: number = this.#rest(offset)): Hold {
    return this.#host.hold(this.name, this.#at('hold', offset, length), length)
  }

  /**
   * Hands Ready pages to a worker: post the token to it, and attach it there with
   * `memory.attach(token)`. While the worker holds them they can't leave Ready. The token is for that
   * worker alone, whose end ends its hold.
   *
   * @throws UsageError ERR_MEMLAYER_STATE unless all of it is Ready, ERR_MEMLAYER_SHARED where
   * threads do not share addresses (js), and for a worker that has ended or whose end nobody is told of.
   */
  share(worker: WorkerLike, offset = 0, length: number = this.#rest(offset)): ShareToken {
    this.#host.expectSharing(worker)
    return this.#host.share(worker, this.name, this.#at('share', offset, length), length)
  }

  /**
   * Any state to None: gives back what is left of it, or a part where the OS frees parts, and detaches
   * the views over it. When nothing is left the region is disposed.
   */
  free(offset?: number, length?: number): void {
    if (offset !== undefined) {
      const n = length === undefined ? this.#rest(offset) : length
      return this.memory.sysFree(this.#at('free', offset, n), n, null)
    }
    if (length !== undefined) outside('free', offset, length, this)
    if (this.#disposed) disposed('free', this.name)
    if (this.#freed === null) return this.memory.sysFree(this.address, this.size, null)
    // All of it can go, or none of it goes.
    for (const [v, n] of this.#owned()) this.#host.expectNotHeld('free', v, n)
    for (const [v, n] of this.#owned()) this.memory.sysFree(v, n, null)
  }

  /** Frees what is left of it. A second time does nothing. */
  [Symbol.dispose](): void {
    if (!this.#disposed) this.free()
  }

  /** The address of an offset, when [offset, offset+length) lies within the region. */
  #at(op: string, offset: number, length: number): Address {
    if (this.#disposed) disposed(op, this.name)
    if (!(
      Number.isSafeInteger(offset) &&
      offset >= 0 &&
      Number.isSafeInteger(length) &&
      length >= 0 &&
      offset + length <= this.size
    )) {
      outside(op, offset, length, this)
    }
    const v = this.address + offset
    if (this.#freed !== null) {
      this.#freed.seek(v)
      if (this.#freed.value !== 0 || this.#freed.end < v + length) partFreed(op, offset, length, this)
    }
    return v
  }

  /** From an offset to the end; NaN for what is none. */
  #rest(offset: number): number {
    return typeof offset === 'number' ? this.size - offset : NaN
  }

  #lose(v: Address, n: number): void {
    const from = Math.max(v, this.address)
    const end = Math.min(v + n, this.address + this.size)
    this.#left -= end - from
    if (this.#left > 0) {
      this.#freed ??= new RangeMap()
      this.#freed.assign(from, end - from, 1)
      return
    }
    this.#disposed = true
    leaks.unregister(this)
  }

  /** What has not been freed, from end to end. Looked for part by part: an observer that hears of one may free others. */
  *#owned(): Generator<[Address, number], void, void> {
    const end = this.address + this.size
    for (let at = this.address; at < end && !this.#disposed;) {
      const freed = this.#freed ?? new RangeMap()
      freed.seek(at)
      const stop = Math.min(freed.end, end)
      if (freed.value === 0) yield [at, stop - at]
      at = stop
    }
  }
}

function disposed(op: string, name: string): never {
  throw new UsageError('ERR_MEMLAYER_DISPOSED', `${op}: the region '${name}' has been freed`, {
    op,
    hint: 'Reserve another with memory.reserve().',
  })
}

function outside(op: string, offset: unknown, length: unknown, region: Region): never {
  const message = `${op}: the range (${show(offset)}, ${show(length)}) does not lie within the region '${region.name}' of ${region.size} bytes`
  throw new UsageError('ERR_MEMLAYER_RANGE', message, {
    op,
    hint:
      op === 'view'
        ? "Pass an offset in bytes, and a length in elements of the view's type, which end within the region."
        : 'Pass an offset and a length in bytes: whole numbers, 0 or more, that end within the region.',
  })
}

function partFreed(op: string, offset: number, length: number, region: Region): never {
  throw new UsageError(
    'ERR_MEMLAYER_DISPOSED',
    `${op}: a part of (${offset}, ${length}) in the region '${region.name}' has been freed`,
    {
      op,
      hint: 'Use the parts that are left, or reserve another region.',
    },
  )
}

function bytesOf(op: string, data: ArrayBufferView): Uint8Array {
  if (!ArrayBuffer.isView(data)) {
    throw new UsageError('ERR_MEMLAYER_VIEW', `${op}: ${show(data)} is no typed array`, {
      op,
      hint: 'Pass a typed array, a Buffer or a DataView: as many bytes are copied as it has.',
    })
  }
  try {
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  } catch {
    throw new UsageError(
      'ERR_MEMLAYER_VIEW',
      `${op}: the bytes of what was passed are gone: its buffer is detached, or has shrunk`,
      {
        op,
        hint: 'Pass one whose bytes are there.',
      },
    )
  }
}
