// The arrays of a RangeMap, made anew: the boundaries in order of address, evenly filled, with as many free slabs as
// used ones. The map takes all of it at once.

/** A chunk's place in the arrays. Places without a boundary are at Infinity. */
export const SLAB = 64
/** Boundaries in a chunk of a new layout. It leaves room for more. */
const boundariesLaidOut = (SLAB * 3) / 4
/** A map never has fewer slabs. */
export const slabsMin = 4

/** Boundaries are added to it, in order of address. */
export class Layout {
  readonly starts: Float64Array
  readonly values: Int32Array
  readonly lengths: Uint8Array
  /** The boundaries that it has. */
  size = 0
  #before = -1

  /** Room for `size` boundaries. */
  constructor(size: number) {
    const slabs = Math.max(2 * Math.ceil(size / boundariesLaidOut), slabsMin)
    this.starts = new Float64Array(slabs * SLAB).fill(Infinity)
    this.values = new Int32Array(slabs * SLAB)
    this.lengths = new Uint8Array(slabs)
  }

  /** The slabs that have boundaries. */
  get chunks(): number {
    return Math.ceil(this.size / boundariesLaidOut)
  }

  /** From `start` on the map holds `value`. A boundary where the number stays the same is left out. */
  add(start: number, value: number): void {
    if (value === this.#before) return
    this.#before = value
    const slab = (this.size / boundariesLaidOut) | 0
    const place = slab * SLAB + (this.lengths[slab] as number)
    this.starts[place] = start
    this.values[place] = value
    this.lengths[slab] = (this.lengths[slab] as number) + 1
    this.size += 1
  }
}
