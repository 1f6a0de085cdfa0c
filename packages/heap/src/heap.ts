// A heap: what people hold. Its objects are handles, which are small whole numbers, and its bytes are typed arrays.
// It answers to mallocgc in Go's runtime/malloc.go, without a garbage collector.
import { formatBytes, OutOfMemoryError, type Memory, type Region } from '@memlayer/core'
import { Checker, type CheckOptions, type Leak } from './checker.js'
import {
  destroyed,
  freeAlready,
  notAnObject,
  notOpen,
  notShared,
  expectAlignment,
  expectSize,
  tooDeep,
} from './misuse.js'
import { PageHeap } from './page-heap.js'
import { Room } from './room.js'
import { classFor, classOf, isSmall, pageBytes, smallMax, unitBytes } from './size-classes.js'
import { levelsMax, Spans } from './spans.js'
import { statsOf, type HeapStats } from './stats.js'
import { TypedArrays } from './typed-arrays.js'
import type { Views } from './views.js'

/** Small objects and large ones in one reservation. Made by `createHeap`. */
export class Heap extends TypedArrays {
  readonly #memory: Memory
  readonly #room: Room
  readonly #pages: PageHeap
  readonly #spans: Spans
  readonly #checker: Checker | null
  readonly #end: () => void
  #isDestroyed = false

  /** @internal */
  constructor(memory: Memory, room: Room, check: CheckOptions | null) {
    super()
    const { name } = room.region
    this.#memory = memory
    this.#room = room
    this.#pages = new PageHeap(room, name, () => this.#spans.dropKept())
    this.#spans = new Spans(this.#pages, Math.floor(room.size / pageBytes))
    this.#checker = check === null ? null : new Checker(room, this.#spans, check)
    this.#end = memory.reclaimer({ name }, ({ want }) => (this.#isDestroyed ? 0 : this.scavenge(want)))
  }

  /** What people call it. */
  get name(): string {
    return this.#room.region.name
  }

  /** The memory that it is part of. */
  get memory(): Memory {
    return this.#memory
  }

  /** The region below. Change no state there. */
  get region(): Region {
    return this.#room.region
  }

  /** The most bytes it may have. The first 8 KiB serve no object, because no handle is 0. */
  get maximum(): number {
    return this.#room.size
  }

  /** Whether the typed arrays last until `destroy`. False: read them from the heap again after an allocation. */
  get viewsLast(): boolean {
    return this.#room.isWhole && this.#memory.os.onDetach === undefined
  }

  /**
   * An object of `bytes` bytes, which hold anything. Returns its handle: `handle * 8` is where it begins in `u8`. It is
   * never 0, and begins at a multiple of 8 bytes. `size(handle)` may be more than was asked for.
   *
   * @throws UsageError ERR_MEMLAYER_SIZE for what is not a size. OutOfMemoryError when the heap is full or the OS
   * refuses; nothing has changed then.
   */
  alloc(bytes: number): number {
    if (this.#checker === null && isSmall(bytes)) return this.#spans.alloc(classOf(bytes))
    return this.#allocOther('alloc', bytes, 1)
  }

  /** An object whose bytes are 0. See {@link Heap.alloc}. */
  allocZeroed(bytes: number): number {
    const isPlain = this.#checker === null && isSmall(bytes)
    const handle = isPlain ? this.#spans.alloc(classOf(bytes)) : this.#allocOther('allocZeroed', bytes, 1)
    const at = handle * unitBytes
    this.u8.fill(0, at, at + this.#sizeOf(handle))
    return handle
  }

  /**
   * An object that begins at a multiple of `align` bytes, a power of two up to 8192. See {@link Heap.alloc}.
   *
   * @throws UsageError ERR_MEMLAYER_ALIGNMENT for another alignment.
   */
  allocAligned(bytes: number, align: number): number {
    expectAlignment('allocAligned', this.name, align)
    return this.#allocOther('allocAligned', bytes, align)
  }

  #allocOther(op: 'alloc' | 'allocZeroed' | 'allocAligned', bytes: number, align: number): number {
    if (this.#isDestroyed) destroyed(op, this.name)
    expectSize(op, this.name, bytes, this.maximum)
    return this.#checker === null ? this.#take(bytes, align) : this.#allocChecked(this.#checker, op, bytes, align)
  }

  #allocChecked(checker: Checker, op: 'alloc' | 'allocZeroed' | 'allocAligned', bytes: number, align: number): number {
    return checker.alloc(bytes, () => this.#take(Checker.room(bytes), align), this[op])
  }

  /** A place for an object. */
  #take(bytes: number, align: number): number {
    if (bytes > smallMax) return this.#spans.allocLarge(Math.ceil(bytes / pageBytes))
    // A span begins at a page, so objects whose size is a multiple of the alignment are aligned.
    return this.#spans.alloc(classFor(bytes, align))
  }

  /** The bytes of an object; -1: none that is in use begins at `handle`. */
  #sizeOf(handle: number): number {
    return this.#checker === null ? this.#spans.sizeOf(handle) || -1 : this.#checker.sizeOf(handle)
  }

