// A map from addresses to small whole numbers, constant over ranges. It holds the state of each page without a
// record for every page of a terabyte. Neighbours with the same number merge.

/** A range and its number. */
export interface Piece {
  readonly start: number
  readonly end: number
  readonly value: number
}

/**
 * Maps address ranges to small whole numbers. 0 means that no range holds the address. Addresses may be negative.
 */
export class Ranges {
  // values[i] holds from starts[i] up to starts[i + 1].
  readonly #starts: number[] = [-Infinity]
  readonly #values: number[] = [0]
  readonly #bytes: number[] = [0]

  /** The number of bytes that hold `value`, which is not 0. */
  bytesOf(value: number): number {
    return this.#bytes[value] ?? 0
  }

  /** The value of the byte at `v`. */
  get(v: number): number {
    return this.#values[this.#seek(v)] as number
  }

  /** Sets [v, end) to `value`. */
  assign(v: number, end: number, value: number): void {
    if (v >= end) return
    const first = this.#seek(v)
    let last = first
    let at = v
    for (;;) {
      const stop = Math.min(this.#end(last), end)
      this.#count(this.#values[last] as number, at - stop)
      if (stop === end) break
      at = stop
      last += 1
    }
    this.#count(value, end - v)
    this.#splice(first, last, v, end, value)
  }

  /** The ranges of [v, end) with all values, in order. */
  pieces(v: number, end: number): Piece[] {
    const found: Piece[] = []
    for (let i = this.#seek(v), at = v; at < end; i++) {
      const stop = Math.min(this.#end(i), end)
      found.push({ start: at, end: stop, value: this.#values[i] as number })
      at = stop
    }
    return found
  }

  /** The ranges of [v, end) that hold `value`. */
  holding(value: number, v: number, end: number): Piece[] {
    return this.pieces(v, end).filter((piece) => piece.value === value)
  }

  /** The number of bytes of [v, end) that hold `value`. */
  bytesIn(value: number, v: number, end: number): number {
    return this.holding(value, v, end).reduce((sum, piece) => sum + piece.end - piece.start, 0)
  }

  /** Replaces boundaries `first` to `last` by [v, end) with `value`, and by the rests on both sides. */
  #splice(first: number, last: number, v: number, end: number, value: number): void {
    const starts: number[] = []
    const values: number[] = []
    const add = (start: number, held: number): void => {
      if (values.at(-1) === held) return
      starts.push(start)
      values.push(held)
    }
    // The boundary before takes part, so that equal neighbours merge.
    const from = Math.max(first - 1, 0)
    if (from < first) add(this.#starts[from] as number, this.#values[from] as number)
    if ((this.#starts[first] as number) < v) add(this.#starts[first] as number, this.#values[first] as number)
    add(v, value)
    if (this.#end(last) > end) add(end, this.#values[last] as number)
    let to = last + 1
    if (to < this.#starts.length && values.at(-1) === this.#values[to]) to += 1
    this.#starts.splice(from, to - from, ...starts)
    this.#values.splice(from, to - from, ...values)
  }

  #count(value: number, bytes: number): void {
    if (value !== 0) this.#bytes[value] = (this.#bytes[value] ?? 0) + bytes
  }

  #end(i: number): number {
    return this.#starts[i + 1] ?? Infinity
  }

  #seek(v: number): number {
    let low = 0
    let high = this.#starts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((this.#starts[middle] as number) <= v) low = middle
      else high = middle - 1
    }
    return low
  }
}
