// Views that can't dangle. A view is an ArrayBuffer over Ready pages, at full speed. Before any of its pages leaves
// Ready the buffer is detached: code that kept it finds length 0 and reads undefined, where a stale pointer would
// end the process. A view is known until its buffer is detached, wherever a script ends.
//
// A buffer costs more than the views on it: an object of the engine's own, a weak reference, a call when it was
// collected. So small views share the buffer of the page that they lie in, or of the two pages. No view ends sooner for
// it, because pages leave Ready as a whole.
import { detachView, isDetached, viewOffset, type Address } from '@memlayer/kernel'
import { ownValue, UsageError } from '../errors.js'
import { now } from '../holding.js'
import type { OS } from '../os.js'
import { isOver, wrongBuffer } from './reclaim.js'
import { RangeIndex, type Found, type IndexEntry } from './range-index.js'
import { madeAnew, notDetachable, wasMoved } from './view-misuse.js'
import { viewOver, type ViewConstructor } from './view-types.js'

/** A view's place. Its user owns the buffer: when the user drops it, it may be collected. */
export interface ViewEntry extends IndexEntry<ViewEntry> {
  /**
   * The buffer, until the job that made it ends. A WeakRef would keep the buffer alive as long, and costs as much as
   * the view.
   */
  fresh: ArrayBuffer | null
  /** The buffer, after that job. */
  aged: WeakRef<ArrayBuffer> | null
  /** Its neighbours among the views of its job, which has not ended. */
  younger: ViewEntry | null
  older: ViewEntry | null
  /** Which pages' small views share the buffer; -1: it is one view's own. */
  readonly pages: number
  /** Whether the buffer keeps a region alive. Only that of small views can get it later. */
  hasKeeper: boolean
  /** Whether the layer is detaching the buffer. One that is detached without it was moved by other code. */
  isEnding: boolean
}

/** A view that was found moved. */
export interface Pinned {
  readonly start: Address
  readonly end: Address
  /** When it was found, by `now()`. */
  readonly since: number
}

// What a view keeps alive: its region, which is then not taken for a leak, or its share. The map is outside of what it
// keeps: an edge that is stored in the object at its end keeps nothing.
const keepers = /* @__PURE__ */ new WeakMap<object, object>()

/** Where a buffer's prototype has the memory that the buffer keeps alive. */
const KEPT: unique symbol = Symbol('kept')

/** Views that were made while others were detached are ended so often. */
const roundsMax = 100

/** What makes buffers over pages. */
type Below = Pick<OS, 'traits' | 'view' | 'detach'>

/** The views over one memory. */
export class Views {
  readonly #os: Below
  /** Whether views are windows on a buffer that the engine keeps. They never end, so none is entered. */
  readonly #areWindows: boolean
  readonly #index = new RangeIndex<ViewEntry>()
  readonly #collected = new FinalizationRegistry<ViewEntry>((entry) => this.#forget(entry))
  /** Views of at most so many bytes share a buffer: a page's. 0: one buffer serves all ranges. */
  readonly #sharedMax: number
  /** The buffers that small views share, by their pages. */
  readonly #shared = new Map<number, ViewEntry>()
  // The last entry that this job has made, which leads to the others. Most views are gone before it ends.
  #youngest: ViewEntry | null = null
  // Whether a microtask will age them: one a job, however many views the job makes.
  #willAge = false
  /** The prototype of this memory's buffers. */
  readonly #prototype = Object.create(untransferable) as { [KEPT]?: object }
  // Buffers that were found moved. They are kept, so that the next operation finds them moved as well.
  readonly #pinned = new Map<ArrayBuffer, Pinned>()

  constructor(os: Below) {
    this.#os = os
    this.#areWindows = os.traits.ends === 'zeroed'
    this.#sharedMax = os.detach === undefined && !this.#areWindows ? os.traits.pageSize : 0
  }

  /** Every view keeps `memory` alive from now on. It costs a view nothing: the edge is its buffer's prototype's. */
  keepAlive(memory: object): void {
    this.#prototype[KEPT] = memory
  }

  /** The number of buffers that may still be in use. */
  get count(): number {
    return this.#index.size
  }

  /** Their bytes. */
  get bytes(): number {
    return this.#index.bytes
  }

