// A map from addresses to small numbers that is constant over ranges: each entry is a
// boundary, where a new number begins. Neighbours with the same number merge, so its size
// follows fragmentation and not history. Boundaries lie in sorted chunks of typed arrays:
// finding one is two binary searches, changing one moves at most a chunk, and nothing is
// allocated on the steady path.

const CAPACITY = 128

/** Address ranges to small whole numbers; 0 is what no range holds. */
export class RangeMap {
  // Chunk c holds lengths[c] boundaries: starts[c][i] is where values[c][i] begins. It holds up
  // to the next boundary, wherever that is. firsts[c] is starts[c][0], kept apart for the search.
  #starts: Float64Array[] = [new Float64Array(CAPACITY)]
  #values: Int32Array[] = [new Int32Array(CAPACITY)]
  #lengths: number[] = [1]
  #firsts: Float64Array = new Float64Array(16)
  #chunks = 1
  #size = 1

  // The cursor: the boundary at or below the address last sought.
  #chunk = 0
  #slot = 0

  /** The number of boundaries: how much there is to search and to hold. */
  get size(): number {
    return this.#size
  }

  /** Moves the cursor to the range that holds `v`. */
  seek(v: number): void {
    let c = this.#chunk
    if (v < this.#first(c) || v >= this.#first(c + 1)) this.#chunk = c = this.#seekChunk(v)
    const starts = this.#starts[c] as Float64Array
    let low = 0
    let high = (this.#lengths[c] as number) - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((starts[middle] as number) <= v) low = middle
      else high = middle - 1
    }
    this.#slot = low
  }

  /** Moves the cursor to the next range; false at the end of all addresses. */
  next(): boolean {
    if (this.#slot + 1 < (this.#lengths[this.#chunk] as number)) {
      this.#slot += 1
      return true
    }
    if (this.#chunk + 1 >= this.#chunks) return false
    this.#chunk += 1
    this.#slot = 0
    return true
  }

  /** Where the cursor's range starts. */
  get start(): number {
    return (this.#starts[this.#chunk] as Float64Array)[this.#slot] as number
  }

  /** Where the cursor's range ends; Infinity for the last. */
  get end(): number {
    const slot = this.#slot + 1
    if (slot < (this.#lengths[this.#chunk] as number)) return (this.#starts[this.#chunk] as Float64Array)[slot] as number
    return this.#first(this.#chunk + 1)
  }

  /** What the cursor's range holds. */
  get value(): number {
    return (this.#values[this.#chunk] as Int32Array)[this.#slot] as number
  }

  /** Makes [v, end) hold `value`. */
  assign(v: number, end: number, value: number): void {
    this.seek(v)
    if (this.value === value && end <= this.end) return
    if (end <= this.end && this.#shift(v, end, value)) return

    // Whatever begins inside goes; what stood at the end goes on from there.
    let after = this.value
    if (this.start < v) this.#insertAfter(v, value)
    else this.#setValue(value)
    for (;;) {
      const stop = this.end
      if (stop === end) break
      if (stop > end) {
        if (after !== value) this.#insertAfter(end, after)
        break
      }
      after = this.#removeAfter()
    }
    this.#mergeAt(v, end, value)
  }

  /** The common cases that only move a boundary: [v, end) touches a neighbour that holds `value` already. */
  #shift(v: number, end: number, value: number): boolean {
    const slot = this.#slot
    const starts = this.#starts[this.#chunk] as Float64Array
    const values = this.#values[this.#chunk] as Int32Array
    if (starts[slot] === v && end < this.end && slot > 0 && values[slot - 1] === value) {
      starts[slot] = end
      return true
    }
    if ((starts[slot] as number) < v && slot + 1 < (this.#lengths[this.#chunk] as number)) {
      if (starts[slot + 1] === end && values[slot + 1] === value) {
        starts[slot + 1] = v
        return true
      }
    }
    return false
  }

  /** Joins [v, end), which holds `value` now, with equal neighbours. */
  #mergeAt(v: number, end: number, value: number): void {
    this.seek(v)
    if (this.end === end && this.#valueAfter() === value) this.#removeAfter()
    if (this.start === v && v > 0) {
      this.seek(this.#boundaryBefore())
      if (this.value === value) this.#removeAfter()
    }
  }

  #boundaryBefore(): number {
    if (this.#slot > 0) return (this.#starts[this.#chunk] as Float64Array)[this.#slot - 1] as number
    const c = this.#chunk - 1
    return (this.#starts[c] as Float64Array)[(this.#lengths[c] as number) - 1] as number
  }

  #valueAfter(): number {
    const slot = this.#slot + 1
    if (slot < (this.#lengths[this.#chunk] as number)) return (this.#values[this.#chunk] as Int32Array)[slot] as number
    const next = this.#values[this.#chunk + 1]
    return this.#chunk + 1 < this.#chunks && next !== undefined ? (next[0] as number) : -1
  }

  #setValue(value: number): void {
    const values = this.#values[this.#chunk] as Int32Array
    values[this.#slot] = value
  }

  /** Where chunk `c` begins; Infinity past the last. */
  #first(c: number): number {
    return c < this.#chunks ? (this.#firsts[c] as number) : Infinity
  }

  #seekChunk(v: number): number {
    let low = 0
    let high = this.#chunks - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((this.#firsts[middle] as number) <= v) low = middle
      else high = middle - 1
    }
    return low
  }

  /** Puts a boundary after the cursor's and moves the cursor to it. */
  #insertAfter(start: number, value: number): void {
    if (this.#lengths[this.#chunk] === CAPACITY) this.#split()
    const c = this.#chunk
    const slot = this.#slot + 1
    const starts = this.#starts[c] as Float64Array
    const values = this.#values[c] as Int32Array
    const length = this.#lengths[c] as number
    for (let i = length; i > slot; i--) {
      starts[i] = starts[i - 1] as number
      values[i] = values[i - 1] as number
    }
    starts[slot] = start
    values[slot] = value
    this.#lengths[c] = length + 1
    this.#slot = slot
    this.#size += 1
  }

  /** Takes out the boundary after the cursor's; returns what it held. The cursor stays. */
  #removeAfter(): number {
    let c = this.#chunk
    let slot = this.#slot + 1
    if (slot === this.#lengths[c]) {
      c += 1
      slot = 0
    }
    const starts = this.#starts[c] as Float64Array
    const values = this.#values[c] as Int32Array
    const length = (this.#lengths[c] as number) - 1
    const value = values[slot] as number
    for (let i = slot; i < length; i++) {
      starts[i] = starts[i + 1] as number
      values[i] = values[i + 1] as number
    }
    this.#lengths[c] = length
    this.#size -= 1
    if (slot === 0) this.#firsts[c] = starts[0] as number
    if (length === 0) this.#dropChunk(c)
    else if (length < CAPACITY / 4) this.#joinChunks(c)
    return value
  }

  /** Halves the cursor's chunk, which is full. */
  #split(): void {
    const c = this.#chunk
    const half = CAPACITY / 2
    const starts = new Float64Array(CAPACITY)
    const values = new Int32Array(CAPACITY)
    starts.set((this.#starts[c] as Float64Array).subarray(half))
    values.set((this.#values[c] as Int32Array).subarray(half))
    this.#starts.splice(c + 1, 0, starts)
    this.#values.splice(c + 1, 0, values)
    this.#lengths.splice(c + 1, 0, CAPACITY - half)
    this.#lengths[c] = half
    if (this.#chunks === this.#firsts.length) {
      const grown = new Float64Array(this.#firsts.length * 2)
      grown.set(this.#firsts)
      this.#firsts = grown
    }
    this.#firsts.copyWithin(c + 2, c + 1, this.#chunks)
    this.#firsts[c + 1] = starts[0] as number
    this.#chunks += 1
    if (this.#slot >= half) {
      this.#chunk = c + 1
      this.#slot -= half
    }
  }

  #dropChunk(c: number): void {
    this.#starts.splice(c, 1)
    this.#values.splice(c, 1)
    this.#lengths.splice(c, 1)
    this.#firsts.copyWithin(c, c + 1, this.#chunks)
    this.#chunks -= 1
    if (this.#chunk > c) this.#chunk -= 1
  }

  /** Pours chunk `c`, nearly empty, together with the one after it, where both fit in half a chunk. */
  #joinChunks(c: number): void {
    if (c + 1 >= this.#chunks) return
    const length = this.#lengths[c] as number
    const more = this.#lengths[c + 1] as number
    if (length + more > CAPACITY / 2) return
    ;(this.#starts[c] as Float64Array).set((this.#starts[c + 1] as Float64Array).subarray(0, more), length)
    ;(this.#values[c] as Int32Array).set((this.#values[c + 1] as Int32Array).subarray(0, more), length)
    this.#lengths[c] = length + more
    this.#dropChunk(c + 1)
  }
}
