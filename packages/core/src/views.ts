// Views that cannot dangle. A view is an ArrayBuffer over Ready pages, at full speed; before
// any of its pages leaves Ready the buffer is detached, so that whoever kept it finds length 0
// and reads undefined, where a stale pointer would end the process.
import { detachView, isAligned, isDetached, viewOffset, type Address } from '@memlayer/kernel'
import { show } from './check.js'
import { formatAddress, UsageError } from './errors.js'
import type { OS } from './os.js'
import { RangeIndex, type IndexEntry } from './range-index.js'

/** What a view is made with: a constructor of a typed array, or DataView. */
export type ViewConstructor<T> = {
  new (buffer: ArrayBuffer, byteOffset: number, length: number): T
  readonly name: string
}

/** A view's place. The buffer itself is its user's: when they drop it, it may be collected. */
export interface ViewEntry extends IndexEntry<ViewEntry> {
  /** The buffer, until the job ends that made it; a WeakRef would keep it for as long, and costs as much as the view. */
  fresh: ArrayBuffer | null
  /** From then on. */
  aged: WeakRef<ArrayBuffer> | null
  /** Its place among those of its job. */
  place: number
}

/** The views over one memory. */
export class Views {
  readonly #os: OS
  readonly #index = new RangeIndex<ViewEntry>()
  readonly #collected = new FinalizationRegistry<ViewEntry>((entry) => this.#index.delete(entry))
  // The entries that this job has made. Most are of views that are gone before it ends, and are never aged.
  readonly #fresh: ViewEntry[] = []
  // Whether they will be aged when it ends: once a job, however many are made.
  #willAge = false
  // A view in use keeps its region from being collected, and from being taken for a leak.
  readonly #keepers = new WeakMap<object, object>()
  // A buffer that was found empty: kept, so that it is found so again.
  readonly #pinned = new Set<unknown>()
  // The ranges whose views are being detached, start and end of each: whoever is told of that, as a kernel's hooks are,
  // makes none anew, and changes nothing there.
  readonly #leaving: number[] = []

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
  make<T extends object>(type: ViewConstructor<T>, v: Address, length: number, bytes: number, keeper?: object): T {
    if (bytes === 0) return new type(new ArrayBuffer(0), 0, 0)
    if (this.isLeaving) this.expectStays('view', v, bytes)
    const buffer = this.#os.view(v, bytes)
    // A WebAssembly memory has one buffer for all of its addresses; elsewhere each view has its own.
    const offset = viewOffset(buffer, v, bytes)
    if (offset === 0) Object.setPrototypeOf(buffer, tiedBuffer)
    if (!this.#willAge) {
      this.#willAge = true
      void Promise.resolve().then(this.#age)
    }
    const entry: ViewEntry = {
      start: v,
      end: v + bytes,
      fresh: buffer,
      aged: null,
      place: this.#fresh.length,
      next: null,
      previous: null,
    }
    this.#fresh.push(entry)
    this.#index.add(entry)
    const view = new type(buffer, offset, length)
    if (keeper !== undefined) this.#keepers.set(offset === 0 ? buffer : view, keeper)
    return view
  }

  /** @throws UsageError ERR_MEMLAYER_VIEW when the bytes of a view over a part of [v, v+n) were moved to another buffer. */
  expectNoneMoved(op: string, v: Address, n: number): void {
    if (this.#index.size > 0) this.#here(op, v, n)
  }

  /** Whether there are ranges whose views are being detached. */
  get isLeaving(): boolean {
    return this.#leaving.length > 0
  }

  /** @throws UsageError ERR_MEMLAYER_STATE when views over a part of [v, v+n) are being detached. */
  expectStays(op: string, v: Address, n: number): void {
    const leaving = this.#leaving
    for (let i = 0; i < leaving.length; i += 2) {
      if (v < (leaving[i + 1] as number) && v + n > (leaving[i] as number)) isLeft(op, v, n)
    }
  }

  /**
   * Detaches every view that touches [v, v+n): all, or none.
   *
   * @throws UsageError ERR_MEMLAYER_VIEW as above.
   */
  detach(op: string, v: Address, n: number): void {
    const found = this.#here(op, v, n)
    if (found.length === 0) return
    this.#leaving.push(v, v + n)
    this.#detachEntries(found, 1)
  }

  /**
   * The same for many ranges, pairs of address and size.
   *
   * @throws UsageError ERR_MEMLAYER_VIEW as above.
   */
  detachAll(op: string, pairs: ArrayLike<number>): void {
    const found: ViewEntry[] = []
    for (let i = 0; i < pairs.length; i += 2) {
      const [v, n] = [pairs[i] as Address, pairs[i + 1] as number]
      if (n !== 0) for (const entry of this.#here(op, v, n)) found.push(entry)
    }
    if (found.length === 0) return
    for (let i = 0; i < pairs.length; i += 2)
      this.#leaving.push(pairs[i] as Address, (pairs[i] as Address) + (pairs[i + 1] as number))
    this.#detachEntries(found, pairs.length / 2)
  }

  /** Detaches them, of ranges that are the last `ranges` that leave. Whoever is told may detach others, of other ranges. */
  #detachEntries(entries: readonly ViewEntry[], ranges: number): void {
    const leaving = this.#leaving
    try {
      for (const entry of entries) this.#detachEntry(entry)
    } finally {
      leaving.length -= 2 * ranges
    }
  }

  /** The job that made them has ended: from now on they live for as long as their users keep them. */
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

  #detachEntry(entry: ViewEntry): void {
    const buffer = bufferOf(entry)
    this.#index.delete(entry)
    if (entry.fresh === null) {
      // Nobody has to be told when it is collected; a program that makes views without end would queue for it.
      this.#collected.unregister(entry)
    } else {
      const last = this.#fresh.pop() as ViewEntry
      if (last !== entry) {
        this.#fresh[entry.place] = last
        last.place = entry.place
      }
      entry.fresh = null
    }
    if (buffer === undefined) return
    if (this.#os.detach === undefined) detachView(buffer)
    else if (!isDetached(buffer)) this.#os.detach(buffer)
  }

  /** The views that touch [v, v+n), each with its bytes still its own. */
  #here(op: string, v: Address, n: number): readonly ViewEntry[] {
    const found = this.#index.touching(v, n)
    // Where one buffer serves all ranges, it is detached by growth as well, and nobody can move it.
    if (this.#os.detach === undefined) {
      for (const entry of found) {
        const buffer = bufferOf(entry)
        if (buffer !== undefined && isDetached(buffer)) this.#moved(op, v, n, entry)
      }
    }
    return found
  }

  /** Nobody can detach the buffer that has the bytes now: the pages stay for as long as the process. */
  #moved(op: string, v: Address, n: number, entry: ViewEntry): never {
    this.#pinned.add(bufferOf(entry))
    throw new UsageError(
      'ERR_MEMLAYER_VIEW',
      `${op}(${formatAddress(v)}, ${n}): a view of it was transferred: whoever has its bytes now would read freed memory`,
      {
        op,
        address: v,
        size: n,
        hint: 'These pages stay until the process ends. Post a copy, made with slice(), or the region itself, by region.share(worker).',
      },
    )
  }
}

