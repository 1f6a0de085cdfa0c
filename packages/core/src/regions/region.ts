// A region: one reservation with a name, addressed by offsets, whose views can't dangle. It answers to nothing in Go,
// whose callers hold raw addresses. It turns offsets into addresses on the way down, and the errors that come up into
// offsets.
import { byteLengthOf, type Address } from '@memlayer/kernel'
import type { SysMemStat } from '../account/mem-stat.js'
import type { Hold } from '../borrows/hold.js'
import { lend, lendAll, type Lender } from '../borrows/lend.js'
import type { ShareToken } from '../borrows/share-token.js'
import { elementSize, type ViewConstructor, type ViewOf } from '../borrows/view-types.js'
import type { WorkerLike } from '../borrows/worker.js'
import { countOf, roomFor } from '../calls/pairs.js'
import type { RegionCalls } from '../calls/region-calls.js'
import { watch } from '../claims/leak.js'
import type { RegionRecord } from '../claims/region-record.js'
import { addHint, inWordsOf } from '../errors.js'
import {
  readFile,
  writeFile,
  type FileOptions,
  type FilePages,
  type ReadableFile,
  type WritableFile,
} from '../io/files.js'
import { readFrom, type ReadFromOptions, type Target } from '../io/read-from.js'
import type { ByteSource } from '../io/sources.js'
import {
  readableOf,
  streamOf,
  type NodeReadable,
  type Origin,
  type StreamOptions,
  type WebReadable,
} from '../io/streams.js'
import { now, type Holding, type Maker } from '../holding.js'
import { checkPolicy, type HugePagePolicy, type HugePageUse } from '../mappings/huge-pages.js'
import type { Memory } from '../memory.js'
import { formatBytes, named, shortPlaceOf, show } from '../text.js'
import { lenderOf } from './lender.js'
import { bytesOf, disposed, outside, partFreed } from './region-misuse.js'
import { Windows } from './windows.js'

/** How a region is reserved. */
export interface RegionOptions {
  /** What people call it: in warnings, in the inspector, and as its category. Default `'region'`. */
  readonly name?: string | undefined
  /** The category that counts its bytes. Default: `memory.stat(name)`. */
  readonly stat?: SysMemStat | undefined
  /** Its first address is a multiple of this power of two. Default: the page size. */
  readonly align?: number | undefined
  /** Where it should begin, if that place is free. */
  readonly address?: Address | undefined
  /** What it asks for as to huge pages. With `'on'` it begins at one, unless `align` is given. Default `'default'`. */
  readonly hugePages?: HugePagePolicy | undefined
}

/**
 * A reserved range of addresses with a name. Offsets and lengths are bytes from its start, and whole pages where pages
 * change state. Both default to the whole region. Declare it with `using`, or call `free()`: a region that is collected
 * without it warns.
 */
export class Region {
  readonly #calls: RegionCalls
  readonly #record: RegionRecord
  readonly #stat: SysMemStat
  readonly #memory: Memory
  readonly #windows = new Windows()

  /** @internal */
  constructor(calls: RegionCalls, memory: Memory, record: RegionRecord, stat: SysMemStat) {
    this.#calls = calls
    this.#record = record
    this.#stat = stat
    this.#memory = memory
    if (!record.isDisposed) watch(this, record)
  }

  /** Its number. No other region of its memory has or had it, but another may get its address once it is freed. */
  get id(): number {
    return this.#record.id
  }

  /** Where it begins. */
  get address(): Address {
    return this.#record.address
  }

  /** Its bytes: as asked, or more where the OS happened to answer aligned. */
  get size(): number {
    return this.#record.size
  }

  /** What people call it. */
  get name(): string {
    return this.#record.name
  }

  /** The category that counts it. */
  get stat(): SysMemStat {
    return this.#stat
  }

  /** The memory that it is part of. */
  get memory(): Memory {
    return this.#memory
  }

