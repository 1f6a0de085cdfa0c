// The engine's buffers by address. mem.ts asks here which buffer has a range, and drops a buffer here once nothing of
// it is owned.
import type { Address } from '@memlayer/kernel'

/** One buffer of the engine. Its pages are [start, end). */
export interface Space {
  readonly buffer: SharedArrayBuffer
  readonly start: Address
  readonly end: Address
  /** The bytes of it that the layer owns. */
  owned: number
}

/** All buffers that the layer owns a part of, in order of address. */
export class Spaces {
  readonly #spaces: Space[] = []
  // The space that was found last: most calls ask for it again.
  #last: Space | null = null

  /** Adds a buffer, all of which is owned. */
  add(space: Space): void {
    this.#spaces.splice(this.#after(space.start), 0, space)
    this.#last = space
  }

  /** The space that has the byte at `v`; null: no space has it. */
  at(v: Address): Space | null {
    const last = this.#last
    if (last !== null && v >= last.start && v < last.end) return last
    const found = this.#spaces[this.#after(v) - 1]
    if (found === undefined || v >= found.end) return null
    return (this.#last = found)
  }

  /** Drops a space. The engine frees its buffer once no code can reach it. */
  drop(space: Space): void {
    const at = this.#after(space.start) - 1
    if (this.#spaces[at] !== space) return
    this.#spaces.splice(at, 1)
    if (this.#last === space) this.#last = null
  }

  /** The number of spaces that begin at or before `v`. */
  #after(v: Address): number {
    let [low, high] = [0, this.#spaces.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#spaces[middle] as Space).start <= v) low = middle + 1
      else high = middle
    }
    return low
  }
}
