// A heap that several threads have: what people hold. Each thread has one of these over the same pages. What all of
// them must know lies in the pages: see layout.ts. It answers to mallocgc in Go's runtime/malloc.go, where each P has
// spans of its own.
import {
  formatBytes,
  OutOfMemoryError,
  type Memory,
  type Region,
  type SharedRegion,
  type ShareToken,
  UsageError,
  type WorkerLike,
} from '@memlayer/core'
import {
  broken,
  destroyed,
  freeAlready,
  inUse,
  notAnObject,
  notCreator,
  tooManyThreads,
  expectAlignment,
  expectSize,
} from '../misuse.js'
import { classFor, classOf, isSmall, pageBytes, pagesForOne, smallMax, unitBytes } from '../size-classes.js'
import { TypedArrays } from '../typed-arrays.js'
import { noViews, viewsOver, type Views } from '../views.js'
import type { Layout } from './layout.js'
import { Objects } from './objects.js'
import type { Slots } from './slots.js'
import type { SharedSpans } from './spans.js'
import { audit, surveyOf, type SharedHeapStats } from './survey.js'
import { leaveByItself, leaveWhenDropped, Thread } from './thread.js'
import { Watch } from './watch.js'

/** What is posted to a worker: `worker.postMessage(heap.share(worker))`. */
export interface HeapToken {
  /** What it is. */
  readonly memlayer: 'heap'
  /** The place among the threads of the heap that the worker will have. */
  readonly slot: number
  /** The pages. */
  readonly share: ShareToken
}

/** What a thread's heap is made of. */
export interface SharedParts {
  readonly memory: Memory
  /** Of the thread that created it, its region. */
  readonly region: Region | null
  /** Of the others, their share of it. */
  readonly share: SharedRegion | null
  /** The words in front of the objects. */
  readonly words: Int32Array
  /** The bytes of all objects. */
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly layout: Layout
  readonly slots: Slots
  /** The slot of this thread. */
  readonly slot: number
}

/** A heap that several threads have, in one of them. Made by `createHeap` and {@link attachHeap}. */
export class SharedHeap extends TypedArrays {
  readonly #parts: SharedParts
  readonly #thread: Thread
  readonly #spans: SharedSpans
  #objects: Objects
  readonly #watch: Watch
  #words: Int32Array
  #views: Views
  #isDestroyed = false

  /** @internal */
  constructor(parts: SharedParts) {
    super()
    const { words, bytes, layout, slots, slot, share } = parts
    this.#parts = parts
    this.#words = words
    this.#views = viewsOver(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#thread = new Thread(words, layout, slots, slot)
    this.#spans = this.#thread.spans
    this.#objects = this.#thread.objects
    if (share !== null) leaveWhenDropped(this, this.#thread)
    this.#watch = new Watch(slots, () => this.#thread.sweep())
  }

  /** What people call it. */
  get name(): string {
    return (this.#parts.region ?? this.#parts.share)?.name ?? 'heap'
  }

  /** The memory of this thread that it is part of. */
  get memory(): Memory {
    return this.#parts.memory
  }

  /** The most bytes that objects may have, with 8 KiB in front of the first one. */
  get maximum(): number {
    return this.#parts.layout.pages * pageBytes
  }

  /** Whether this thread created it. */
  get isCreator(): boolean {
    return this.#parts.region !== null
  }

  /**
   * An object of `bytes` bytes, which hold anything. Returns its handle: `handle * 8` is where it begins in `u8`. It is
   * never 0, and begins at a multiple of 8 bytes. In every thread that has the heap it means the same object.
   *
   * @throws UsageError ERR_MEMLAYER_SIZE for what is not a size. OutOfMemoryError when the heap is full; nothing has
   * changed then.
   */
  alloc(bytes: number): number {
    if (isSmall(bytes)) {
      const handle = this.#allocSmall(bytes)
      if (handle > 0) return handle
    }
    return this.#allocOther('alloc', bytes, 1)
  }

  #allocSmall(bytes: number): number {
    try {
      return this.#spans.alloc(classOf(bytes))
    } catch (error) {
      return this.#failed('alloc', error)
    }
  }

  /** An object whose bytes are 0. See {@link SharedHeap.alloc}. */
  allocZeroed(bytes: number): number {
    const handle = this.#allocOther('allocZeroed', bytes, 1)
    const at = handle * unitBytes
    this.u8.fill(0, at, at + this.#objects.sizeOf(handle))
    return handle
  }

  /**
   * An object that begins at a multiple of `align` bytes, a power of two up to 8192. See {@link SharedHeap.alloc}.
   *
   * @throws UsageError ERR_MEMLAYER_ALIGNMENT for another alignment.
   */
  allocAligned(bytes: number, align: number): number {
    expectAlignment('allocAligned', this.name, align)
    return this.#allocOther('allocAligned', bytes, align)
  }

  #allocOther(op: string, bytes: number, align: number): number {
    if (this.#isGone) destroyed(op, this.name)
    expectSize(op, this.name, bytes, this.maximum)
    return this.#find(op, bytes, align) || this.#full(op, bytes)
  }

  /** A place for an object, wherever the heap has one; 0: it is full. */
  #find(op: string, bytes: number, align: number): number {
    try {
      const handle = this.#take(bytes, align)
      if (handle > 0) return handle
      // Threads that have ended may have left room, and spans of others may be empty.
      this.#thread.sweep()
      this.#spans.gather()
      return this.#take(bytes, align) || this.#takeLast(bytes, align)
    } catch (error) {
      return this.#failed(op, error)
    }
  }

  /** A place for a small object where no span of its class can be made: in a span of another thread, or whole pages. */
  #takeLast(bytes: number, align: number): number {
    if (bytes > smallMax) return 0
    const sizeClass = classFor(bytes, align)
    this.#spans.takeRoomy(sizeClass)
    const handle = this.#spans.alloc(sizeClass)
    const pages = pagesForOne(sizeClass, this.#parts.layout.pages)
    return handle > 0 || pages === 0 ? handle : this.#spans.allocLarge(pages)
  }

  /** A place for an object; 0: there is none. */
  #take(bytes: number, align: number): number {
    if (bytes > smallMax) return this.#spans.allocLarge(Math.ceil(bytes / pageBytes))
    return this.#spans.alloc(classFor(bytes, align))
  }