  /** Whether all of it was freed. */
  get disposed(): boolean {
    this.#calls.settle()
    return this.#record.isDisposed
  }

  /** The stack of the place where it was reserved. */
  get made(): string {
    return this.#record.made
  }

  /** Reserved to Prepared. See {@link Memory.sysMap}. */
  map(offset = 0, length: number = this.#rest(offset)): void {
    this.#call('map', offset, length, (v) => this.#calls.ops.sysMap(v, length, this.stat))
  }

  /** Prepared to Ready: the pages may be touched. See {@link Memory.sysUsed}. */
  used(offset = 0, length: number = this.#rest(offset)): void {
    const v = this.#at('used', offset, length)
    try {
      this.#calls.ops.sysUsed(v, length)
    } catch (error) {
      throw this.#told(error, 'used', offset, length)
    }
  }

  /** Reserved or Prepared to Ready, in one: maps what has to be mapped. Ready pages stay as they are. */
  commit(offset = 0, length: number = this.#rest(offset)): void {
    const v = this.#at('commit', offset, length)
    try {
      this.#calls.commit(v, length, this.stat)
    } catch (error) {
      throw this.#told(error, 'commit', offset, length)
    }
  }

  /**
   * Ready to Prepared: detaches the views over the pages, and lets the OS take the pages back. See
   * {@link Memory.sysUnused}.
   */
  unused(offset = 0, length: number = this.#rest(offset)): void {
    const v = this.#at('unused', offset, length)
    try {
      this.#calls.ops.sysUnused(v, length)
    } catch (error) {
      throw this.#told(error, 'unused', offset, length)
    }
  }

  /**
   * `unused` at once, also in a memory whose `unused` is `idle`.
   *
   * @internal
   */
  unusedNow(offset: number, length: number): void {
    this.#call('unused', offset, length, (v) => this.#calls.ops.sysUnused(v, length, true))
  }

  /**
   * Ready to Prepared, as `unused`, but the pages keep their memory for a while. Used again soon, they cost no kernel
   * call and no page fault. What stays idle is given back in the background, or by {@link Memory.scavenge}. The
   * contents are forfeit: used again, a page has its old bytes or zeroes.
   *
   * @throws UsageError ERR_MEMLAYER_STATE unless all of it is Ready.
   */
  idle(offset = 0, length: number = this.#rest(offset)): void {
    const v = this.#at('idle', offset, length)
    try {
      this.#calls.ops.idle(v, length)
    } catch (error) {
      throw this.#told(error, 'idle', offset, length)
    }
  }

  /**
   * `unused` over many ranges in as few kernel calls as the kernel allows: pairs of offset and length, one after the
   * other.
   */
  unusedAll(ranges: ArrayLike<number>): void {
    const count = countOf('unusedAll', ranges)
    const absolute = roomFor('unusedAll', count)
    // A list can have getters, whose code may do anything. So all of it is read before any of it is looked at.
    const given: unknown[] = []
    for (let i = 0; i < count; i++) given.push(ranges[i])
    for (let i = 0; i < count; i += 2) {
      const length = given[i + 1] as number
      absolute[i] = this.#at('unusedAll', given[i] as number, length)
      absolute[i + 1] = length
    }
    try {
      this.#calls.ops.sysUnusedAll(absolute)
    } catch (error) {
      throw inWordsOf(error, {
        op: 'unusedAll',
        given: `${count / 2} ranges`,
        on: `the region '${this.name}'`,
        region: this.name,
      })
    }
  }

  /**
   * No transition: the bytes read zero, and whole pages among them give their memory back to the OS. They stay Ready,
   * and views over them stay as they are. A page has memory again at its next touch. Offset and length need not be
   * whole pages: other bytes are written. An OS that can't take memory from under a view (Windows, js) writes all.
   *
   * @throws UsageError ERR_MEMLAYER_STATE unless all of it is Ready, ERR_MEMLAYER_SHARED while a worker or a hold has a
   * part of it. OutOfMemoryError when the process has no kernel mapping to spare for it. Nothing has changed then.
   */
  zero(offset = 0, length: number = this.#rest(offset)): void {
    this.#call('zero', offset, length, (v) => this.#calls.zero(v, length))
  }

