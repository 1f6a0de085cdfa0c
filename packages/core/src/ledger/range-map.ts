// A map from addresses to small numbers that is constant over ranges. Each entry is a boundary, where a new number
// begins. A boundary between equal numbers is idle; idle boundaries are removed when they are half of all, so the
// size follows fragmentation and not history. Boundaries lie in sorted chunks, and all chunks in one pair of arrays.
// A search is two binary searches, a change moves at most a chunk, and the steady path allocates nothing. Ranges come
// as address and length, because the engine would box an end that the caller computes.
//
// A script may end inside a change: its stack may be full, or its host may stop it. Then the map is torn, and the next
// search repairs it. For that, every boundary stands in the arrays at each moment, some of them twice, and places
// without one are at Infinity, in free slabs too.

import { Layout, SLAB, slabsMin } from './range-map-layout.js'

// Slabs: places without a boundary are at Infinity, and the last place never has one. So a search takes the same six
// steps everywhere, and finds an end without a length.

/** A new, smaller layout is made when the map has more places than this for each boundary. */
const placesPerBoundaryMax = 6
/** What a change was about when a script ended inside it. */
const WHOLE = 0
const LAYOUT = 1
const ASSIGNMENT = 2

/** Address ranges to small whole numbers. 0 stands for what no range holds. */
export class RangeMap {
  // Slab s is SLAB places from s * SLAB: where a number begins, and the number. A number holds up to the next boundary,
  // which may be in another slab.
  #starts: Float64Array = new Float64Array(SLAB).fill(Infinity).fill(0, 0, 1)
  #values: Int32Array = new Int32Array(SLAB)
  /** The boundaries in each slab. */
  #lengths: Uint8Array = new Uint8Array([1])
  /** The slab of each chunk, in order of address. The free slabs come after them. */
  #slabs: Int32Array = new Int32Array(1)
  /** Where each chunk begins, apart from the rest for the search. Infinity comes after the last. */
  #firsts: Float64Array = new Float64Array([0, Infinity])
  #chunks = 1
  #size = 1
  /** At most so many boundaries are idle. An assignment that removes some does not count them off. */
  #idle = 0

  // The cursor: the boundary at or below the address of the last search, as its chunk and its place.
  #chunk = 0
  #place = 0

  // What is being changed; WHOLE: nothing. An assignment has its range, its number, and what follows the range.
  #torn = WHOLE
  #tornStart = 0
  #tornEnd = 0
  #tornValue = 0
  #tornAfter = 0

  /** The number of boundaries, idle ones included. */
  get size(): number {
    return this.#size
  }

