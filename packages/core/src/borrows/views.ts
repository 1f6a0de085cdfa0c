// Views that can't dangle. A view is an ArrayBuffer over Ready pages, at full speed. Before any of its pages leaves
// Ready the buffer is detached: code that kept it finds length 0 and reads undefined, where a stale pointer would
// end the process.
import { detachView, isDetached, viewOffset, type Address } from '@memlayer/kernel'
import { ownValue, UsageError } from '../errors.js'
import type { OS } from '../os.js'
import { formatAddress } from '../text.js'
import { RangeIndex, type IndexEntry } from './range-index.js'
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
  /** Its place among the views of its job. */
  place: number
}

// What a view keeps alive: its region, which is then not taken for a leak, or its share. The map is outside of what it
// keeps: an edge that is stored in the object at its end keeps nothing.
const keepers = new WeakMap<object, object>()

/** The views over one memory. */
export class Views {
  readonly #os: OS
  readonly #index = new RangeIndex<ViewEntry>()
  readonly #collected = new FinalizationRegistry<ViewEntry>((entry) => this.#index.delete(entry))
  // The entries that this job has made. Most views are gone before it ends, and never age.
  readonly #fresh: ViewEntry[] = []
  // Whether a microtask will age them: one a job, however many views the job makes.
  #willAge = false
  // Buffers that were found moved. They are kept, so that the next operation finds them moved as well.
  readonly #pinned = new Set<unknown>()

  constructor(os: OS) {
    this.#os = os
  }

  /** The number of buffers that may still be in use. */
  get count(): number {
    return this.#index.size
  }

  /** Their bytes. */
  get bytes(): number {
    return this.#index.bytes
  }

  /** A view over `length` elements at `v`: `bytes` bytes, all of them Ready. `keeper` lives as long as the view. */
  make<T extends ArrayBufferView>(
    type: ViewConstructor<T>,
    v: Address,
    length: number,
    bytes: number,
    keeper: object | null,
  ): T {
    if (bytes === 0) return viewOver(type, new ArrayBuffer(0), 0, 0)
    const buffer = this.#os.view(v, bytes)
    // A WebAssembly memory has one buffer for all of its addresses. Elsewhere each view has its own.
    const offset = viewOffset(buffer, v, bytes)
    if (offset === 0) Object.setPrototypeOf(buffer, untransferable)
    if (!this.#willAge) {
      this.#willAge = true
      void Promise.resolve().then(this.#age)
    }
    const place = this.#fresh.length
    const entry: ViewEntry = { start: v, end: v + bytes, next: null, previous: null, fresh: buffer, aged: null, place }
    this.#fresh.push(entry)
    this.#index.add(entry)
    const view = viewOver(type, buffer, offset, length)
    if (keeper !== null) keepers.set(offset === 0 ? buffer : view, keeper)
    return view
  }

  /**
   * The views that touch [v, v+n). Each still has its bytes.
   *
   * @throws UsageError ERR_MEMLAYER_VIEW when the bytes of one were moved to another buffer.
   */
  expectUnmoved(op: string, v: Address, n: number): readonly ViewEntry[] {
    const found = this.#index.touching(v, n)
    // Where one buffer serves all ranges, growth detaches it as well, and it can't be moved.
    if (this.#os.detach !== undefined) return found
    for (const entry of found) {
      const buffer = bufferOf(entry)
      if (buffer !== undefined && isDetached(buffer)) this.#moved(op, v, n, buffer)
    }
    return found
  }

  /** Detaches views. Code that runs during it may detach others. */
  detach(entries: readonly ViewEntry[]): void {
    for (const entry of entries) this.#detachOne(entry)
  }

  /** The job that made them has ended. From now on they live for as long as their users keep them. */
  readonly #age = (): void => {
    this.#willAge = false
    for (const entry of this.#fresh) {
      const buffer = entry.fresh as ArrayBuffer
      entry.aged = new WeakRef(buffer)
      entry.fresh = null
      this.#collected.register(buffer, entry, entry)
    }
    this.#fresh.length = 0
  }

  /** A view is known until it is detached: if that throws, the next operation finds the view again. */
  #detachOne(entry: ViewEntry): void {
    const buffer = bufferOf(entry)
    if (buffer !== undefined) {
      if (this.#os.detach === undefined) detachView(buffer)
      else if (!isDetached(buffer)) this.#os.detach(buffer)
    }
    this.#index.delete(entry)
    if (entry.fresh === null) {
      // Without this, a program that makes views without end would queue a call for each.
      this.#collected.unregister(entry)
    } else {
      const last = this.#fresh.pop() as ViewEntry
      if (last !== entry) {
        this.#fresh[entry.place] = last
        last.place = entry.place
      }
      entry.fresh = null
    }
  }

  /** The layer can't detach the buffer that has the bytes now, so the pages stay as long as the process. */
  #moved(op: string, v: Address, n: number, buffer: ArrayBuffer): never {
    this.#pinned.add(buffer)
    const message =
      `${op}(${formatAddress(v)}, ${n}): a view of this range was transferred, ` +
      `and the layer can't detach the buffer that has the bytes now`
    const hint =
      'Post a copy made with slice(), or share the region with region.share(worker). ' +
      'These pages stay until the process ends.'
    throw new UsageError('ERR_MEMLAYER_VIEW', message, { op, address: v, size: n, hint })
  }
}

function bufferOf({ fresh, aged }: ViewEntry): ArrayBuffer | undefined {
  return fresh ?? aged?.deref()
}

// transfer() would move the bytes into a buffer that the layer can't detach.
const untransferable: object = Object.create(ArrayBuffer.prototype, {
  transfer: ownValue(refuseTransfer),
  transferToFixedLength: ownValue(refuseTransfer),
}) as object

function refuseTransfer(): never {
  const message = 'cannot transfer a view of a region, because the region owns its bytes'
  const hint = 'Post a copy made with slice(), or share the region with region.share(worker).'
  throw new UsageError('ERR_MEMLAYER_VIEW', message, { hint })
}