  /** No transition: larger pages would serve the range. See {@link Memory.sysHugePage}. */
  hugePage(offset = 0, length: number = this.#rest(offset)): void {
    this.#call('hugePage', offset, length, (v) => this.#calls.ops.sysHugePage(v, length))
  }

  /**
   * No transition: gives Ready pages their memory now, so that no first touch faults. False: this OS can't. See
   * {@link Memory.sysPopulate}.
   */
  populate(offset = 0, length: number = this.#rest(offset)): boolean {
    return this.#call('populate', offset, length, (v) => this.#calls.ops.sysPopulate(v, length))
  }

  /**
   * What it asks for as to huge pages. Setting it advises the OS on the pages that are Ready, and later on those that
   * become Ready.
   */
  get hugePages(): HugePagePolicy {
    for (const [v] of this.#record.owned()) return this.#calls.hugePagesAt(v)
    return 'default'
  }

  set hugePages(policy: HugePagePolicy) {
    checkPolicy('hugePages', policy)
    this.#expectOwned('hugePages')
    for (const [v, n] of this.#record.owned()) this.#calls.setHugePages(v, n, policy)
  }

  /** Huge pages that it asks for, and those that the kernel says it has. */
  hugePageUse(): HugePageUse {
    this.#expectOwned('hugePageUse')
    let [requested, obtained] = [0, 0]
    for (const [v, n] of this.#record.owned()) {
      const use = this.#calls.hugePageUse(v, n)
      requested += use.requested
      obtained += use.obtained
    }
    return { requested, obtained }
  }

  /** Ready or Prepared to Reserved: touching the pages faults. See {@link Memory.sysFault}. */
  fault(offset = 0, length: number = this.#rest(offset)): void {
    this.#call('fault', offset, length, (v) => this.#calls.ops.sysFault(v, length))
  }

  /**
   * A typed array, DataView or Buffer over Ready pages, at full speed and without a copy. It is detached before any of
   * the pages leaves Ready: its length is then 0 and its elements are `undefined`. `length` counts elements, of a
   * DataView bytes. Default: as many as fit up to the region's end. A view of at most a page shares its `buffer` with
   * other views of the page: use it with `byteOffset` and `byteLength`.
   *
   * @throws UsageError ERR_MEMLAYER_STATE unless every page it touches is Ready, ERR_MEMLAYER_VIEW for a type or a
   * length that makes no view.
   */
  view<T extends ArrayBufferView>(type: ViewConstructor<T>, offset = 0, length?: number): ViewOf<T> {
    const element = elementSize('view', type)
    const count = length === undefined ? Math.floor(this.#rest(offset) / element) : length
    const v = this.#at('view', offset, typeof count === 'number' ? count * element : NaN)
    try {
      return this.#calls.view(type, element, v, count, this)
    } catch (error) {
      if (length === undefined) addHint(error, 'Without a length, a view goes to the end of the region.')
      throw this.#told(error, 'view', offset, count)
    }
  }

  /**
   * A view as {@link Region.view} makes it, on one buffer that the region keeps over all Ready pages around it. A
   * window that the buffer covers costs no new buffer, which the garbage collector would count in full. So it is for a
   * large range that is viewed again and again. The price: all windows on a buffer end when any page under it leaves
   * Ready, also a page that the window does not touch. `zero` and `commit` end none. Use its `buffer` with
   * `byteOffset` and `byteLength`, because it is longer.
   *
   * @throws UsageError as `view` does.
   */
  window<T extends ArrayBufferView>(type: ViewConstructor<T>, offset = 0, length?: number): ViewOf<T> {
    const element = elementSize('window', type)
    const count = length === undefined ? Math.floor(this.#rest(offset) / element) : length
    const v = this.#at('window', offset, typeof count === 'number' ? count * element : NaN)
    try {
      return this.#windows.view(this.#calls, this, type, element, v, count)
    } catch (error) {
      throw this.#told(error, 'window', offset, count)
    }
  }

  /** Copies bytes from `offset` into `target`, all of it. For engines that forbid views, and for short reads. */
  read(offset: number, target: ArrayBufferView): void {
    const bytes = bytesOf('read', target)
    this.#call('read', offset, byteLengthOf(bytes), (v) => this.#calls.copyOut(v, bytes))
  }

  /** Copies `source` to `offset`, all of it. */
  write(offset: number, source: ArrayBufferView): void {
    const bytes = bytesOf('write', source)
    this.#call('write', offset, byteLengthOf(bytes), (v) => this.#calls.copyIn(v, bytes))
  }

  /**
   * Keeps Ready pages so until what it returns is released. Take one for an asynchronous call that is given a view
   * (`crypto.randomFill`, `fs.read`, `zlib`): such a call works by address on a thread of the host, where detaching
   * the view does not reach it.
   *
   *     using hold = region.hold(0, n)
   *     await randomFill(region.view(Uint8Array, 0, n))
   *
   * @throws UsageError ERR_MEMLAYER_STATE unless all of it is Ready.
   */
  hold(offset = 0, length: number = this.#rest(offset)): Hold {
    return this.#hold('hold', offset, length)
  }

  #hold(op: Holding['kind'], offset: number, length: number): Hold {
    return this.#call(op, offset, length, (v) => this.#calls.hold(this.#maker(op, offset), v, length))
  }

  /**
   * Hold, view and release in one: calls `use` with a view over Ready pages, which stay Ready until what it returns has
   * settled. Then the view is detached, whatever `use` did. Arguments and the view are those of {@link Region.view}.
   *
   * Rejects with what `use` throws. Else with UsageError ERR_MEMLAYER_VIEW when the view's bytes were transferred, as
   * by a BYOB reader, or when a buffer that was adopted was.
   *
   * @throws UsageError ERR_MEMLAYER_STATE unless all of it is Ready, ERR_MEMLAYER_VIEW as `view` does.
   */
  lend<T extends ArrayBufferView, R>(
    type: ViewConstructor<T>,
    offset: number,
    length: number | undefined,
    use: (view: ViewOf<T>) => R | PromiseLike<R>,
  ): Promise<R> {
    return lend(this.lender('lend'), type, offset, length, use)
  }

  /** `lend` over several ranges at once: pairs of offset in bytes and length in elements, one after the other. */
  lendAll<T extends ArrayBufferView, R>(
    type: ViewConstructor<T>,
    ranges: ArrayLike<number>,
    use: (views: ViewOf<T>[]) => R | PromiseLike<R>,
  ): Promise<R> {
    return lendAll(this.lender('lendAll'), type, ranges, use)
  }

  /**
   * Lends views in the name of the method `op`. `isHeld`: the caller holds the pages.
   *
   * @internal
   */
  lender(op: Holding['kind'], isHeld = false): Lender {
    return lenderOf(this.#calls, this, op, {
      record: this.#record,
      at: (offset, length) => this.#at(op, offset, length),
      told: (error, offset, length) => this.#told(error, op, offset, length),
      maker: isHeld ? null : (offset) => this.#maker(op, offset),
    })
  }

  /**
   * Copies the bytes of a source to `offset`, until the source ends, and returns their number. The pages are held
   * meanwhile. A stream of bytes is read into a buffer of this call's own, never into a view.
   *
   * @throws TransferError ERR_MEMLAYER_TRANSFER when the source fails, has too many bytes, or the signal aborts: the
   * region has the first `bytes` of them. UsageError ERR_MEMLAYER_OPTION for what is not a source, or is locked.
   */
  readFrom(source: ByteSource, offset = 0, options: ReadFromOptions = {}): Promise<number> {
    return readFrom(this.#bytes('readFrom'), source, offset, options)
  }

  /**
   * The bytes as a ReadableStream of type `'bytes'`: `new Response(region.stream())`. Its chunks are copies, which the
   * consumer may keep. The pages are held until the last copy is made, or the stream is cancelled.
   *
   * @throws UsageError ERR_MEMLAYER_STATE unless all of it is Ready.
   */
  stream(offset = 0, length: number = this.#rest(offset), options: StreamOptions = {}): WebReadable {
    return streamOf(this.#bytes('stream'), offset, length, options)
  }

  /** The bytes as a Readable of Node. See `stream`: until the last copy, or until it is destroyed. */
  toReadable(offset = 0, length: number = this.#rest(offset), options: StreamOptions = {}): NodeReadable {
    return readableOf(this.#bytes('toReadable'), offset, length, options)
  }

  /**
   * Reads `length` bytes at `position` of a file straight into the pages, by several calls at once. Returns the number
   * of bytes, which is less where the file ends before. `file` is a FileHandle of `node:fs/promises`.
   *
   * @throws TransferError ERR_MEMLAYER_TRANSFER when the file fails or the signal aborts: the first `bytes` are there.
   * UsageError ERR_MEMLAYER_OPTION, or ERR_MEMLAYER_ALIGNMENT for parts of blocks where `direct` is given.
   */
  readFile(
    file: ReadableFile,
    position = 0,
    offset = 0,
    length: number = this.#rest(offset),
    options: FileOptions = {},
  ): Promise<number> {
    return readFile(this.#bytes('readFile'), file, position, offset, length, options)
  }

  /** Writes the bytes at `position` of a file, as `readFile` reads them. Returns their number. */
  writeFile(
    file: WritableFile,
    position = 0,
    offset = 0,
    length: number = this.#rest(offset),
    options: FileOptions = {},
  ): Promise<number> {
    return writeFile(this.#bytes('writeFile'), file, position, offset, length, options)
  }

  /**
   * Takes back the pages of a view whose buffer was transferred, as by a BYOB reader or `postMessage`: `moved` is the
   * buffer that has the bytes now, or a view of it. It is detached, and the pages can leave Ready again.
   *
   * @throws UsageError ERR_MEMLAYER_VIEW for any other buffer, and while a call works on its bytes. ERR_MEMLAYER_SHARED
   * while a worker or a hold has pages of the region.
   */
  reclaim(moved: ArrayBufferLike | ArrayBufferView): void {
    this.#at('reclaim', 0, 0)
    try {
      this.#calls.reclaim(this.address, this.size, moved)
    } catch (error) {
      throw this.#told(error, 'reclaim', 0, this.size)
    }
  }

  /** Its bytes, for a transfer by the method `op`. */
  #bytes(op: Holding['kind']): Target & Origin & FilePages {
    return {
      name: this.name,
      size: this.size,
      lender: this.lender(op, true),
      viewsLast: this.#calls.ops.os.detach === undefined,
      hold: (offset, length) => {
        const hold = this.#hold(op, offset, length)
        return () => hold.release()
      },
      expectThere: () => this.#expectOwned(op),
      read: (offset, target) => this.#call(op, offset, byteLengthOf(target), (v) => this.#calls.copyOut(v, target)),
      write: (offset, bytes) => this.#call(op, offset, byteLengthOf(bytes), (v) => this.#calls.copyIn(v, bytes)),
    }
  }

  /**
   * Hands Ready pages to a worker: post the token to it, and attach it there with `memory.attach(token)`. While the
   * worker has them they can't leave Ready. The token is for that worker alone, and ends with it.
   *
   * @throws UsageError ERR_MEMLAYER_STATE unless all of it is Ready. ERR_MEMLAYER_SHARED where threads share no
   * memory (js), and for a worker that has ended or does not tell of its end.
   */
  share(worker: WorkerLike, offset = 0, length: number = this.#rest(offset)): ShareToken {
    try {
      // The worker's code may do anything, so it is asked first.
      const given = this.#calls.givenTo(worker)
      return this.#calls.share(given, this.#maker('share', offset), this.#at('share', offset, length), length)
    } catch (error) {
      throw this.#told(error, 'share', offset, length)
    }
  }

  /**
   * Any state to None: gives back what is left of it, or a part where the OS frees parts, and detaches the views over
   * it. When nothing is left the region is disposed.
   */
  free(offset?: number, length?: number): void {
    if (offset !== undefined) return this.#freePart('free', offset, length === undefined ? this.#rest(offset) : length)
    if (length !== undefined) outside('free', offset, length, this)
    this.freeAll('free')
  }

  /**
   * Frees what is left of it, by its method `op`.
   *
   * @internal
   */
  freeAll(op: string): void {
    this.#expectOwned(op)
    if (!this.#record.isPartFreed) return this.#freePart(op, 0, this.size)
    try {
      this.#calls.freeParts(this.#record)
    } catch (error) {
      throw this.#told(error, op, 0, this.size)
    }
  }

  /** Frees what is left of it. A second time does nothing. */
  [Symbol.dispose](): void {
    if (!this.disposed) this.free()
  }

  /** What console.log prints: `Region 'cache': 1 GiB at 0x7f0000000000, 4 MiB of it Ready`. */
  toString(): string {
    if (this.disposed) return `Region '${this.name}': freed`
    const ready = this.#calls.readyIn(this.address, this.size)
    return `${named('Region', this)}, ${formatBytes(ready)} of it Ready`
  }

  /** Who makes a hold by the method `kind`. */
  #maker(kind: Holding['kind'], offset: number): Maker {
    return { kind, region: this.name, offset, made: shortPlaceOf(this[kind as 'hold']), since: now() }
  }

  #freePart(op: string, offset: number, length: number): void {
    this.#call(op, offset, length, (v) => this.#calls.ops.sysFree(v, length, null))
  }

  /** @throws UsageError ERR_MEMLAYER_DISPOSED when nothing is left of it, or its buffer has lost its pages. */
  #expectOwned(op: string): void {
    this.#calls.settle()
    if (this.#record.isThere !== null) this.#calls.expectThere(op, this.#record)
    if (this.#record.isDisposed) disposed(op, this.#record)
  }

  /** A call on a range of it, whose errors are in this region's words. What is called often stands without it. */
  #call<R>(op: string, offset: number, length: number, call: (v: Address) => R): R {
    const v = this.#at(op, offset, length)
    try {
      return call(v)
    } catch (error) {
      throw this.#told(error, op, offset, length)
    }
  }

  /** The address of an offset, when [offset, offset+length) lies within the region. */
  #at(op: string, offset: number, length: number): Address {
    this.#expectOwned(op)
    const isRange = Number.isSafeInteger(offset) && offset >= 0 && Number.isSafeInteger(length) && length >= 0
    if (!(isRange && offset + length <= this.size)) outside(op, offset, length, this)
    const v = this.address + offset
    if (!this.#record.has(v, length)) partFreed(op, offset, length, this)
    return v
  }

  /** From an offset to the end; NaN for a value that is not a number. */
  #rest(offset: number): number {
    return typeof offset === 'number' ? this.size - offset : NaN
  }

  /** An error of a call below, in the words of this region's method. */
  #told(error: unknown, op: string, offset: number, length: number): unknown {
    const given = `${show(offset)}, ${show(length)}`
    return inWordsOf(error, { op, given, offset, on: `the region '${this.name}'`, region: this.name })
  }
}
