// A map from addresses to small numbers that is constant over ranges: each entry is a
// boundary, where a new number begins. Neighbours with the same number are one range; a boundary
// between them is idle, and idle ones go when they are many, so its size follows fragmentation and
// not history. Boundaries lie in sorted chunks, all chunks in one pair of typed arrays: finding one
// is two binary searches, changing some moves at most a chunk, and the steady path allocates
// nothing. A range is given by address and length for that: an end, worked out by the caller,
// would be boxed on its way here.

// A slab is a chunk's place in the arrays. Places that hold no boundary are at Infinity, and the last never
// holds one: so a search takes the same six steps wherever it goes, and finds an end without looking for a length.
const SLAB = 64
/** Boundaries in a chunk when the map is laid out anew: room for some more in each. */
const FILL = (SLAB * 3) / 4
/** The map is laid out anew, smaller, when it has this many places for each boundary. */
const SPARSE = 6
/** Slabs that are not worth giving back. */
const FEW = 4

/** Address ranges to small whole numbers; 0 is what no range holds. */
export class RangeMap {
  // Slab s is SLAB places from s * SLAB: where a number begins, and the number. It holds up to the
  // next boundary, wherever that is.
  #starts: Float64Array = new Float64Array(SLAB).fill(Infinity).fill(0, 0, 1)
  #values: Int32Array = new Int32Array(SLAB)
  /** The boundaries in each slab. */
  #lengths: Uint8Array = new Uint8Array([1])
  /** The slab of each chunk, chunks in order of address; behind them the slabs that are free. */
  #slabs: Int32Array = new Int32Array(1)
  /** Where each chunk begins, kept apart for the search; behind the last: Infinity. */
  #firsts: Float64Array = new Float64Array([0, Infinity])
  #chunks = 1
  #size = 1
  /** The idle boundaries, at most: those that an assignment takes with it are not counted off. */
  #idle = 0

  // The cursor: the place of the boundary at or below the address last sought, and its chunk.
  #chunk = 0
  #place = 0

  /** The number of boundaries, idle ones with them: how much there is to search and to hold. */
  get size(): number {
    return this.#size
  }

