// A map from addresses to small whole numbers that is constant over ranges: what state a page
// is in, without a record for every page of a terabyte. Neighbours with one number are one.

/** A range with one number. */
export interface Piece {
  readonly start: number
  readonly end: number
  readonly value: number
}

/** Address ranges to small whole numbers; 0 is what no range holds. Addresses may be negative. */
export class Ranges {
  // starts[i] is where values[i] begins; it holds up to starts[i + 1].
  readonly #starts: number[] = [-Infinity]
  readonly #values: number[] = [0]
  readonly #bytes: number[] = [0]

  /** The bytes that hold `value`, which is not 0. */
  bytesOf(value: number): number {
    return this.#bytes[value] ?? 0
  }

  /** What the byte at `v` holds. */
  get(v: number): number {
    return this.#values[this.#seek(v)] as number
  }

  /** Makes [v, end) hold `value`. */
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

  /** The ranges of [v, end), whatever they hold, in order. */
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

  /** The bytes of [v, end) that hold `value`. */
  bytesIn(value: number, v: number, end: number): number {
    return this.holding(value, v, end).reduce((sum, piece) => sum + piece.end - piece.start, 0)
  }

  /** Boundaries `first` to `last` give way to [v, end) with `value`, and to what stands out on both sides. */
  #splice(first: number, last: number, v: number, end: number, value: number): void {
    const starts: number[] = []
    const values: number[] = []
    const add = (start: number, held: number): void => {
      if (values.at(-1) === held) return
      starts.push(start)
      values.push(held)
    }
    // The boundary before takes part, so that equal neighbours become one.
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
