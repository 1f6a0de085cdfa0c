// The address space without its gaps: one range after another. A place is found by bisection. The content of a stretch
// is the difference of two sums. So 100,000 ranges are as fast as ten, and exact.
/** Ranges from one pause to the next. */
const PAUSE = 16_384

/** The bytes of a stretch in each state: Reserved, Prepared, Ready. */
export type Shares = readonly [reserved: number, prepared: number, ready: number]

/** The ranges of one snapshot, one after another. */
export class Space {
  /** Four numbers per range, as in the snapshot. */
  readonly ranges: Float64Array
  /** The place where each range begins, and then the end of the last one. */
  readonly #starts: Float64Array
  /** The bytes of each state before each range. */
  readonly #sums: readonly Float64Array[]

  private constructor(ranges: Float64Array, starts: Float64Array, sums: readonly Float64Array[]) {
    this.ranges = ranges
    this.#starts = starts
    this.#sums = sums
  }

  /** Builds the space and yields now and then. `isMapped`: ranges that are only Reserved are left out. */
  static *of(all: Float64Array, isMapped: boolean): Generator<void, Space> {
    const ranges = isMapped ? all.filter((_, i) => (all[i - (i % 4) + 2] as number) > 1) : all
    const n = ranges.length / 4
    const [starts, ...sums] = [0, 1, 2, 3].map(() => new Float64Array(n + 1)) as [Float64Array, ...Float64Array[]]
    for (let i = 0; i < n; i++) {
      const [size, state] = [ranges[4 * i + 1] as number, ranges[4 * i + 2] as number]
      starts[i + 1] = (starts[i] as number) + size
      for (const [s, sum] of sums.entries()) sum[i + 1] = (sum[i] as number) + (s + 1 === state ? size : 0)
      if (i % PAUSE === PAUSE - 1) yield
    }
    return new Space(ranges, starts, sums)
  }

  /** The total bytes. */
  get size(): number {
    return this.#starts.at(-1) ?? 0
  }

  /** The range at a place, and the offset in it. Null: the place is outside. */
  find(place: number): { readonly range: number; readonly offset: number } | null {
    if (!(place >= 0 && place < this.size)) return null
    const range = lastNotAbove(this.#starts.length - 1, place, (i) => this.#starts[i] as number)
    return { range, offset: place - (this.#starts[range] as number) }
  }

  /** The address at a place. Past the last range it is that range's end. */
  addressAt(place: number): number {
    const found = this.find(Math.max(0, place))
    if (found !== null) return (this.ranges[4 * found.range] as number) + found.offset
    return this.ranges.length === 0 ? 0 : (this.ranges.at(-4) as number) + (this.ranges.at(-3) as number)
  }

  /** The place of an address. For an address in a gap it is the place of the next range. */
  placeOf(address: number): number {
    const n = this.ranges.length / 4
    if (n === 0 || address < (this.ranges[0] as number)) return 0
    const i = lastNotAbove(n, address, (at) => this.ranges[4 * at] as number)
    const inside = Math.min(address - (this.ranges[4 * i] as number), this.ranges[4 * i + 1] as number)
    return (this.#starts[i] as number) + inside
  }

  /** The bytes of each state in [from, to). */
  shares(from: number, to: number): Shares {
    const [a, b] = [this.#before(from), this.#before(to)]
    return [b[0] - a[0], b[1] - a[1], b[2] - a[2]]
  }

  #before(place: number): Shares {
    const at = (sum: number, i: number): number => this.#sums[sum]?.[i] ?? 0
    const found = this.find(Math.max(0, place))
    const n = this.#starts.length - 1
    if (found === null) return [at(0, n), at(1, n), at(2, n)]
    const { range, offset } = found
    const state = this.ranges[4 * range + 2] as number
    const of = (sum: number): number => at(sum, range) + (state === sum + 1 ? offset : 0)
    return [of(0), of(1), of(2)]
  }
}

/** The index of the last of `n` ascending numbers that is not above `wanted`. 0 if all are above. */
function lastNotAbove(n: number, wanted: number, numberAt: (i: number) => number): number {
  let [low, high] = [0, n]
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (numberAt(middle) <= wanted) low = middle
    else high = middle
  }
  return low
}