  /** Moves the cursor to the range that holds `v`. */
  seek(v: number): void {
    const starts = this.#starts
    const firsts = this.#firsts
    const c = this.#chunk
    if (v < (firsts[c] as number) || v >= (firsts[c + 1] as number)) this.#chunk = this.#seekChunk(v)
    else if (v >= (starts[this.#place] as number) && v < (starts[this.#place + 1] as number)) return
    let at = (this.#slabs[this.#chunk] as number) * SLAB
    if ((starts[at + 32] as number) <= v) at += 32
    if ((starts[at + 16] as number) <= v) at += 16
    if ((starts[at + 8] as number) <= v) at += 8
    if ((starts[at + 4] as number) <= v) at += 4
    if ((starts[at + 2] as number) <= v) at += 2
    if ((starts[at + 1] as number) <= v) at += 1
    this.#place = at
  }

  /** Moves the cursor to the next range; false at the end of all addresses. */
  next(): boolean {
    const { value } = this
    while (this.#step()) if (this.value !== value) return true
    return false
  }

  /** Moves the cursor to the next boundary; false where there is none. */
  #step(): boolean {
    if (this.#starts[this.#place + 1] !== Infinity) {
      this.#place += 1
      return true
    }
    if (this.#chunk + 1 >= this.#chunks) return false
    this.#enter(this.#chunk + 1)
    return true
  }

  /** Where the cursor's range starts. */
  get start(): number {
    while (this.#valueBefore() === this.value) this.#stepBack()
    return this.#starts[this.#place] as number
  }

  /** Where the cursor's range ends; Infinity for the last. */
  get end(): number {
    return this.endBy(Infinity)
  }

  /** The same, or `limit` where the range goes on so far. */
  endBy(limit: number): number {
    const [chunk, place] = [this.#chunk, this.#place]
    const { value } = this
    let end = 0
    while (end < limit && this.value === value) end = this.#step() ? (this.#starts[this.#place] as number) : Infinity
    this.#chunk = chunk
    this.#place = place
    return Math.min(end, limit)
  }

  /** What the cursor's range holds. */
  get value(): number {
    return this.#values[this.#place] as number
  }

  /** Whether the cursor's range goes on to the end of [v, v+n). */
  reaches(v: number, n: number): boolean {
    // Not by way of `end`, whose number would be boxed where the engine does not inline it.
    if ((this.#starts[this.#place + 1] as number) >= v + n && (this.#firsts[this.#chunk + 1] as number) >= v + n)
      return true
    return this.#reachesOver(v + n)
  }

  /** The same where a boundary stands between. What is one range becomes one: nobody has to pass its idle boundaries twice. */
  #reachesOver(end: number): boolean {
    if (this.endBy(end) < end) return false
    const start = this.#starts[this.#place] as number
    this.assign(start, end - start, this.value)
    this.seek(start)
    return true
  }

  /**
   * Makes [v, v+n) hold `value` where a boundary stands at both of its ends and none between, and leaves both where
   * they are, idle or not: what goes to and fro between two numbers moves nothing. False: nothing has changed.
   */
  put(v: number, n: number, value: number): boolean {
    this.seek(v)
    const starts = this.#starts
    const place = this.#place
    // The last of a chunk has Infinity behind it, and its neighbour elsewhere.
    if (starts[place] !== v || starts[place + 1] !== v + n) return false
    const values = this.#values
    const held = values[place] as number
    const before = this.#valueBefore()
    const after = values[place + 1] as number
    values[place] = value
    this.#idle += Number(before === value) - Number(before === held) + Number(after === value) - Number(after === held)
    if (this.#isIdle) this.#layOut()
    return true
  }

  /** Makes [v, v+n) hold `value`. */
  assign(v: number, n: number, value: number): void {
    this.seek(v)
    // What is assigned takes two boundaries at most, and both may be new.
    while ((this.#lengths[this.#slabs[this.#chunk] as number] as number) > SLAB - 3) {
      this.#makeRoom()
      this.seek(v)
    }
    const starts = this.#starts
    const values = this.#values
    const end = v + n
    const from = starts[this.#place] === v ? this.#place : this.#place + 1
    const before = from > this.#place ? values[this.#place] : this.#valueBefore()
    let to = this.#place
    while ((starts[to + 1] as number) <= end) to += 1
    let after = values[to] as number
    if (starts[to + 1] === Infinity && (this.#firsts[this.#chunk + 1] as number) <= end) after = this.#clear(end)
    // Boundaries from `from` up to and with `to` go; one comes at each end where the number changes.
    const added = (before === value ? 0 : 1) + (after === value ? 0 : 1)
    if (added !== to + 1 - from) this.#shift(to + 1, from + added)
    let at = from
    if (before !== value) {
      starts[at] = v
      values[at] = value
      at += 1
    }
    if (after !== value) {
      starts[at] = end
      values[at] = after
    }
    if ((from & (SLAB - 1)) === 0) this.#settle()
    if ((this.#size * SPARSE < starts.length && starts.length > FEW * SLAB) || this.#isIdle) this.#layOut()
  }

  /** Whether boundaries are idle that are many, and as many as the others. */
  get #isIdle(): boolean {
    return this.#idle > SLAB && this.#idle * 2 > this.#size
  }

  /** Moves the boundaries of the cursor's chunk that stand from `from` on to `to`. */
  #shift(from: number, to: number): void {
    const starts = this.#starts
    const values = this.#values
    const slab = this.#slabs[this.#chunk] as number
    const stop = slab * SLAB + (this.#lengths[slab] as number)
    const by = to - from
    // copyWithin is a call into the engine, which costs more than the boundaries there are.
    if (by > 0) {
      for (let i = stop - 1; i >= from; i--) {
        starts[i + by] = starts[i] as number
        values[i + by] = values[i] as number
      }
    } else {
      for (let i = from; i < stop; i++) {
        starts[i + by] = starts[i] as number
        values[i + by] = values[i] as number
      }
      for (let i = stop + by; i < stop; i++) starts[i] = Infinity
    }
    this.#lengths[slab] = (this.#lengths[slab] as number) + by
    this.#size += by
  }

  /** After a change at the cursor's chunk's first place: it begins elsewhere, or has no boundary left. */
  #settle(): void {
    const c = this.#chunk
    const first = this.#starts[(this.#slabs[c] as number) * SLAB] as number
    if (first === Infinity) this.#dropChunks(c, 1)
    else this.#firsts[c] = first
  }

  /** Takes out every boundary after the cursor's chunk up to and with one at `end`; returns what holds at `end`. */
  #clear(end: number): number {
    const c = this.#chunk
    const d = this.#seekChunk(end)
    for (let i = c + 1; i < d; i++) this.#size -= this.#lengths[this.#slabs[i] as number] as number
    this.#enter(d)
    this.seek(end)
    const after = this.value
    this.#shift(this.#place + 1, (this.#slabs[d] as number) * SLAB)
    this.#dropChunks(c + 1, d - c - 1)
    this.#enter(c + 1)
    this.#settle()
    this.#enter(c)
    return after
  }

  /** Moves the cursor to the boundary before, of which there is one. */
  #stepBack(): void {
    if ((this.#place & (SLAB - 1)) !== 0) {
      this.#place -= 1
      return
    }
    this.#enter(this.#chunk - 1)
    this.#place += (this.#lengths[this.#slabs[this.#chunk] as number] as number) - 1
  }

  /** Moves the cursor to the first boundary of chunk `c`. */
  #enter(c: number): void {
    this.#chunk = c
    this.#place = (this.#slabs[c] as number) * SLAB
  }

  /** What holds before the cursor's boundary; -1 at address 0. */
  #valueBefore(): number {
    if ((this.#place & (SLAB - 1)) !== 0) return this.#values[this.#place - 1] as number
    if (this.#chunk === 0) return -1
    const slab = this.#slabs[this.#chunk - 1] as number
    return this.#values[slab * SLAB + (this.#lengths[slab] as number) - 1] as number
  }

  #seekChunk(v: number): number {
    const firsts = this.#firsts
    let low = 0
    let high = this.#chunks - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((firsts[middle] as number) <= v) low = middle
      else high = middle - 1
    }
    return low
  }

  /** Halves the cursor's chunk; where no slab is free, lays all chunks out anew. The cursor is to be sought again. */
  #makeRoom(): void {
    if (this.#chunks === this.#slabs.length) return this.#layOut()
    const c = this.#chunk
    const slab = this.#slabs[c] as number
    const free = this.#slabs[this.#chunks] as number
    const length = this.#lengths[slab] as number
    const half = length >> 1
    const from = slab * SLAB + half
    const to = free * SLAB
    this.#starts
      .fill(Infinity, to, to + SLAB)
      .copyWithin(to, from, from + length - half)
      .fill(Infinity, from, from + length - half)
    this.#values.copyWithin(to, from, from + length - half)
    this.#lengths[slab] = half
    this.#lengths[free] = length - half
    this.#slabs.copyWithin(c + 2, c + 1, this.#chunks)
    this.#slabs[c + 1] = free
    this.#firsts.copyWithin(c + 2, c + 1, this.#chunks + 1)
    this.#firsts[c + 1] = this.#starts[to] as number
    this.#chunks += 1
    this.#enter(c)
  }

  /** Takes `count` chunks out, from chunk `c` on; their slabs are free. */
  #dropChunks(c: number, count: number): void {
    if (count === 0) return
    const dropped = this.#slabs.slice(c, c + count)
    this.#slabs.copyWithin(c, c + count, this.#chunks)
    this.#slabs.set(dropped, this.#chunks - count)
    this.#firsts.copyWithin(c, c + count, this.#chunks + 1)
    this.#chunks -= count
    this.#enter(Math.min(this.#chunk, this.#chunks - 1))
  }

  /** Takes out every idle boundary, and leaves the chunks with gaps: they are to be laid out anew. */
  #dropIdle(): void {
    const starts = this.#starts
    const values = this.#values
    let before = -1
    for (let c = 0; c < this.#chunks; c++) {
      const slab = this.#slabs[c] as number
      const first = slab * SLAB
      const length = this.#lengths[slab] as number
      let to = first
      for (let from = first; from < first + length; from++) {
        if (values[from] === before) continue
        before = values[from] as number
        starts[to] = starts[from] as number
        values[to] = before
        to += 1
      }
      this.#lengths[slab] = to - first
      this.#size -= length - (to - first)
    }
    this.#idle = 0
  }

  /** Lays the chunks out anew, in order of address and evenly filled, with as many slabs free as are taken. */
  #layOut(): void {
    if (this.#idle > 0) this.#dropIdle()
    const chunks = Math.ceil(this.#size / FILL)
    const slabs = Math.max(2 * chunks, FEW)
    const starts = new Float64Array(slabs * SLAB).fill(Infinity)
    const values = new Int32Array(slabs * SLAB)
    const lengths = new Uint8Array(slabs)
    let to = 0
    for (let c = 0; c < this.#chunks; c++) {
      const slab = this.#slabs[c] as number
      let from = slab * SLAB
      for (const stop = from + (this.#lengths[slab] as number); from < stop;) {
        const filled = lengths[to] as number
        const some = Math.min(stop - from, FILL - filled)
        starts.set(this.#starts.subarray(from, from + some), to * SLAB + filled)
        values.set(this.#values.subarray(from, from + some), to * SLAB + filled)
        lengths[to] = filled + some
        from += some
        if (lengths[to] === FILL) to += 1
      }
    }
    this.#starts = starts
    this.#values = values
    this.#lengths = lengths
    this.#slabs = Int32Array.from({ length: slabs }, (_, slab) => slab)
    this.#firsts = Float64Array.from({ length: slabs + 1 }, (_, c) =>
      c < chunks ? (starts[c * SLAB] as number) : Infinity,
    )
    this.#chunks = chunks
    this.#enter(0)
  }
}
