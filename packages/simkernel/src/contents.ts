// The bytes of a simulated address space. A page that was never written has no storage, so a terabyte costs
// nothing. Written bytes are in a frame, or in the view that covers them. Addresses are counted from an origin, so
// that they are exact to the byte.
import { SimulationError } from './errors.js'
import { Ranges } from './ranges.js'
import { equal, holdsAny, partOf, Views, type View } from './views.js'

const LOST = 1

/** Bytes by address. The caller knows whether a page may be touched. */
export class Contents {
  readonly #pageSize: number
  // Pages that hold a nonzero byte, or once did. The frame of a page under a view is stale.
  readonly #frames = new Map<number, Uint8Array>()
  // Bytes of views that were detached without notice, and so are lost.
  readonly #lost = new Ranges()
  // Pages that views wrote and left when they ended. The next `takeKept` returns them.
  readonly #kept = new Set<number>()
  readonly #views: Views = new Views(
    (view) => this.#keep(view),
    (view) => this.#lost.assign(view.start, view.end, LOST),
  )

  constructor(pageSize: number) {
    this.#pageSize = pageSize
  }

  /** Brings overlapping views together. Callers call it before anything else. */
  agree(): void {
    this.#views.agree()
  }

  /** The bytes at `v`. Returns the same ArrayBuffer as long as the view of this range lives. */
  view(v: number, n: number): ArrayBuffer {
    if (n === 0) return new ArrayBuffer(0)
    const known = this.#views.exactly(v, v + n)
    if (known !== undefined) return known.buffer
    const buffer = allocate(n)
    this.#fill(v, new Uint8Array(buffer))
    this.#views.add(v, v + n, buffer)
    return buffer
  }

  /** Copies the bytes at `v` into `target`. */
  read(v: number, target: Uint8Array): void {
    target.fill(0)
    this.#fill(v, target)
  }

  /** Writes `bytes` at `v`. */
  write(v: number, bytes: Uint8Array): void {
    const end = v + bytes.length
    this.#lost.assign(v, end, 0)
    this.#store(v, bytes)
    for (const view of this.#views.over(v, end)) {
      const [from, to] = [Math.max(v, view.start), Math.min(end, view.end)]
      partOf(view, from, to).set(bytes.subarray(from - v, to - v))
    }
    this.#views.settle(v, end)
  }

  /** Makes [v, v+n) read zero from now on, through every view as well. */
  zero(v: number, n: number): void {
    const end = v + n
    this.#lost.assign(v, end, 0)
    for (const view of this.#views.over(v, end)) {
      partOf(view, Math.max(v, view.start), Math.min(end, view.end)).fill(0)
    }
    this.#views.settle(v, end)
    for (const page of this.#framesIn(v, end)) {
      const start = page * this.#pageSize
      if (start >= v && start + this.#pageSize <= end) this.#frames.delete(page)
      else this.#frames.get(page)?.fill(0, Math.max(v - start, 0), Math.min(end - start, this.#pageSize))
    }
  }

  /** Ends the views over any page of [v, v+n), because the pages can't be touched any more. The bytes stay. */
  detach(v: number, n: number): void {
    this.#views.detach(v, v + n)
  }

  /** The whole pages of [v, v+n) that a view covers, fully or in part. */
  viewed(v: number, n: number): number[] {
    const pages = new Set<number>()
    const size = this.#pageSize
    for (const view of this.#views.over(v, v + n)) {
      const end = Math.min(view.end, v + n)
      for (let at = Math.floor(Math.max(view.start, v) / size) * size; at < end; at += size) pages.add(at)
    }
    return [...pages].sort((a, b) => a - b)
  }

  /** The pages in which ended views left bytes. Returns each page once. */
  takeKept(): number[] {
    if (this.#kept.size === 0) return []
    const pages = [...this.#kept]
    this.#kept.clear()
    return pages
  }

  /** Whether the page at `v` holds a byte that is not zero. */
  holds(v: number): boolean {
    if (this.#lost.bytesIn(LOST, v, v + this.#pageSize) > 0) return true
    const end = v + this.#pageSize
    const views = this.#views.over(v, end)
    if (views.some((view) => holdsAny(partOf(view, Math.max(v, view.start), Math.min(end, view.end))))) return true
    if (views.some((view) => view.start <= v && view.end >= end)) return false
    const page = new Uint8Array(this.#pageSize)
    this.#fill(v, page)
    return holdsAny(page)
  }

  /** Moves the bytes of a view that ends to frames. */
  #keep(view: View): void {
    const size = this.#pageSize
    this.#store(view.start, view.bytes)
    for (const page of this.#framesIn(view.start, view.end)) this.#kept.add(page * size)
  }

  #store(v: number, bytes: Uint8Array): void {
    const size = this.#pageSize
    for (let at = 0; at < bytes.length;) {
      const page = Math.floor((v + at) / size)
      const offset = v + at - page * size
      const part = bytes.subarray(at, at + size - offset)
      let frame = this.#frames.get(page)
      // A page of zeroes needs no frame.
      if (frame === undefined && holdsAny(part)) this.#frames.set(page, (frame = new Uint8Array(size)))
      if (frame !== undefined && !equal(frame.subarray(offset, offset + part.length), part)) frame.set(part, offset)
      at += part.length
    }
  }

  /** Copies the bytes at `v` into `bytes`, which are zero. */
  #fill(v: number, bytes: Uint8Array): void {
    const end = v + bytes.length
    const size = this.#pageSize
    if (this.#lost.bytesIn(LOST, v, end) > 0) lost()
    for (const page of this.#framesIn(v, end)) {
      const start = page * size
      const from = Math.max(start, v)
      const frame = this.#frames.get(page) as Uint8Array
      bytes.set(frame.subarray(from - start, Math.min(end, start + size) - start), from - v)
    }
    for (const view of this.#views.over(v, end)) {
      const [from, to] = [Math.max(v, view.start), Math.min(end, view.end)]
      bytes.set(partOf(view, from, to), from - v)
    }
  }

  /** The pages of [v, end) that have a frame. Searches by address or by frame, whichever is less work. */
  #framesIn(v: number, end: number): number[] {
    const first = Math.floor(v / this.#pageSize)
    const last = Math.ceil(end / this.#pageSize)
    if (last - first > this.#frames.size) return [...this.#frames.keys()].filter((page) => page >= first && page < last)
    const found: number[] = []
    for (let page = first; page < last; page++) if (this.#frames.has(page)) found.push(page)
    return found
  }
}

function lost(): never {
  throw new SimulationError(
    'ERR_MEMLAYER_SIM_VIEW',
    'a view was detached without notice to the simulated kernel, so its bytes are lost',
    'Detach it by its own method, buffer.transfer(0), or by detachView of @memlayer/kernel. ' +
      "Do not use ArrayBuffer.prototype.transfer.call or a message's transfer list.",
  )
}

function allocate(n: number): ArrayBuffer {
  try {
    return new ArrayBuffer(n)
  } catch (error) {
    throw new SimulationError(
      'ERR_MEMLAYER_SIM_LIMIT',
      `this JavaScript engine can't make an ArrayBuffer of ${n} bytes`,
      'Make a view of only the part that you touch.',
      error,
    )
  }
}