function bufferOf({ fresh, aged }: ViewEntry): ArrayBuffer | undefined {
  return fresh ?? aged?.deref()
}

function isLeft(op: string, v: Address, n: number): never {
  throw new UsageError(
    'ERR_MEMLAYER_STATE',
    `${op}(${formatAddress(v)}, ${n}): the range is about to be given back, and its views are being detached`,
    {
      op,
      address: v,
      size: n,
      hint: 'Wait until the operation is over that gives it back.',
    },
  )
}

// transfer() would move the bytes into a buffer that nobody knows to detach.
const tiedBuffer: object = Object.create(ArrayBuffer.prototype, {
  transfer: { value: refuseTransfer },
  transferToFixedLength: { value: refuseTransfer },
}) as object

function refuseTransfer(): never {
  throw new UsageError('ERR_MEMLAYER_VIEW', "a view of a region cannot be transferred: its bytes are the region's", {
    hint: 'Copy them with slice(), or hand the region itself to a worker with region.share().',
  })
}

// Bytes of an element, by constructor: of these alone, for a property of that name can be written by anybody.
const elementSizes: ReadonlyMap<unknown, number> = new Map<unknown, number>([
  // It came with Node 24; in place of it stands what has its own number below.
  [(globalThis as { Float16Array?: unknown }).Float16Array ?? DataView, 2],
  ...[
    Int8Array,
    Uint8Array,
    Uint8ClampedArray,
    Int16Array,
    Uint16Array,
    Int32Array,
    Uint32Array,
    Float32Array,
    Float64Array,
  ].map((type): [unknown, number] => [type, type.BYTES_PER_ELEMENT]),
  [BigInt64Array, 8],
  [BigUint64Array, 8],
  [DataView, 1],
])

/**
 * The bytes of `length` elements of `type`, for a check of the range; NaN for what is no length.
 *
 * @throws UsageError ERR_MEMLAYER_VIEW for what is no type.
 */
export function spanOf(type: ViewConstructor<unknown>, length: number): number {
  const element = elementSizes.get(type) ?? noView(type)
  return typeof length === 'number' ? length * element : NaN
}

/**
 * The bytes of `length` elements of `type` at `v`.
 *
 * @throws UsageError ERR_MEMLAYER_VIEW
 */
export function bytesOf(type: ViewConstructor<unknown>, v: Address, length: number): number {
  const element = elementSizes.get(type) ?? noView(type)
  if (typeof length !== 'number' || !Number.isInteger(length) || length < 0) {
    throw new UsageError('ERR_MEMLAYER_VIEW', `view: the length is ${show(length)}`, {
      hint: 'Pass a number of elements.',
    })
  }
  const bytes = length * element
  if (!isAligned(v, element)) {
    throw new UsageError('ERR_MEMLAYER_VIEW', `view: a ${type.name} cannot begin at ${formatAddress(v)}`, {
      address: v,
      hint: `Its elements lie at multiples of ${element} bytes; use a DataView or a Uint8Array to read what lies elsewhere.`,
    })
  }
  return bytes
}

function noView(type: unknown): never {
  throw new UsageError('ERR_MEMLAYER_VIEW', `view: ${show(type)} is no typed array`, {
    hint: 'Pass Uint8Array, Float64Array, BigInt64Array, … or DataView. For a Buffer: Buffer.from(view.buffer, view.byteOffset, view.byteLength).',
  })
}