  /**
   * A view over `length` elements at `v`: `bytes` bytes, all of them Ready. `keeper` lives as long as the view.
   * `isOwn`: its buffer has no other view, and no other bytes.
   */
  make<T extends ArrayBufferView>(
    type: ViewConstructor<T>,
    v: Address,
    length: number,
    bytes: number,
    keeper: object | null,
    isOwn = false,
  ): T {
    if (bytes <= this.#sharedMax && bytes > 0 && !isOwn) return this.#makeSmall(type, v, length, bytes, keeper)
    if (bytes === 0) return viewOver(type, new ArrayBuffer(0), 0, 0)
    const buffer = this.#bufferOver(v, bytes)
    // A WebAssembly memory has one buffer for all of its addresses.
    const offset = viewOffset(buffer, v, bytes)
    const isOwnBuffer = offset === 0 && !this.#areWindows
    if (isOwnBuffer) Object.setPrototypeOf(buffer, this.#prototype)
    // No other code has run since the pages were proved Ready. From here on, an operation on them ends the view.
    if (!this.#areWindows) this.#enter(v, bytes, buffer, -1)
    const view = viewOver(type, buffer, offset, length)
    if (keeper !== null) keepers.set(isOwnBuffer ? buffer : view, keeper)
    else if (!isOwnBuffer) keepers.set(view, this.#prototype)
    // It comes last: a hook may hear of its promise, and end the view.
    if (!this.#willAge && !this.#areWindows) this.#age()
    return view
  }

  /** A view on the buffer of the page, or the two pages, that it lies in. */
  #makeSmall<T extends ArrayBufferView>(
    type: ViewConstructor<T>,
    v: Address,
    length: number,
    bytes: number,
    keeper: object | null,
  ): T {
    const page = this.#sharedMax
    const first = Math.floor(v / page)
    const offset = v - first * page
    const pages = offset + bytes > page ? 2 * first + 1 : 2 * first
    let entry = this.#shared.get(pages)
    let buffer = entry === undefined || entry.isEnding ? undefined : bufferOf(entry)
    if (entry === undefined || buffer === undefined || isDetached(buffer)) {
      buffer = this.#bufferOver(first * page, offset + bytes > page ? 2 * page : page)
      Object.setPrototypeOf(buffer, this.#prototype)
      entry = this.#enter(first * page, buffer.byteLength, buffer, pages)
      this.#shared.set(pages, entry)
    }
    if (keeper !== null && !entry.hasKeeper) {
      keepers.set(buffer, keeper)
      entry.hasKeeper = true
    }
    const view = viewOver(type, buffer, offset, length)
    if (entry.fresh !== null && !this.#willAge) this.#age()
    return view
  }

  /** The buffer of the OS. @throws UsageError ERR_MEMLAYER_VIEW when the engine can't make one so long. */
  #bufferOver(v: Address, bytes: number): ArrayBuffer {
    try {
      return this.#os.view(v, bytes)
    } catch (cause) {
      // By its name: an engine for foreign calls has the classes of another realm under some test runners.
      const { name, message: why } = (cause ?? {}) as { name?: unknown; message?: unknown }
      if (name !== 'RangeError') throw cause
      const message = `view: the engine makes no view of ${bytes} bytes: ${String(why)}`
      const hint = 'Make several views, each of a part.'
      throw new UsageError('ERR_MEMLAYER_VIEW', message, { op: 'view', address: v, size: bytes, hint, cause })
    }
  }

  #enter(v: Address, bytes: number, buffer: ArrayBuffer, pages: number): ViewEntry {
    const older = this.#youngest
    const entry: ViewEntry = {
      start: v,
      end: v + bytes,
      next: null,
      previous: null,
      isIn: false,
      fresh: buffer,
      aged: null,
      younger: null,
      older,
      pages,
      hasKeeper: false,
      isEnding: false,
    }
    if (older !== null) older.younger = entry
    this.#youngest = entry
    this.#index.add(entry)
    return entry
  }

  /** Its buffer is detached, or was collected. */
  #forget(entry: ViewEntry): void {
    const { pages } = entry
    if (pages !== -1 && this.#shared.get(pages) === entry) this.#shared.delete(pages)
    this.#index.delete(entry)
  }

  /**
   * Returns the views that touch [v, v+n), when none of them was moved.
   *
   * @throws UsageError ERR_MEMLAYER_VIEW when the bytes of one were moved to another buffer.
   */
  expectUnmoved(op: string, v: Address, n: number): Found<ViewEntry> | null {
    const found = this.#index.touching(v, n)
    // Where one buffer serves all ranges, growth detaches it as well, and it can't be moved.
    if (this.#os.detach !== undefined) return found
    for (let at = found; at !== null; at = at.next) {
      const buffer = bufferOf(at.entry)
      if (buffer !== undefined && isMoved(at.entry, buffer)) this.#moved(op, v, n, at.entry, buffer)
    }
    return found
  }

  /**
   * Ends the views that touch [v, v+n). Code that runs during it may make others: they end as well.
   *
   * @throws UsageError ERR_MEMLAYER_VIEW when one was moved, or can't be detached.
   */
  end(op: string, v: Address, n: number): void {
    for (let round = 0; this.count > 0; round++) {
      const found = this.expectUnmoved(op, v, n)
      if (found === null) return
      if (round === roundsMax) madeAnew(op, v, n)
      for (let at: Found<ViewEntry> | null = found; at !== null; at = at.next) this.#endOne(op, at.entry)
    }
  }

  /**
   * Ends one view of [v, v+n). Where one buffer serves all ranges, it stays.
   *
   * @throws UsageError ERR_MEMLAYER_VIEW when it was moved, or can't be detached.
   */
  endOne(op: string, v: Address, n: number, buffer: ArrayBufferLike): void {
    if (n === 0 || this.#os.detach !== undefined) return
    for (let at = this.#index.touching(v, n); at !== null; at = at.next) {
      if (bufferOf(at.entry) !== buffer) continue
      if (isMoved(at.entry, buffer)) this.#moved(op, v, n, at.entry, buffer)
      this.#endOne(op, at.entry)
    }
  }

  #pin(buffer: ArrayBuffer, { start, end }: ViewEntry): void {
    if (!this.#pinned.has(buffer)) this.#pinned.set(buffer, { start, end, since: now() })
  }

  /** The views that were found moved. */
  pinned(): Iterable<Pinned> {
    return this.#pinned.values()
  }

  /**
   * Ends the moved view of [v, v+n) whose bytes `moved` has now.
   *
   * @throws UsageError ERR_MEMLAYER_VIEW when there is none, or `moved` can't be detached.
   */
  reclaim(v: Address, n: number, moved: ArrayBuffer): void {
    for (let at = this.#index.touching(v, n); at !== null; at = at.next) {
      const { entry } = at
      const buffer = bufferOf(entry)
      const isLike = entry.start >= v && entry.end <= v + n && entry.end - entry.start === moved.byteLength
      if (!isLike || buffer === undefined || !isMoved(entry, buffer) || !isOver(this.#os, entry.start, moved)) continue
      try {
        detachView(moved)
      } catch (cause) {
        notDetachable('reclaim', entry, cause)
      }
      entry.isEnding = true
      this.#endOne('reclaim', entry)
      this.#pinned.delete(buffer)
      return
    }
    wrongBuffer('no view of the region was moved to this buffer')
  }

  /** The views of this job will age when it ends. */
  #age(): void {
    void this.#ageLater()
    this.#willAge = true
  }

  /** Waits as the engine itself does: a promise's `then` would look at what any code can change. */
  async #ageLater(): Promise<void> {
    await (undefined as unknown)
    this.#ageNow()
  }

  /** The job that made them has ended. From now on they live for as long as their users keep them. */
  #ageNow(): void {
    this.#willAge = false
    for (let entry = this.#youngest; entry !== null; entry = entry.older) {
      const { fresh: buffer } = entry
      // A script ended in this loop before.
      if (buffer === null) continue
      // Readers of streams move a view in the job that made it. The next operation on its pages says so.
      if (this.#os.detach === undefined && isMoved(entry, buffer)) this.#pin(buffer, entry)
      this.#collected.register(buffer, entry, entry)
      entry.aged = new WeakRef(buffer)
      entry.fresh = null
    }
    this.#forgetAged()
  }

  /** Lets go of the entries that have aged: each keeps its neighbours. */
  #forgetAged(): void {
    for (let entry = this.#youngest; entry !== null;) {
      const { older } = entry
      entry.younger = entry.older = null
      entry = this.#youngest = older
    }
  }

  /** A view is known until it is detached: if that throws, the next operation finds the view again. */
  #endOne(op: string, entry: ViewEntry): void {
    const buffer = bufferOf(entry)
    if (buffer !== undefined) this.#detach(op, entry, buffer)
    this.#forget(entry)
    if (entry.fresh === null) {
      // Without this, a program that makes views without end would queue a call for each.
      this.#collected.unregister(entry)
      return
    }
    const { younger, older } = entry
    if (younger !== null) younger.older = older
    else if (this.#youngest === entry) this.#youngest = older
    if (older !== null) older.younger = younger
    entry.fresh = null
    entry.younger = entry.older = null
  }

  #detach(op: string, entry: ViewEntry, buffer: ArrayBuffer): void {
    const { detach } = this.#os
    // A script may have ended after the detaching, or a buffer of all ranges was detached for another view.
    if ((detach !== undefined || entry.isEnding) && isDetached(buffer)) return
    entry.isEnding = true
    try {
      if (detach === undefined) detachView(buffer)
      else detach.call(this.#os, buffer)
    } catch (cause) {
      // At the end of the stack the buffer may be detached already. The next operation looks again.
      if (!(cause instanceof RangeError)) entry.isEnding = false
      notDetachable(op, entry, cause)
    }
  }

  /** The layer can't detach the buffer that has the bytes now, so the pages stay as long as the process. */
  #moved(op: string, v: Address, n: number, entry: ViewEntry, buffer: ArrayBuffer): never {
    this.#pin(buffer, entry)
    wasMoved(op, v, n)
  }
}

/** Whether other code has moved the bytes to another buffer. */
function isMoved({ isEnding }: ViewEntry, buffer: ArrayBuffer): boolean {
  return isDetached(buffer) && !isEnding
}

function bufferOf({ fresh, aged }: ViewEntry): ArrayBuffer | undefined {
  return fresh ?? aged?.deref()
}

// transfer() would move the bytes into a buffer that the layer can't detach.
const untransferable: object = /* @__PURE__ */ withoutTransfer()

function withoutTransfer(): object {
  return Object.create(ArrayBuffer.prototype, {
    transfer: ownValue(refuseTransfer),
    transferToFixedLength: ownValue(refuseTransfer),
  }) as object

  function refuseTransfer(): never {
    const message = 'cannot transfer a view of a region, because the region owns its bytes'
    const hint = 'Post a copy made with slice(), or share the region with region.share(worker).'
    throw new UsageError('ERR_MEMLAYER_VIEW', message, { hint })
  }
}