  /** Moves the cursor to the range that holds `v`. */
  seek(v: number): void {
    if (this.#torn !== WHOLE) this.#repair()
    this.#find(v)
  }

  #find(v: number): void {
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

  /** Moves the cursor to the next range. False: there is none. */
  next(): boolean {
    const { value } = this
    while (this.#step()) if (this.value !== value) return true
    return false
  }

  /** Moves the cursor to the next boundary. False: there is none. */
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

  /** Where the cursor's range ends, or `limit` if that comes first. */
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

  /** What [v, v+n) holds, part by part: where each begins, its bytes, and its number. */
  within(v: number, n: number): [start: number, bytes: number, value: number][] {
    const parts: [number, number, number][] = []
    for (let at = v; at < v + n;) {
      this.seek(at)
      const end = this.endBy(v + n)
      parts.push([at, end - at, this.value])
      at = end
    }
    return parts
  }

  /** Whether the cursor's range covers [v, v+n) to its end. */
  reaches(v: number, n: number): boolean {
    // This does not use `end`: the engine would box its number where it does not inline the call.
    if ((this.#starts[this.#place + 1] as number) >= v + n && (this.#firsts[this.#chunk + 1] as number) >= v + n)
      return true
    return this.#reachesOver(v + n)
  }

  /** `reaches` over boundaries. Removes idle boundaries inside the range, so that later calls do not walk over them. */
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
    // After the last boundary of a chunk comes Infinity. Its neighbour is in another chunk.
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
    // An assignment adds two boundaries at most.
    while ((this.#lengths[this.#slabs[this.#chunk] as number] as number) > SLAB - 3) {
      this.#makeRoom()
      this.#find(v)
    }
    const starts = this.#starts
    const values = this.#values
    const end = v + n
    const from = starts[this.#place] === v ? this.#place : this.#place + 1
    const before = from > this.#place ? values[this.#place] : this.#valueBefore()
    let to = this.#place
    while ((starts[to + 1] as number) <= end) to += 1
    const goesOn = starts[to + 1] === Infinity && (this.#firsts[this.#chunk + 1] as number) <= end
    const after = goesOn ? this.#valueAt(end) : (values[to] as number)
    // The boundaries from `from` to `to` go. A new one comes at each end where the number changes.
    const added = (before === value ? 0 : 1) + (after === value ? 0 : 1)
    this.#tornStart = v
    this.#tornEnd = end
    this.#tornValue = value
    this.#tornAfter = after
    this.#torn = ASSIGNMENT
    if (goesOn) this.#clear(end)
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
    this.#torn = WHOLE
    if ((this.#size * placesPerBoundaryMax < starts.length && starts.length > slabsMin * SLAB) || this.#isIdle)
      this.#layOut()
  }

  /** Whether idle boundaries are many, and half of all. */
  get #isIdle(): boolean {
    return this.#idle > SLAB && this.#idle * 2 > this.#size
  }

  /** Moves the boundaries of the cursor's chunk from `from` on to `to`. */
  #shift(from: number, to: number): void {
    const starts = this.#starts
    const values = this.#values
    const slab = this.#slabs[this.#chunk] as number
    const stop = slab * SLAB + (this.#lengths[slab] as number)
    const by = to - from
    // A call of copyWithin costs more than moving so few boundaries.
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

  /** Ends a change at the first place of the cursor's chunk. The chunk begins elsewhere now, or is empty. */
  #settle(): void {
    const c = this.#chunk
    const first = this.#starts[(this.#slabs[c] as number) * SLAB] as number
    if (first === Infinity) this.#dropChunks(c, 1)
    else this.#firsts[c] = first
  }

  /** The number at `end`, which lies in a later chunk. Leaves the cursor where it is. */
  #valueAt(end: number): number {
    const [chunk, place] = [this.#chunk, this.#place]
    this.#find(end)
    const { value } = this
    this.#chunk = chunk
    this.#place = place
    return value
  }

  /** Removes the boundaries after the cursor's chunk, up to `end` and with it. */
  #clear(end: number): void {
    const c = this.#chunk
    const d = this.#seekChunk(end)
    for (let i = c + 1; i < d; i++) this.#size -= this.#lengths[this.#slabs[i] as number] as number
    this.#enter(d)
    this.#find(end)
    this.#shift(this.#place + 1, (this.#slabs[d] as number) * SLAB)
    this.#dropChunks(c + 1, d - c - 1)
    this.#enter(c + 1)
    this.#settle()
    this.#enter(c)
  }

  /** Moves the cursor to the boundary before, which exists. */
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

  /** The number before the cursor's boundary; -1 at address 0. */
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

  /** Halves the cursor's chunk. Without a free slab it lays all chunks out anew. The caller has to seek again. */
  #makeRoom(): void {
    if (this.#chunks === this.#slabs.length) return this.#layOut()
    this.#torn = LAYOUT
    const c = this.#chunk
    const slab = this.#slabs[c] as number
    const free = this.#slabs[this.#chunks] as number
    const length = this.#lengths[slab] as number
    const half = length >> 1
    const from = slab * SLAB + half
    const to = free * SLAB
    this.#values.copyWithin(to, from, from + length - half)
    this.#starts.copyWithin(to, from, from + length - half).fill(Infinity, from, from + length - half)
    this.#lengths[slab] = half
    this.#lengths[free] = length - half
    this.#slabs.copyWithin(c + 2, c + 1, this.#chunks)
    this.#slabs[c + 1] = free
    this.#firsts.copyWithin(c + 2, c + 1, this.#chunks + 1)
    this.#firsts[c + 1] = this.#starts[to] as number
    this.#chunks += 1
    this.#enter(c)
    this.#torn = WHOLE
  }

  /** Removes `count` chunks from chunk `c` on, and frees their slabs. */
  #dropChunks(c: number, count: number): void {
    if (count === 0) return
    const dropped = this.#slabs.slice(c, c + count)
    for (const slab of dropped) this.#starts.fill(Infinity, slab * SLAB, (slab + 1) * SLAB)
    this.#slabs.copyWithin(c, c + count, this.#chunks)
    this.#slabs.set(dropped, this.#chunks - count)
    this.#firsts.copyWithin(c, c + count, this.#chunks + 1)
    this.#chunks -= count
    this.#enter(Math.min(this.#chunk, this.#chunks - 1))
  }

  /** Lays the chunks out anew, without idle boundaries. */
  #layOut(): void {
    const layout = new Layout(this.#size)
    const starts = this.#starts
    const values = this.#values
    for (let c = 0; c < this.#chunks; c++) {
      const slab = this.#slabs[c] as number
      const stop = slab * SLAB + (this.#lengths[slab] as number)
      for (let i = slab * SLAB; i < stop; i++) layout.add(starts[i] as number, values[i] as number)
    }
    this.#take(layout)
  }

  /** Takes a new layout, whose slabs are in order. */
  #take({ starts, values, lengths, chunks, size }: Layout): void {
    const slabs = Int32Array.from(lengths, (_, slab) => slab)
    const firsts = new Float64Array(lengths.length + 1).fill(Infinity)
    for (let c = 0; c < chunks; c++) firsts[c] = starts[c * SLAB] as number
    // There is no call and no loop from here on, so no script ends between the first and the last of these.
    this.#starts = starts
    this.#values = values
    this.#lengths = lengths
    this.#slabs = slabs
    this.#firsts = firsts
    this.#chunks = chunks
    this.#size = size
    this.#idle = 0
    this.#chunk = 0
    this.#place = 0
    this.#torn = WHOLE
  }

  /** Ends the change that a script left. The map then holds what it would hold if the script had gone on. */
  #repair(): void {
    const found: [start: number, value: number][] = []
    const isAssignment = this.#torn === ASSIGNMENT
    for (let i = 0; i < this.#starts.length; i++) {
      const start = this.#starts[i] as number
      if (start === Infinity || (isAssignment && start >= this.#tornStart && start <= this.#tornEnd)) continue
      found.push([start, this.#values[i] as number])
    }
    if (isAssignment) found.push([this.#tornStart, this.#tornValue], [this.#tornEnd, this.#tornAfter])
    found.sort(([a], [b]) => a - b)
    const layout = new Layout(found.length)
    for (const [start, value] of found) layout.add(start, value)
    this.#take(layout)
  }
}
