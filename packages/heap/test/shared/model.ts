// A plain shadow of a shared heap: what each object holds. Its operations run in any of the threads.
import { OutOfMemoryError } from '@memlayer/core'
import type { Random } from '@memlayer/witness'
import { expect } from 'vitest'
import type { SharedHeap } from '../../src/shared/shared-heap.js'
import { sizeBy } from '../model.js'

/** An object that a thread of the program knows. */
export interface Known {
  readonly handle: number
  /** Bytes that were asked for. All of them are `fill`. */
  readonly bytes: number
  readonly fill: number
}

/** A shadow of the objects of one heap. */
export class SharedModel {
  readonly objects: Known[] = []
  readonly #random: Random
  readonly #objectsMax: number
  readonly #largest: number
  #fills = 0
  /** Allocations that were refused. */
  refused = 0

  constructor(random: Random, objectsMax: number, largest: number) {
    this.#random = random
    this.#objectsMax = objectsMax
    this.#largest = largest
  }

  /** One random operation, in the thread that has `heap`. */
  step(heap: SharedHeap): void {
    const { below } = this.#random
    const kind = below(1000)
    if (kind < 5) this.#misuse(heap)
    else if (kind < 80 && this.objects.length > 0)
      this.realloc(heap, below(this.objects.length), sizeBy(this.#random, this.#largest))
    else if (this.objects.length > below(this.#objectsMax)) this.free(heap, below(this.objects.length))
    else this.#alloc(heap)
  }

  #alloc(heap: SharedHeap): void {
    const bytes = sizeBy(this.#random, this.#largest)
    const kind = this.#random.below(12)
    const align = kind === 1 ? 2 ** this.#random.below(14) : 1
    const handle = this.#unlessRefused(() => {
      if (kind === 0) return heap.allocZeroed(bytes)
      return kind === 1 ? heap.allocAligned(bytes, align) : heap.alloc(bytes)
    })
    if (handle === null) return
    expect((handle * 8) % align).toBe(0)
    if (kind === 0) expect(heap.view(handle).every((byte) => byte === 0)).toBe(true)
    this.#add(heap, handle, bytes)
  }

  /** An object of a size that is given. */
  alloc(heap: SharedHeap, bytes: number): void {
    this.#add(heap, heap.alloc(bytes), bytes)
  }

  #add(heap: SharedHeap, handle: number, bytes: number): void {
    expect(handle).toBeGreaterThan(0)
    this.#fills = (this.#fills % 255) + 1
    expect(heap.size(handle)).toBeGreaterThanOrEqual(bytes)
    heap.u8.fill(this.#fills, handle * 8, handle * 8 + bytes)
    this.objects.push({ handle, bytes, fill: this.#fills })
  }

  /** Gives an object another size. The shadow learns of it when that is done. */
  realloc(heap: SharedHeap, i: number, wanted: number): void {
    const known = this.objects[i] as Known
    const moved = this.#unlessRefused(() => heap.realloc(known.handle, wanted))
    if (moved === null) return
    this.#take(i)
    holds(heap, { ...known, handle: moved, bytes: Math.min(known.bytes, wanted) })
    this.#add(heap, moved, wanted)
  }

  /** Frees an object in the thread that has `heap`. The shadow forgets it when that is done. */
  free(heap: SharedHeap, i: number): void {
    const known = this.objects[i] as Known
    holds(heap, known)
    heap.free(known.handle)
    this.#take(i)
  }

  /** What is free, or lies inside of an object, is refused. The shadow tells whether that had an effect. */
  #misuse(heap: SharedHeap): void {
    const handle = this.#random.below(heap.maximum / 8)
    if (!heap.has(handle)) expect(() => heap.free(handle)).toThrow(/^free\(\d+\) of the heap '.*': /)
  }

  #unlessRefused(run: () => number): number | null {
    try {
      return run()
    } catch (error) {
      if (!(error instanceof OutOfMemoryError)) throw error
      this.refused += 1
      return null
    }
  }

  #take(i: number): void {
    const last = this.objects.pop() as Known
    if (i < this.objects.length) this.objects[i] = last
  }

  /** Forgets what is not in use, after a thread was ended in the middle of a call. */
  forgetFreed(heap: SharedHeap): void {
    for (let i = this.objects.length - 1; i >= 0; i--) if (!heap.has((this.objects[i] as Known).handle)) this.#take(i)
  }

  /** Contents, overlap and the account of all objects. `lost` more may be in use, which no thread knows. */
  checkAll(heap: SharedHeap, lost = 0): void {
    let [end, live] = [0, 0]
    for (const known of this.objects.toSorted((a, b) => a.handle - b.handle)) {
      expect(known.handle * 8).toBeGreaterThanOrEqual(end)
      const size = heap.size(known.handle)
      end = known.handle * 8 + size
      live += size
      holds(heap, known)
    }
    heap.check()
    const stats = heap.stats()
    expect(stats.objects).toBeGreaterThanOrEqual(this.objects.length)
    expect(stats.objects).toBeLessThanOrEqual(this.objects.length + lost)
    if (stats.objects === this.objects.length) expect(stats.live).toBe(live)
    expect(stats.used).toBe(stats.live + stats.waste)
    const classes = stats.classes.reduce((sum, one) => sum + one.objects, 0)
    expect(classes + stats.large.objects).toBe(stats.objects)
  }
}

/** All bytes of an object are its own. */
function holds({ u8 }: SharedHeap, { handle, bytes, fill }: Known): void {
  for (let i = handle * 8; i < handle * 8 + bytes; i++)
    if (u8[i] !== fill) throw new Error(`byte ${i - handle * 8} of the object ${handle} is ${u8[i]}, and not ${fill}`)
}
