// Spans: runs of pages with objects of one size class, and large objects, which have pages of their own. It answers to
// mspan, mcentral and mcache in Go's runtime/mheap.go, mcentral.go and malloc.go (`nextFreeFast`).
//
// What is known of a span stands apart from its objects, by the number of its first page: a word of class and place, a
// count of free objects, and where its bitmap is. In a bitmap 1 means free, so that the bits beyond the last object
// are never handed out. Allocation takes the lowest bit of the current word. A free sets the bit again. In front of
// each bitmap stands a word that has a bit for each of its words: 0 means that the word has no free object. Allocation
// clears the bit late, when it finds the word empty.
import { Arena, atHandle, atSpan, atUnits, atWord, currentStride } from './arena.js'
import { lowestBit } from './page-set.js'
import type { PageHeap } from './page-heap.js'
import { classes, classesMax, pageBytes, pagesForOne, pageShift, pageUnits, unitBytes } from './size-classes.js'
import { largeClass, SpanTable } from './span-table.js'
import type { WordPool } from './word-pool.js'

/** How deep arenas nest: a level is 7 bits. */
export const levelsMax = 127
const seen = 128

/** The objects of one heap. */
export class Spans {
  /** What is known of each page. */
  readonly table: SpanTable
  readonly #pages: PageHeap
  readonly #pool: WordPool
  // The arrays of the table, because each step on the way costs.
  #words: Int32Array
  readonly #tags: Uint16Array
  readonly #free: Uint16Array
  readonly #base: Int32Array
  readonly #levels: Uint8Array
  readonly #arenas: Arena[]
  #depth = 0
  #arena: Arena
  #current: Int32Array
  #marks = 0

  constructor(pages: PageHeap, count: number) {
    const table = new SpanTable(count)
    this.#pages = pages
    this.table = table
    this.#pool = table.pool
    this.#words = table.pool.words
    this.#tags = table.tags
    this.#free = table.free
    this.#base = table.base
    this.#levels = table.levels
    this.#arena = new Arena()
    this.#arenas = [this.#arena]
    this.#current = this.#arena.current
  }

  /** Its own bytes. */
  get bytes(): number {
    const arenas = this.#arenas.reduce((sum, { bytes }) => sum + bytes, 0)
    return arenas + this.table.bytes
  }

  /** Open marks. */
  get depth(): number {
    return this.#depth
  }

  /** The handle of an object of a class. @throws OutOfMemoryError, and nothing has changed then. */
  alloc(sizeClass: number): number {
    const current = this.#current
    const at = sizeClass * currentStride
    const word = current[at + atWord] as number
    const bits = this.#words[word] as number
    if (bits === 0) return this.#refill(sizeClass)
    const low = bits & -bits
    const span = current[at + atSpan] as number
    this.#words[word] = bits ^ low
    this.#free[span] = (this.#free[span] as number) - 1
    return (current[at + atHandle] as number) + Math.imul(31 - Math.clz32(low), current[at + atUnits] as number)
  }

  /** The handle of an object of `n` pages. @throws OutOfMemoryError, and nothing has changed then. */
  allocLarge(n: number): number {
    const page = this.#pages.take(n)
    this.#tags[page] = largeClass << 8
    this.#base[page] = n
    this.#enter(page)
    return page << pageShift
  }