  /**
   * Frees an object. Its bytes may go to another one at once.
   *
   * @throws UsageError ERR_MEMLAYER_STATE when it is free already, ERR_MEMLAYER_NOT_OWNED when no object begins at the
   * handle. Nothing has happened then.
   */
  free(handle: number): void {
    const checker = this.#checker
    if (!(checker === null ? this.#spans.free(handle) : checker.free(handle, this.free))) this.#wrong('free', handle)
  }

  /**
   * Gives an object another size. Its bytes stay, as many as fit. It stays where it is if it can: use the handle that
   * is returned, because the old one may be free. Of an object that was allocated between a mark and its release, the
   * new place belongs to that mark as well. An object that gets smaller stays where it is when the heap is full.
   *
   * @throws UsageError as `alloc` and `free` do. OutOfMemoryError for a larger size; the object is then as it was.
   */
  realloc(handle: number, bytes: number): number {
    const before = this.#sizeOf(handle)
    if (before < 0) this.#wrong('realloc', handle)
    expectSize('realloc', this.name, bytes, this.maximum)
    if (this.#staysAt(handle, before, bytes)) return handle
    const moved = this.#moveTo(handle, before, bytes)
    if (moved === handle) return handle
    const from = handle * unitBytes
    // An observer that heard of the allocation may have freed the object.
    if (this.#sizeOf(handle) !== before) {
      this.free(moved)
      this.#wrong('realloc', handle)
    }
    this.u8.copyWithin(moved * unitBytes, from, from + Math.min(before, this.#sizeOf(moved)))
    this.free(handle)
    return moved
  }

  /** A place of another size for an object. The heap may be full: then one that gets smaller keeps its place. */
  #moveTo(handle: number, before: number, bytes: number): number {
    try {
      return this.#allocBeside(handle, bytes)
    } catch (error) {
      if (bytes > before || !(error instanceof OutOfMemoryError)) throw error
    }
    if (this.#sizeOf(handle) !== before) this.#wrong('realloc', handle)
    if (this.#checker === null) void this.#spans.resizeLarge(handle, Math.ceil(Math.max(bytes, 1) / pageBytes))
    else this.#checker.shorten(handle, bytes)
    return handle
  }

  /** An object that belongs to the same mark as the one at `handle`. */
  #allocBeside(handle: number, bytes: number): number {
    this.#spans.enterArenaOf(handle)
    try {
      return this.alloc(bytes)
    } finally {
      this.#spans.leaveArena()
    }
  }

  #staysAt(handle: number, before: number, bytes: number): boolean {
    // A checked object always moves, so that its old handle is found out.
    if (this.#checker !== null) return false
    const isLarge = before > smallMax
    if (isLarge) return bytes > smallMax && this.#spans.resizeLarge(handle, Math.ceil(bytes / pageBytes))
    return bytes <= smallMax && classOf(Math.max(bytes, 1)) === classOf(before)
  }

  /**
   * The bytes that an object has: as many as were asked for, or up to an eighth more. Checked, just as many.
   *
   * @throws UsageError as `free` does.
   */
  size(handle: number): number {
    const bytes = this.#sizeOf(handle)
    if (bytes < 0) this.#wrong('size', handle)
    return bytes
  }

  /** Whether an object that is in use begins at `handle`. */
  has(handle: number): boolean {
    return this.#sizeOf(handle) >= 0
  }

  /**
   * The bytes of an object, as an array. It is made anew each time; the arrays over the whole heap are not. It does not
   * end when the object is freed.
   *
   * @throws UsageError as `free` does.
   */
  view(handle: number): Uint8Array<ArrayBuffer> {
    const bytes = this.#sizeOf(handle)
    if (bytes < 0) this.#wrong('view', handle)
    const at = handle * unitBytes
    return this.u8.subarray(at, at + bytes)
  }

  /** @internal */
  arraysFor(op: string): Views {
    const { views } = this.#room
    return views.u8.length > 0 ? views : this.#renew(op)
  }

  #renew(op: string): Views {
    if (this.#isDestroyed) destroyed(op, this.name)
    return this.#room.renew()
  }

  /**
   * Opens an arena: what is allocated from now on is freed at once by {@link Heap.release}. Each object can still be
   * freed by itself. Marks nest, up to 127.
   *
   * @throws UsageError ERR_MEMLAYER_STATE when too many are open.
   */
  mark(): number {
    if (this.#isDestroyed) destroyed('mark', this.name)
    if (this.#spans.depth === levelsMax) tooDeep(this.name, levelsMax)
    return this.#spans.mark()
  }

  /**
   * Frees all that was allocated since `mark`, and ends it. Marks that were made after it end as well.
   *
   * @throws UsageError ERR_MEMLAYER_STATE when it is not open.
   */
  release(mark: number): void {
    this.#checker?.expectSound('release')
    if (!this.#spans.release(mark)) notOpen(this.name, mark)
    this.#checker?.forgetReleased()
  }

  /**
   * Bytes that `scavenge` can give back now: pages without an object, and whole pages of the kernel without one inside
   * of spans. It looks at every span.
   */
  compactable(): number {
    let bytes = this.#pages.retained
    this.#holes((from, end) => {
      bytes += this.#room.wholePages(from, end)
      return true
    })
    return bytes
  }

  /**
   * Gives the memory of pages without objects back to the OS, `bytes` or more. Default: all. Then holes inside of spans
   * go, as far as they are whole pages of the kernel. Objects and views stay as they are. Returns the bytes that the OS
   * was given. A hole counts each time, because the heap does not know whether it was touched since.
   */
  scavenge(bytes: number = Infinity): number {
    if (this.#isDestroyed) destroyed('scavenge', this.name)
    this.#checker?.flush()
    this.#spans.dropEmpty()
    let given = this.#pages.scavenge(bytes)
    this.#holes((from, end) => {
      if (given < bytes) given += this.#room.giveBack(from, end)
      return given < bytes
    })
    return given
  }

  /** Calls `visit` with runs of bytes inside of spans that no object has, until it returns false. */
  #holes(visit: (from: number, end: number) => boolean): void {
    const { pageSize } = this.#memory.os.traits
    let isWanted = true
    for (const { page, pages, sizeClass, objects, free } of this.#spans.table.all(this.#pages.end)) {
      // The free objects of a span and what it leaves over are at most so many bytes.
      if (free === 0 || (free * pages * pageBytes) / objects < pageSize) continue
      this.#spans.table.holes(page, sizeClass, (from, end) => {
        isWanted &&= visit(from, end)
      })
      if (!isWanted) return
    }
  }

  /** What it has: by class, and together. It looks at every span. */
  stats(): HeapStats {
    return statsOf(this.#room, this.#pages, this.#spans, this.#checker?.waiting)
  }

  /**
   * Of a checked heap: objects in use, by the place that allocated them, those with the most bytes first. At the end of
   * a program's work, these are what it did not free. Empty without `check`.
   */
  leaks(): Leak[] {
    return this.#checker?.leaks() ?? []
  }

  /**
   * Holds the counts of all spans against their bitmaps. Of a checked heap, also looks for writes past the end of every
   * object, and after its free.
   *
   * @throws UsageError ERR_MEMLAYER_STATE for what a program has overwritten. FatalError when the heap is broken.
   */
  check(): void {
    if (this.#isDestroyed) destroyed('check', this.name)
    this.#spans.table.audit(this.#pages.end, this.name)
    this.#checker?.expectSound('check')
  }

  /** @internal It belongs to one thread. */
  share(_worker: unknown): never {
    notShared(this.name)
  }

  /** Gives all back. Its typed arrays end. */
  destroy(): void {
    if (this.#isDestroyed) return
    this.#isDestroyed = true
    this.#end()
    this.#spans.clear()
    this.#checker?.forgetReleased()
    this.#pages.close()
    this.#room.free()
  }

  /** `destroy()`, at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.destroy()
  }

  /** What console.log prints. */
  override toString(): string {
    if (this.#isDestroyed) return `Heap '${this.name}': destroyed`
    const used = formatBytes(this.#pages.used * pageBytes)
    return `Heap '${this.name}': ${used} of ${formatBytes(this.maximum)} in use`
  }

  #wrong(op: string, handle: number): never {
    if (this.#isDestroyed) destroyed(op, this.name)
    const freed = this.#checker?.freedAt(handle) ?? null
    if (freed !== null || this.#spans.isFree(handle)) freeAlready(op, this.name, handle, freed ?? '')
    notAnObject(op, this.name, handle)
  }
}
