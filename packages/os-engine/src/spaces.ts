// The engine's buffers by address. mem.ts asks here which buffer has a range, and drops a buffer here once nothing of
// it is owned.
import type { Address } from '@memlayer/kernel'

/** One buffer of the engine. Its pages are [start, end). */
export interface Space {
  readonly buffer: ArrayBufferLike
  /** Of a buffer that other code allocated: whether it still has the pages. Null: the layer allocated it. */
  readonly isThere: (() => boolean) | null
  /** The address of the buffer's first byte. */
  readonly first: Address
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
  #adopted = 0

  /** The number of buffers that other code allocated. */
  get adopted(): number {
    return this.#adopted
  }

  /** Adds a buffer, all of which is owned. */
  add(space: Space): void {
    if (space.isThere !== null) this.#adopted += 1
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

  /** The first space that has a byte of [v, end); null: no space has one. */
  within(v: Address, end: Address): Space | null {
    const found = this.at(v) ?? this.#spaces[this.#after(v)]
    return found !== undefined && found.start < end ? found : null
  }

  /** Drops a space. The engine frees its buffer once no code can reach it. */
  drop(space: Space): void {
    const at = this.#after(space.start) - 1
    if (this.#spaces[at] !== space) return
    this.#spaces.splice(at, 1)
    if (space.isThere !== null) this.#adopted -= 1
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