  /** Frees an object. False: no object that is in use begins at `handle`, and nothing has happened. */
  free(handle: number): boolean {
    if (!isInt32(handle)) return false
    const page = handle >>> pageShift
    const tag = this.#tags[page] as number
    const sizeClass = tag >>> 8
    if (sizeClass === 0 || sizeClass === largeClass) return this.#freeLarge(handle)
    const span = page - (tag & 255)
    const offset = handle - (span << pageShift)
    const index = (offset * (classes.inverse[sizeClass] as number)) | 0
    const objects = classes.objects[sizeClass] as number
    if (index * (classes.units[sizeClass] as number) !== offset || index >= objects) return false
    const at = (this.#base[span] as number) + (index >>> 5)
    const word = this.#words[at] as number
    const bit = 1 << index
    if ((word & bit) !== 0) return false
    this.#words[at] = word | bit
    const free = (this.#free[span] as number) + 1
    this.#free[span] = free
    if (word === 0 || free === objects) this.#turn(sizeClass, span, index >>> 5)
    return true
  }

  /** The bytes of the object at `handle`; 0: no object that is in use begins there. */
  sizeOf(handle: number): number {
    const tag = isInt32(handle) ? (this.#tags[handle >>> pageShift] ?? 0) : 0
    const sizeClass = tag >>> 8
    if (sizeClass === 0) return 0
    const page = (handle >>> pageShift) - (tag & 255)
    const offset = handle - (page << pageShift)
    if (sizeClass === largeClass) return offset === 0 ? (this.#base[page] as number) * pageBytes : 0
    const index = (offset * (classes.inverse[sizeClass] as number)) | 0
    const units = classes.units[sizeClass] as number
    if (index * units !== offset || index >= (classes.objects[sizeClass] as number)) return 0
    const word = this.#words[(this.#base[page] as number) + (index >>> 5)] as number
    return (word & (1 << index)) === 0 ? units * unitBytes : 0
  }

  /** Whether an object that is free now can begin at `handle`. For the text of an error. */
  isFree(handle: number): boolean {
    if (!Number.isInteger(handle) || handle <= 0) return false
    const page = Math.floor(handle / pageUnits)
    if (page >= this.#tags.length || !this.#pages.has(page)) return page < this.#pages.end
    const tag = this.#tags[page] as number
    const sizeClass = tag >>> 8
    if (sizeClass === 0 || sizeClass === largeClass) return false
    const offset = handle - ((page - (tag & 255)) << pageShift)
    const units = classes.units[sizeClass] as number
    return offset % units === 0 && offset / units < (classes.objects[sizeClass] as number)
  }

  /** Makes a large object `n` pages long where it is. False: it can't be. */
  resizeLarge(handle: number, n: number): boolean {
    const page = handle >>> pageShift
    if ((this.#tags[page] as number) >>> 8 !== largeClass) return false
    const before = this.#base[page] as number
    if (n > before && !this.#pages.takeAt(page + before, n - before)) return false
    if (n < before) this.#pages.give(page + n, before - n)
    this.#base[page] = n
    return true
  }

  /** Allocations go to the arena of the object at `handle`, until `leaveArena`. */
  enterArenaOf(handle: number): void {
    const page = handle >>> pageShift
    const first = page - ((this.#tags[page] as number) & 255)
    this.#use(this.#arenas[this.#levels[first] as number] as Arena)
  }

  /** Allocations go to the arena of the last mark that is open. */
  leaveArena(): void {
    this.#use(this.#arenas[this.#depth] as Arena)
  }

  #use(arena: Arena): void {
    this.#arena = arena
    this.#current = arena.current
  }

  /** Opens an arena for the allocations that follow. Returns its mark. Only while fewer than `levelsMax` are open. */
  mark(): number {
    const depth = this.#depth + 1
    const arena = (this.#arenas[depth] ??= new Arena())
    arena.mark = this.#marks += 1
    this.#depth = depth
    this.#use(arena)
    return arena.mark
  }

  /** Frees what was allocated since `mark`. False: it is not open. */
  release(mark: number): boolean {
    let level = this.#depth
    while (level > 0 && (this.#arenas[level] as Arena).mark !== mark) level -= 1
    if (level === 0) return false
    for (; this.#depth >= level; this.#depth--) this.#empty(this.#arenas[this.#depth] as Arena, this.#depth)
    this.#use(this.#arenas[this.#depth] as Arena)
    return true
  }

  #empty(arena: Arena, level: number): void {
    for (let i = 0; i < arena.listed; i++) {
      const page = arena.list[i] as number
      if (this.#isIn(page, level)) this.#remove(page)
    }
    arena.clear()
  }

  /** Forgets all objects. */
  clear(): void {
    for (const arena of this.#arenas) arena.clear()
    this.#tags.fill(0)
    this.#depth = 0
    this.#use(this.#arenas[0] as Arena)
  }

  /** Gives the empty spans that are kept to the page heap. False: there are none. */
  dropKept(): boolean {
    let found = false
    for (let level = 0; level <= this.#depth; level++) {
      const arena = this.#arenas[level] as Arena
      for (let c = 1; c <= classesMax; c++) {
        found = this.#dropIfEmpty(arena, c, arena.current[c * currentStride + atSpan] as number) || found
        found = this.#dropIfEmpty(arena, c, arena.spare[c] as number) || found
      }
    }
    return found
  }

  #dropIfEmpty(arena: Arena, sizeClass: number, page: number): boolean {
    const isSpan = page !== 0 && this.#tags[page] === sizeClass << 8
    if (!isSpan || this.#free[page] !== classes.objects[sizeClass]) return false
    const at = sizeClass * currentStride
    if (arena.current[at + atSpan] === page) arena.current.fill(0, at, at + currentStride)
    if (arena.spare[sizeClass] === page) arena.spare[sizeClass] = 0
    this.#drop(arena, sizeClass, page)
    return true
  }

  /** Gives all empty spans to the page heap. */
  dropEmpty(): void {
    for (const { page, sizeClass, objects, free } of this.table.all(this.#pages.end)) {
      if (sizeClass !== 0 && free === objects)
        void this.#dropIfEmpty(this.#arenas[this.#levels[page] as number] as Arena, sizeClass, page)
    }
  }

  /**
   * Points the class at a word that has a free object, and allocates there. The current span serves until it is full.
   * Then comes the span that was full and has room since, because it is the fullest, and then the lowest.
   */
  #refill(sizeClass: number): number {
    const at = sizeClass * currentStride
    const words = this.#words
    let span = this.#current[at + atSpan] as number
    if (span !== 0) {
      const base = this.#base[span] as number
      const left = (words[base - 1] as number) & ~(1 << ((this.#current[at + atWord] as number) - base))
      words[base - 1] = left
      if (left !== 0) {
        this.#point(this.#current, at, sizeClass, span, lowestBit(left))
        return this.alloc(sizeClass)
      }
    }
    span = this.#arena.takeRoomy(sizeClass)
    if (span < 0) span = this.#make(sizeClass)
    if (span < 0) return this.#allocAlone(sizeClass)
    this.#point(this.#current, at, sizeClass, span, lowestBit(this.#words[(this.#base[span] as number) - 1] as number))
    return this.alloc(sizeClass)
  }

  /** There is no room for a span of the class. One object may fit. */
  #allocAlone(sizeClass: number): number {
    return this.allocLarge(pagesForOne(sizeClass, this.#tags.length) || (classes.pages[sizeClass] as number))
  }

  /** A word of a span serves the class from now on. */
  #point(current: Int32Array, at: number, sizeClass: number, span: number, word: number): void {
    const units = classes.units[sizeClass] as number
    current[at + atWord] = (this.#base[span] as number) + word
    current[at + atHandle] = (span << pageShift) + word * 32 * units
    current[at + atUnits] = units
    current[at + atSpan] = span
  }

  /**
   * A new span of a class; -1: there are no pages for it. The call that takes pages can call code that changes the
   * heap, so the rest comes after.
   */
  #make(sizeClass: number): number {
    const n = classes.pages[sizeClass] as number
    const page = this.#pages.tryTake(n)
    if (page < 0) return -1
    const count = classes.words[sizeClass] as number
    const objects = classes.objects[sizeClass] as number
    const base = this.#pool.take(count + 1) + 1
    const words = (this.#words = this.#pool.words)
    words[base - 1] = count === 32 ? -1 : ~(-1 << count)
    words.fill(-1, base, base + count)
    if (objects % 32 !== 0) words[base + count - 1] = ~(-1 << objects)
    for (let i = 0; i < n; i++) this.#tags[page + i] = (sizeClass << 8) | i
    this.#free[page] = objects
    this.#base[page] = base
    this.#enter(page)
    // Code that was called meanwhile can have made another span current.
    const current = this.#current[sizeClass * currentStride + atSpan] as number
    if (current !== 0 && (this.#free[current] as number) > 0) this.#arena.addRoomy(sizeClass, current)
    return page
  }

  /** A span or a large object belongs to the open arena. */
  #enter(page: number): void {
    this.#levels[page] = this.#arenas.indexOf(this.#arena)
    if (this.#arena === this.#arenas[0]) return
    while (!this.#arena.note(page)) this.#tidy(this.#arena)
  }

  /** Makes room in an arena's list. */
  #tidy(arena: Arena): void {
    const level = this.#arenas.indexOf(arena)
    const { list, listed } = arena
    arena.listed = 0
    for (let i = 0; i < listed; i++) {
      const page = list[i] as number
      if (!this.#isIn(page, level)) continue
      // A page that was given back and taken again is there twice.
      this.#levels[page] = level | seen
      void arena.note(page)
    }
    for (let i = 0; i < arena.listed; i++) this.#levels[list[i] as number] = level
    if (arena.listed > list.length / 2) arena.lengthen()
  }

  #isIn(page: number, level: number): boolean {
    const tag = this.#tags[page] as number
    return tag !== 0 && (tag & 255) === 0 && this.#levels[page] === level
  }

  /** A word that was full has room, or a span has become empty. */
  #turn(sizeClass: number, span: number, word: number): void {
    const words = this.#words
    const summary = (this.#base[span] as number) - 1
    words[summary] = (words[summary] as number) | (1 << word)
    const arena = this.#depth === 0 ? this.#arena : (this.#arenas[this.#levels[span] as number] as Arena)
    const at = sizeClass * currentStride
    const free = this.#free[span] as number
    if (words[arena.current[at + atWord] as number] === 0 && this.#followFree(arena, at, sizeClass, span, word, free))
      return
    if (arena.current[at + atSpan] === span) return
    if (free === 1) arena.addRoomy(sizeClass, span)
    else if (free === classes.objects[sizeClass]) this.#emptied(arena, sizeClass, span)
  }

  /**
   * The current word of a class has no free object, and `word` of `span` has one. It serves from now on, if it is in
   * the current span, or if that one is full and `span` was. So the next allocation searches nothing.
   */
  #followFree(arena: Arena, at: number, sizeClass: number, span: number, word: number, free: number): boolean {
    const before = arena.current[at + atSpan] as number
    if (before === 0) return false
    const words = this.#words
    const base = this.#base[before] as number
    const left = (words[base - 1] as number) & ~(1 << ((arena.current[at + atWord] as number) - base))
    words[base - 1] = left
    if (before !== span && (left !== 0 || free !== 1)) return false
    this.#point(arena.current, at, sizeClass, span, word)
    return true
  }

  /** Keeps one empty span of a class, so that a program at its edge does not make one again and again. */
  #emptied(arena: Arena, sizeClass: number, span: number): void {
    const other = arena.spare[sizeClass] as number
    const isSpare = other !== 0 && this.#free[other] === classes.objects[sizeClass]
    if (other === span) return
    if (!isSpare || arena.current[sizeClass * currentStride + atSpan] === other) {
      arena.spare[sizeClass] = span
      return
    }
    arena.spare[sizeClass] = Math.min(span, other)
    this.#drop(arena, sizeClass, Math.max(span, other))
  }

  #drop(arena: Arena, sizeClass: number, span: number): void {
    arena.deleteRoomy(sizeClass, span)
    this.#remove(span)
  }

  /** Gives the pages and the bitmap of a span back, or the pages of a large object. */
  #remove(page: number): void {
    const sizeClass = (this.#tags[page] as number) >>> 8
    const isLarge = sizeClass === largeClass
    const n = (isLarge ? this.#base[page] : classes.pages[sizeClass]) as number
    if (!isLarge) this.#pool.give((this.#base[page] as number) - 1, (classes.words[sizeClass] as number) + 1)
    this.#tags.fill(0, page, isLarge ? page + 1 : page + n)
    this.#pages.give(page, n)
  }

  #freeLarge(handle: number): boolean {
    const page = handle >>> pageShift
    if ((this.#tags[page] ?? 0) >>> 8 !== largeClass || handle !== page << pageShift) return false
    this.#remove(page)
    return true
  }
}

function isInt32(value: number): boolean {
  return typeof value === 'number' && value === (value | 0)
}