  #full(op: string, size: number): never {
    const { used } = this.stats()
    throw new OutOfMemoryError(
      `${op}: the heap '${this.name}' has no room for ${formatBytes(size)}, ` +
        `with ${formatBytes(used)} of ${formatBytes(this.maximum)} in use`,
      { op, size, region: this.name, hint: 'Free objects, or create the heap with a larger `maximum`.' },
    )
  }

  /**
   * Frees an object, whichever thread has allocated it. Its bytes may go to another one at once.
   *
   * @throws UsageError ERR_MEMLAYER_STATE when it is free already, ERR_MEMLAYER_NOT_OWNED when no object begins at the
   * handle. Nothing has happened then.
   */
  free(handle: number): void {
    if (!this.#freed(handle)) this.#wrong('free', handle)
  }

  #freed(handle: number): boolean {
    try {
      return this.#spans.free(handle)
    } catch (error) {
      return this.#failed('free', error)
    }
  }

  /**
   * Gives an object another size. Its bytes stay, as many as fit. Use the handle that is returned, because the old one
   * may be free. No other thread may use the object meanwhile. An object that gets smaller stays where it is when the
   * heap is full.
   *
   * @throws UsageError as `alloc` and `free` do. OutOfMemoryError for a larger size; the object is then as it was.
   */
  realloc(handle: number, bytes: number): number {
    const before = this.#objects.sizeOf(handle)
    if (before === 0) this.#wrong('realloc', handle)
    expectSize('realloc', this.name, bytes, this.maximum)
    if (staysAt(before, bytes)) return handle
    const moved = this.#find('realloc', bytes, 1)
    if (moved === 0) return bytes <= before ? handle : this.#full('realloc', bytes)
    const from = handle * unitBytes
    this.u8.copyWithin(moved * unitBytes, from, from + Math.min(before, this.#objects.sizeOf(moved)))
    if (this.#freed(handle)) return moved
    this.free(moved)
    return this.#wrong('realloc', handle)
  }

  /**
   * The bytes that an object has: as many as were asked for, or up to an eighth more.
   *
   * @throws UsageError as `free` does.
   */
  size(handle: number): number {
    return this.#objects.sizeOf(handle) || this.#wrong('size', handle)
  }

  /** Whether an object that is in use begins at `handle`. */
  has(handle: number): boolean {
    return this.#objects.sizeOf(handle) > 0
  }

  /**
   * The bytes of an object, as an array. It does not end when the object is freed.
   *
   * @throws UsageError as `free` does.
   */
  view(handle: number): Uint8Array<ArrayBuffer> {
    const bytes = this.#objects.sizeOf(handle) || this.#wrong('view', handle)
    const at = handle * unitBytes
    return this.u8.subarray(at, at + bytes)
  }

  /** @internal */
  arraysFor(op: string): Views {
    if (this.#isGone) destroyed(op, this.name)
    return this.#views
  }

  /**
   * Gives the heap to a worker. Post what is returned to that worker, which passes it to {@link attachHeap}. Only the
   * thread that created the heap can share it.
   *
   * @throws UsageError ERR_MEMLAYER_SHARED for an unusable worker, in another thread, and when as many threads as it
   * was created for have it.
   */
  share(worker: WorkerLike): HeapToken {
    if (this.#isGone) destroyed('share', this.name)
    const { region, slots, layout } = this.#parts
    if (region === null) notCreator(this.name)
    const slot = this.#thread.offer() || tooManyThreads(this.name, layout.slots - 1)
    try {
      const share = region.share(worker)
      this.#watch.add(worker, slot)
      return { memlayer: 'heap', slot, share }
    } catch (error) {
      void slots.withdraw(slot)
      throw error
    }
  }

  /** What it has, in all threads: by class, and together. It looks at every page. */
  stats(): SharedHeapStats {
    return surveyOf(this.#words, this.#parts.layout, this.#parts.slots)
  }

  /**
   * Looks whether the words of all pages fit together. Other threads may go on.
   *
   * @throws FatalError when the heap is broken.
   */
  check(): void {
    if (this.#isGone) destroyed('check', this.name)
    audit(this.#words, this.#parts.layout, this.#parts.slots, this.name)
  }

  /**
   * Ends it for this thread: its typed arrays end. Over memory of the engine, those that were kept stay. In the thread
   * that created it, gives all back. In another one, its objects stay, and other threads take over its spans.
   *
   * @throws UsageError ERR_MEMLAYER_SHARED in the thread that created it, while another one has it. Nothing has
   * happened then.
   */
  destroy(): void {
    const { region, share } = this.#parts
    if (region?.disposed === false) freeRegion(region)
    if (!this.#isGone && share !== null) this.#thread.leave()
    this.#isDestroyed = true
    leaveByItself(this)
    this.#watch.end()
    this.#spans.clear()
    this.#views = noViews
    this.#words = new Int32Array(0)
    this.#objects = new Objects(this.#words, this.#parts.layout)
    if (share?.released === false) share.release()
  }

  /** `destroy()`, at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.destroy()
  }

  /** What console.log prints. */
  override toString(): string {
    if (this.#isGone) return `Heap '${this.name}': destroyed`
    const { used, threads } = this.stats()
    const owners = threads === 1 ? '1 thread' : `${threads} threads`
    return `Heap '${this.name}' of ${owners}: ${formatBytes(used)} of ${formatBytes(this.maximum)} in use`
  }

  /** Whether its pages are not there any more. A program can find its region and free it. */
  get #isGone(): boolean {
    const { region, share } = this.#parts
    return this.#isDestroyed || this.#words.length === 0 || (region?.disposed ?? share?.released) === true
  }

  /** @throws for a step that the engine refused: the pages are not there, or a program has written to the words. */
  #failed(op: string, error: unknown): never {
    if (this.#isGone) destroyed(op, this.name)
    if (error instanceof RangeError) broken(op, this.name, error)
    throw error
  }

  #wrong(op: string, handle: number): never {
    if (this.#isGone) destroyed(op, this.name)
    if (this.#objects.isFree(handle)) freeAlready(op, this.name, handle, '')
    notAnObject(op, this.name, handle)
  }
}

/** @throws UsageError ERR_MEMLAYER_SHARED while a worker has the heap. */
function freeRegion(region: Region): void {
  try {
    region.free()
  } catch (error) {
    if (error instanceof UsageError && error.code === 'ERR_MEMLAYER_SHARED') inUse(region.name, error)
    throw error
  }
}

/** Whether an object of `before` bytes has room for `bytes`, and not too much. */
function staysAt(before: number, bytes: number): boolean {
  if (before > smallMax || bytes > smallMax)
    return bytes > smallMax && Math.ceil(bytes / pageBytes) * pageBytes === before
  return classOf(Math.max(bytes, 1)) === classOf(before)
}
