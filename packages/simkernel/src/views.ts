// The views that were handed out. JavaScript can't have two ArrayBuffers over one memory, so a view is the memory.
// As long as it lives, the bytes of its range are in it and nowhere else. Where views overlap, each has a copy, and
// every call on the kernel brings them together.
import { beforeDetach, detachView, isDetached } from '@memlayer/kernel'
import { SimulationError } from './errors.js'

/** A live view: its range, and the buffer that the caller has. */
export interface View {
  readonly start: number
  readonly end: number
  readonly buffer: ArrayBuffer
  readonly bytes: Uint8Array
}

/** A range that several views share, and its bytes when they last agreed. */
interface Overlap {
  readonly start: number
  readonly end: number
  readonly views: readonly View[]
  readonly agreed: Uint8Array
}

/** The bytes of `view` at [start, end). */
export function partOf(view: View, start: number, end: number): Uint8Array {
  return view.bytes.subarray(start - view.start, end - view.start)
}

/** Every live view, in no order. */
export class Views {
  readonly #views = new Set<View>()
  #overlaps: Overlap[] = []
  readonly #save: (view: View) => void
  readonly #lose: (view: View) => void

  // transfer(), except that it saves the bytes before they move.
  readonly #prototype: object = Object.create(ArrayBuffer.prototype, {
    transfer: { value: this.#moving(ArrayBuffer.prototype.transfer) },
    transferToFixedLength: { value: this.#moving(ArrayBuffer.prototype.transferToFixedLength) },
  }) as object

  /** `save` takes the bytes of a view that ends. `lose` is called for a view that was detached without notice. */
  constructor(save: (view: View) => void, lose: (view: View) => void) {
    this.#save = save
    this.#lose = lose
  }

  /** The views that overlap [start, end). */
  over(start: number, end: number): View[] {
    if (this.#views.size === 0) return []
    return [...this.#views].filter((view) => view.start < end && view.end > start)
  }

  /** The view of exactly this range, if it lives. */
  exactly(start: number, end: number): View | undefined {
    for (const view of this.#views) if (view.start === start && view.end === end) return view
    return undefined
  }

  /** Adds a view of [start, end) over `buffer`, whose bytes are already right. */
  add(start: number, end: number, buffer: ArrayBuffer): void {
    const view: View = { start, end, buffer, bytes: new Uint8Array(buffer) }
    Object.setPrototypeOf(buffer, this.#prototype)
    beforeDetach(buffer, () => this.end(view))
    this.#views.add(view)
    this.#overlapsAnew(start, end)
  }

  /** Ends a view. It saves the bytes, and the buffer then belongs to the caller alone. */
  end(view: View): void {
    if (!this.#views.has(view)) return
    this.agree()
    if (!this.#views.delete(view)) return
    this.#save(view)
    this.#overlapsAnew(view.start, view.end)
  }

  /** Ends and detaches the views that overlap [start, end). They read `undefined` from now on. */
  detach(start: number, end: number): void {
    for (const view of this.over(start, end)) {
      detachView(view.buffer)
    }
  }

  /** Brings overlapping views together, so that each change in one view reaches the others. */
  agree(): void {
    for (const view of this.#views) {
      if (!isDetached(view.buffer)) continue
      this.#views.delete(view)
      this.#lose(view)
      this.#overlapsAnew(view.start, view.end)
    }
    for (const overlap of this.#overlaps) {
      const changed = overlap.views.filter((view) => !equal(partOf(view, overlap.start, overlap.end), overlap.agreed))
      if (changed.length > 0) merge(overlap, changed)
    }
  }

  /** Takes the current bytes of the views as agreed, after a write from outside. */
  settle(start: number, end: number): void {
    for (const overlap of this.#overlaps) {
      if (overlap.start >= end || overlap.end <= start) continue
      const [view] = overlap.views
      if (view !== undefined) overlap.agreed.set(partOf(view, overlap.start, overlap.end))
    }
  }

  #moving(move: (length?: number) => ArrayBuffer): (this: ArrayBuffer, ...length: [number?]) => ArrayBuffer {
    const find = (buffer: ArrayBuffer): View | undefined => [...this.#views].find((view) => view.buffer === buffer)
    const end = (view: View | undefined): void => {
      if (view !== undefined) this.end(view)
    }
    return function (...length) {
      end(find(this))
      return move.apply(this, length)
    }
  }

  /** Finds the overlaps around [start, end) again, after a view came or went. */
  #overlapsAnew(start: number, end: number): void {
    const touched = this.#overlaps.filter((overlap) => overlap.start < end && overlap.end > start)
    const low = Math.min(start, ...touched.map((overlap) => overlap.start))
    const high = Math.max(end, ...touched.map((overlap) => overlap.end))
    const near = this.over(low, high)
    if (near.length < 2 && touched.length === 0) return
    const cuts = new Set([low, high])
    for (const view of near) {
      if (view.start > low) cuts.add(view.start)
      if (view.end < high) cuts.add(view.end)
    }
    const sorted = [...cuts].sort((a, b) => a - b)
    this.#overlaps = this.#overlaps.filter((overlap) => !touched.includes(overlap))
    for (let i = 0; i + 1 < sorted.length; i++) {
      const [from, to] = [sorted[i] as number, sorted[i + 1] as number]
      const views = near.filter((view) => view.start <= from && view.end >= to)
      const [first] = views
      if (first === undefined || views.length < 2) continue
      this.#overlaps.push({ start: from, end: to, views, agreed: partOf(first, from, to).slice() })
    }
  }
}

/** Takes over what `changed` have changed. With several of them, goes byte by byte. */
function merge({ start, end, views, agreed }: Overlap, changed: readonly View[]): void {
  const [first, ...others] = changed.map((view) => partOf(view, start, end))
  const before = agreed.slice()
  if (first !== undefined) agreed.set(first)
  for (const part of others) {
    for (let i = 0; i < part.length; i++) {
      if (part[i] === before[i]) continue
      if (agreed[i] !== before[i] && agreed[i] !== part[i]) disagree(start + i)
      agreed[i] = part[i] as number
    }
  }
  for (const view of views) partOf(view, start, end).set(agreed)
}

function disagree(at: number): never {
  throw new SimulationError(
    'ERR_MEMLAYER_SIM_VIEW',
    `two views wrote different values to the byte at offset ${at} of the simulated space, with no kernel call between`,
    'Make the second view later, or use one view. ' +
      'JavaScript has no two ArrayBuffers over one memory, so the simulator does not know which write came last.',
  )
}

/** Whether the bytes are equal. Compares words at a time where they are aligned. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  let i = 0
  if (a.byteOffset % 4 === 0 && b.byteOffset % 4 === 0) {
    const words = a.length >> 2
    const x = new Int32Array(a.buffer, a.byteOffset, words)
    const y = new Int32Array(b.buffer, b.byteOffset, words)
    for (let w = 0; w < words; w++) if (x[w] !== y[w]) return false
    i = words * 4
  }
  for (; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** Whether any byte is not zero. */
export function holdsAny(bytes: Uint8Array): boolean {
  let i = 0
  if (bytes.byteOffset % 4 === 0) {
    const words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2)
    for (let w = 0; w < words.length; w++) if (words[w] !== 0) return true
    i = words.length * 4
  }
  for (; i < bytes.length; i++) if (bytes[i] !== 0) return true
  return false
}
