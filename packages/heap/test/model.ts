// A plain shadow of a heap: what each object holds, and to which mark it belongs. Random operations run on both.
import { OutOfMemoryError, UsageError } from '@memlayer/core'
import type { Heap } from '@memlayer/heap'
import { holds, same } from '@memlayer/witness/claims'
import type { Random } from '@memlayer/witness/random'

interface Shadow {
  readonly handle: number
  /** Bytes that were asked for. All of them are `fill`. */
  readonly bytes: number
  readonly fill: number
  readonly level: number
}

/** Sizes as programs have them: mostly small, some large. */
export function sizeBy({ below }: Random, largest: number): number {
  const kind = below(100)
  const most = kind < 60 ? 128 : kind < 90 ? 4096 : kind < 98 ? 70_000 : 400_000
  return Math.min(below(most + 1), largest)
}

/** A heap and its shadow. */
export class Model {
  readonly heap: Heap
  readonly random: Random
  readonly objects: Shadow[] = []
  readonly #places = new Map<number, number>()
  readonly #marks: number[] = []
  readonly #objectsMax: number
  readonly #largest: number
  readonly #isChecked: boolean
  #fills = 0
  /** Allocations that were refused. */
  refused = 0

  constructor(heap: Heap, random: Random, objectsMax: number, largest: number = Infinity) {
    this.heap = heap
    this.random = random
    this.#objectsMax = objectsMax
    this.#largest = largest
    const probe = heap.alloc(1)
    this.#isChecked = heap.size(probe) === 1
    heap.free(probe)
  }

  /** One random operation. */
  step(): void {
    const { below } = this.random
    const kind = below(1000)
    if (kind < 3 && this.#marks.length < 6) this.#marks.push(this.heap.mark())
    else if (kind < 6 && this.#marks.length > 0) this.#release()
    else if (kind === 6) holds(this.heap.scavenge() >= 0, 'scavenge tells bytes')
    else if (kind === 7) this.#misuse()
    else if (kind < 120 && this.objects.length > 0) this.#realloc(below(this.objects.length))
    else if (this.objects.length > below(this.#objectsMax)) this.#free(below(this.objects.length))
    else this.#alloc()
  }

  #alloc(): void {
    const { heap, random } = this
    const bytes = sizeBy(random, this.#largest)
    const kind = random.below(10)
    const handle = this.#unlessRefused(() => {
      if (kind === 0) return heap.allocZeroed(bytes)
      if (kind === 1) return heap.allocAligned(bytes, 2 ** random.below(14))
      return heap.alloc(bytes)
    })
    if (handle === null) return
    holds(Number.isInteger(handle) && handle > 0, `${handle} is a handle`)
    if (kind === 0) {
      const cleared = heap.view(handle).subarray(0, bytes)
      holds(
        cleared.every((byte) => byte === 0),
        'allocZeroed clears',
      )
    }
    this.#add(handle, bytes, this.#marks.length)
  }

  #add(handle: number, bytes: number, level: number): void {
    this.#fills = (this.#fills % 255) + 1
    const { heap } = this
    holds(heap.size(handle) >= bytes, `${handle} has room for ${bytes} bytes`)
    holds(!this.#places.has(handle), `${handle} is handed out once`)
    heap.u8.fill(this.#fills, handle * 8, handle * 8 + bytes)
    this.#places.set(handle, this.objects.length)
    this.objects.push({ handle, bytes, fill: this.#fills, level })
  }

  #realloc(i: number): void {
    const { handle, bytes, fill, level } = this.#take(i)
    this.#check(handle, bytes, fill)
    const wanted = sizeBy(this.random, this.#largest)
    const moved = this.#unlessRefused(() => this.heap.realloc(handle, wanted))
    if (moved !== null) this.#check(moved, Math.min(bytes, wanted), fill)
    this.#add(moved ?? handle, moved === null ? bytes : wanted, level)
  }

  #free(i: number): void {
    const { handle, bytes, fill } = this.#take(i)
    this.#check(handle, bytes, fill)
    this.heap.free(handle)
    holds(!this.heap.has(handle), `${handle} is free`)
  }

  #release(): void {
    const level = this.random.below(this.#marks.length)
    this.heap.release(this.#marks[level] as number)
    this.#marks.length = level
    for (let i = this.objects.length - 1; i >= 0; i--) {
      const { handle, level: own } = this.objects[i] as Shadow
      if (own <= level) continue
      this.#take(i)
      holds(!this.heap.has(handle), `${handle} was released`)
    }
  }

  /** Frees what is free, or lies inside of an object. It is refused, and nothing changes: the shadow would tell. */
  #misuse(): void {
    const page = this.random.below(this.heap.maximum / 8)
    if (this.#places.has(page) || this.heap.has(page)) return
    let refused: unknown
    try {
      this.heap.free(page)
    } catch (error) {
      refused = error
    }
    holds(refused instanceof UsageError, `free(${page}) is refused`)
  }

  /** The last one takes its place. */
  #take(i: number): Shadow {
    const taken = this.objects[i] as Shadow
    const last = this.objects.pop() as Shadow
    if (last !== taken) {
      this.objects[i] = last
      this.#places.set(last.handle, i)
    }
    this.#places.delete(taken.handle)
    return taken
  }

  #check(handle: number, bytes: number, fill: number): void {
    const { u8 } = this.heap
    const at = handle * 8
    // The ends, because a whole object takes long. `checkAll` looks at every byte.
    if (bytes === 0 || (u8[at] === fill && u8[at + bytes - 1] === fill && u8[at + (bytes >> 1)] === fill)) return
    throw new Error(`the object ${handle} of ${bytes} bytes of ${fill} holds ${u8[at]} … ${u8[at + bytes - 1]}`)
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

  /** Contents, overlap and the account of all objects. */
  checkAll(): void {
    const { heap, objects } = this
    const { u8 } = heap
    const sorted = objects.toSorted((a, b) => a.handle - b.handle)
    let [end, live] = [0, 0]
    for (const { handle, bytes, fill } of sorted) {
      holds(handle * 8 >= end, `${handle} lies behind the object before it`)
      const size = heap.size(handle)
      end = handle * 8 + size
      live += size
      for (let i = handle * 8; i < handle * 8 + bytes; i++) if (u8[i] !== fill) this.#check(handle, bytes, fill)
    }
    const stats = heap.stats()
    same(stats.objects, objects.length, 'objects')
    // A checked object has bytes behind its end, which `size` does not tell.
    if (this.#isChecked) holds(stats.live >= live, `${live} bytes of ${stats.live} are known`)
    else same(stats.live, live, 'live')
    same(stats.used, stats.live + stats.waste, 'used')
    heap.check()
    const classes = stats.classes.reduce((sum, one) => sum + one.objects, 0)
    same(classes + stats.large.objects, objects.length + stats.waiting.objects, 'objects by class')
    heap.memory.check()
  }

  /** Frees everything. */
  drain(): void {
    while (this.objects.length > 0) this.#free(this.objects.length - 1)
  }
}
