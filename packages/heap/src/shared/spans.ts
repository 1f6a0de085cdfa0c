// The objects of a shared heap, as one thread allocates and frees them. A thread allocates in spans of its own. Any
// thread frees an object in any span.
//
// A bitmap of a span has a bit for each object: 1 means in use. Only the thread that has pinned the span sets bits, by
// Atomics.or. Any thread clears a bit by Atomics.and, whose answer tells whether the object was in use. So of two frees
// of one object one is refused, whichever threads make them.
//
// The owner keeps a copy of the word that serves a class: the bits that it knows to be free. Other threads only add to
// those. A span that has room again is known to its owner in this way: a free that finds a word at -1 tells the owner,
// by a set when it is the same thread, and else by a hint. A span whose words are not at -1 is known already, or its
// owner will still come to that word.
//
// A thread that finds the heap full takes spans from others: see pins.ts. So after each bit that it sets, the owner
// looks whether the span is its own.
import { PageSet } from '../page-set.js'
import { classes, classesMax, pageShift } from '../size-classes.js'
import { isLast, type Bitmaps } from './bitmaps.js'
import type { Hints } from './hints.js'
import { isHandle } from './objects.js'
import { aboveShift, CLAIMED, classIn, kindMask, LARGE, mapWords, orphanage, PART, type Layout } from './layout.js'
import { isOrphan, orphanOf, type SharedPages } from './pages.js'
import type { Pins } from './pins.js'

// Numbers of a class in `#current`.
const currentStride = 5
/** The bits that are known to be free in the word that serves allocations. */
const BITS = 0
/** That word. */
const WORD = 1
/** The handle of the object of its lowest bit. */
const HANDLE = 2
/** Units of an object. */
const UNITS = 3
/** The span's first page, which is pinned; 0: there is none. */
const SPAN = 4

/** What the objects of a heap are made of, for one thread. */
export interface SpanParts {
  readonly words: Int32Array
  readonly layout: Layout
  readonly slot: number
  readonly pages: SharedPages
  readonly maps: Bitmaps
  readonly pins: Pins
  readonly hints: Hints
}

/** The objects of a heap, for the thread of one slot. */
export class SharedSpans {
  #words: Int32Array
  readonly #pagesAt: number
  readonly #mapsAt: number
  /** Pages; 0: the heap is not there any more. */
  #count: number
  readonly #slot: number
  /** The slot, above the kind of a page. */
  readonly #tag: number
  readonly #pages: SharedPages
  readonly #maps: Bitmaps
  readonly #pins: Pins
  readonly #hints: Hints
  readonly #current = new Int32Array((classesMax + 1) * currentStride)
  /** By class: spans of this thread that have room. A span that is there may have none. */
  readonly #roomy: (PageSet | undefined)[] = Array.from({ length: classesMax + 1 }, () => undefined)
  /** By class: an empty span that is kept; 0: there is none. */
  readonly #spare = new Int32Array(classesMax + 1)

  constructor({ words, layout, slot, pages, maps, pins, hints }: SpanParts) {
    this.#words = words
    this.#pagesAt = layout.pagesAt
    this.#mapsAt = layout.mapsAt
    this.#count = layout.pages
    this.#slot = slot
    this.#tag = slot << aboveShift
    this.#pages = pages
    this.#maps = maps
    this.#pins = pins
    this.#hints = hints
  }

  /** The handle of an object of a class; 0: there is no room. */
  alloc(sizeClass: number): number {
    const current = this.#current
    const at = sizeClass * currentStride
    const bits = current[at] as number
    if (bits === 0) return this.#refill(sizeClass)
    const low = bits & -bits
    current[at] = bits ^ low
    void Atomics.or(this.#words, current[at + WORD] as number, low)
    const page = this.#pagesAt + (current[at + SPAN] as number)
    if (Atomics.load(this.#words, page) !== (sizeClass | this.#tag)) return this.#lost(sizeClass, low)
    return (current[at + HANDLE] as number) + Math.imul(31 - Math.clz32(low), current[at + UNITS] as number)
  }

  /** Another thread has taken the span of a class, so the bit that was set last means nothing. Allocates elsewhere. */
  #lost(sizeClass: number, bit: number): number {
    void Atomics.and(this.#words, this.#current[sizeClass * currentStride + WORD] as number, ~bit)
    this.#leave(sizeClass)
    return this.#refill(sizeClass)
  }

  /** No span serves a class. The one that did may have another owner by now, who waits for the pin. */
  #leave(sizeClass: number): void {
    const at = sizeClass * currentStride
    const span = this.#current[at + SPAN] as number
    this.#current.fill(0, at, at + currentStride)
    if (span !== 0) this.#unpin(span)
  }

  #unpin(page: number): void {
    this.#pins.drop(page)
    const owner = this.#pages.ownerOf(page)
    if (owner >= 0 && owner !== this.#slot) this.#tell(page, owner)
  }

  /** The handle of an object of `n` pages; 0: there is no room. */
  allocLarge(n: number): number {
    const page = this.#pages.claim(n, true)
    if (page > 0) this.#pages.become(page, LARGE | (n << aboveShift))
    return page << pageShift
  }

  /** Frees an object. False: no object that is in use begins at `handle`, and nothing has happened. */
  free(handle: number): boolean {
    if (!isHandle(handle)) return false
    const words = this.#words
    let page = handle >>> pageShift
    if (page >= this.#count) return false
    let word = words[this.#pagesAt + page] as number
    if ((word & kindMask) === PART) {
      page -= word >>> aboveShift
      if (page < 0) return false
      word = words[this.#pagesAt + page] as number
    }
    const sizeClass = word & kindMask
    if (sizeClass === 0 || sizeClass > classesMax) return this.#freeLarge(handle)
    const offset = handle - (page << pageShift)
    const index = (offset * (classes.inverse[sizeClass] as number)) | 0
    if (index * (classes.units[sizeClass] as number) !== offset || index >= (classes.objects[sizeClass] as number))
      return false
    const at = this.#mapsAt + page * mapWords + (index >>> 5)
    const bit = 1 << index
    const before = Atomics.and(words, at, ~bit)
    if ((before & bit) === 0) return false
    const place = sizeClass * currentStride
    if (this.#current[place + WORD] === at) this.#current[place] = (this.#current[place] as number) | bit
    else if (before === -1 || isLast(sizeClass, before, bit)) this.#turn(sizeClass, page, before)
    return true
  }

  #freeLarge(handle: number): boolean {
    const page = handle >>> pageShift
    if (handle !== page << pageShift) return false
    const word = this.#pages.word(page)
    if ((word & kindMask) !== LARGE) return false
    // Of two threads that free it, one is refused.
    if (!this.#pages.change(page, word, CLAIMED | (this.#slot << aboveShift))) return false
    this.#pages.free(page, word >>> aboveShift)
    return true
  }

  /** Points the class at a word that has a free object, and allocates there. 0: there is no room. */
  #refill(sizeClass: number): number {
    if (this.#count === 0) return 0
    const at = sizeClass * currentStride
    const span = this.#current[at + SPAN] as number
    if (span !== 0) {
      const word = (this.#current[at + WORD] as number) - this.#maps.of(span)
      if (this.#isOwn(span, sizeClass) && this.#pointFrom(sizeClass, span, word)) return this.alloc(sizeClass)
      this.#leave(sizeClass)
    }
    if (this.#useRoomy(sizeClass)) return this.alloc(sizeClass)
    this.#hints.takeAll(this.#slot, (page) => this.#heard(page))
    const found = this.#useRoomy(sizeClass) || this.#adopt(sizeClass) || this.#make(sizeClass)
    return found ? this.alloc(sizeClass) : 0
  }

  /** The first word of a span from `word` on that has a free object serves the class. False: there is none. */
  #pointFrom(sizeClass: number, span: number, word: number): boolean {
    const count = classes.words[sizeClass] as number
    for (let i = word; i < count; i++) {
      const free = this.#maps.free(sizeClass, span, i)
      if (free === 0) continue
      const current = this.#current
      const at = sizeClass * currentStride
      const units = classes.units[sizeClass] as number
      current[at + BITS] = free
      current[at + WORD] = this.#maps.of(span) + i
      current[at + HANDLE] = (span << pageShift) + i * 32 * units
      current[at + UNITS] = units
      current[at + SPAN] = span
      return true
    }
    return false
  }

  /** A span of this thread serves a class that has none. False: it has no room, or another thread has taken it. */
  #use(sizeClass: number, page: number): boolean {
    if (!this.#isOwn(page, sizeClass) || !this.#pins.take(page)) return false
    // A thread that took it before the pin may have freed it since.
    if (this.#isOwn(page, sizeClass) && this.#pointFrom(sizeClass, page, 0)) return true
    this.#unpin(page)
    return false
  }

  /** The lowest span of this thread that has room serves the class. */
  #useRoomy(sizeClass: number): boolean {
    const set = this.#roomy[sizeClass]
    if (set === undefined) return false
    for (let page = set.lowest(); page >= 0; page = set.lowest()) {
      set.delete(page)
      if (this.#use(sizeClass, page)) return true
    }
    return false
  }

  #isOwn(page: number, sizeClass: number): boolean {
    return this.#pages.word(page) === (sizeClass | this.#tag)
  }

  #addRoomy(sizeClass: number, page: number): void {
    const set = (this.#roomy[sizeClass] ??= new PageSet())
    set.add(page)
  }

  /** Another thread has freed an object of the span at `page`. */
  #heard(page: number): void {
    const word = page < this.#count ? this.#pages.word(page) : 0
    const sizeClass = classIn(word)
    if (word >>> aboveShift !== this.#slot || sizeClass === 0) return
    this.#addRoomy(sizeClass, page)
    if (this.#maps.isEmpty(sizeClass, page)) this.#emptied(sizeClass, page)
  }

  /** A span of a thread that has ended serves the class. */
  #adopt(sizeClass: number): boolean {
    const orphan = orphanOf(sizeClass)
    return this.#hints.some(orphanage, (page) => {
      if (page >= this.#count) return false
      const word = this.#pages.word(page)
      if (word !== orphan) {
        if (!isOrphan(word)) this.#forgetOrphan(page)
        return false
      }
      if (!this.#pages.change(page, orphan, sizeClass | this.#tag)) return false
      this.#forgetOrphan(page)
      return this.#use(sizeClass, page)
    })
  }

  #forgetOrphan(page: number): void {
    this.#hints.forget(orphanage, page)
    // It may have become one in between.
    if (isOrphan(this.#pages.word(page))) this.#hints.tell(orphanage, page)
  }

  /** A new span serves the class. False: there are no pages for it. */
  #make(sizeClass: number): boolean {
    for (;;) {
      const page = this.#pages.claim(classes.pages[sizeClass] as number, false)
      if (page === 0) return false
      this.#maps.begin(sizeClass, page)
      // The bitmap comes before the word that makes it a span.
      this.#pages.become(page, sizeClass | this.#tag)
      if (this.#use(sizeClass, page)) return true
      // A thread looked at the page just now, or this one was taken at once. What is left of it serves later.
      this.#addRoomy(sizeClass, page)
    }
  }

  /** A word that was full has room, or is empty. */
  #turn(sizeClass: number, page: number, before: number): void {
    const isEmpty = this.#maps.isEmpty(sizeClass, page)
    if (!isEmpty && before !== -1) return
    // The owner is read after the free. If that changes then, the new owner has seen the free.
    const owner = this.#pages.ownerOf(page)
    if (owner === this.#slot) {
      if (before === -1) this.#addRoomy(sizeClass, page)
      if (isEmpty) this.#emptied(sizeClass, page)
    } else if (owner !== orphanage || !isEmpty || !this.#take(sizeClass, page, orphanOf(sizeClass)))
      this.#tell(page, owner)
  }

  /** Tells the owner of a span, also when a sweep made that another one meanwhile. */
  #tell(page: number, owner: number): void {
    for (let told = -1; owner >= 0 && told !== owner; owner = this.#pages.ownerOf(page)) {
      this.#hints.tell(owner, page)
      told = owner
    }
  }

  /**
   * Takes the span at a page from the owner that its word names, and frees it if it is empty. False: the word is
   * another one by now.
   */
  #take(sizeClass: number, page: number, word: number): boolean {
    if (!this.#pages.change(page, word, sizeClass | this.#tag)) return false
    // Its owner may have allocated in it before.
    if (this.#maps.isEmpty(sizeClass, page)) this.#free(sizeClass, page)
    else this.#addRoomy(sizeClass, page)
    return true
  }

  /** Frees the pages of an empty span of this thread, unless another one has taken it. */
  #free(sizeClass: number, page: number): void {
    this.#pages.freeSpan(page, sizeClass | this.#tag, classes.pages[sizeClass] as number)
  }

  /** Keeps one empty span of a class, so that a program at its edge does not make one again and again. */
  #emptied(sizeClass: number, page: number): void {
    const current = this.#current[sizeClass * currentStride + SPAN] as number
    const other = this.#spare[sizeClass] as number
    if (page === current || page === other) return
    this.#addRoomy(sizeClass, page)
    const isSpare =
      other !== 0 && other !== current && this.#isOwn(other, sizeClass) && this.#maps.isEmpty(sizeClass, other)
    this.#spare[sizeClass] = isSpare ? Math.min(page, other) : page
    if (isSpare) this.#drop(sizeClass, Math.max(page, other))
  }

  #drop(sizeClass: number, page: number): void {
    this.#roomy[sizeClass]?.delete(page)
    this.#free(sizeClass, page)
  }

  /**
   * Frees the pages of all empty spans, whichever thread has them, and finds all spans of this thread that have room.
   * It looks at every page, so it is for a heap that seems to be full.
   */
  gather(): void {
    this.#pages.eachSpan((sizeClass, page, word) => {
      const isOwn = word === (sizeClass | this.#tag)
      const isEmpty = this.#maps.isEmpty(sizeClass, page)
      if (isOwn && isEmpty) this.#gatherOne(sizeClass, page)
      else if (isOwn) this.#addRoomy(sizeClass, page)
      else if (isEmpty) void this.#take(sizeClass, page, word)
      return false
    })
  }

  #gatherOne(sizeClass: number, page: number): void {
    if (this.#current[sizeClass * currentStride + SPAN] === page) this.#leave(sizeClass)
    if (this.#spare[sizeClass] === page) this.#spare[sizeClass] = 0
    this.#drop(sizeClass, page)
  }

  /** Takes a span of a class that has room, and that no thread allocates in. It is for a heap that is full. */
  takeRoomy(sizeClass: number): void {
    this.#pages.eachSpan((found, page, word) => {
      if (found !== sizeClass || word === (sizeClass | this.#tag) || this.#pins.has(page)) return false
      return this.#maps.hasRoom(sizeClass, page) && this.#take(sizeClass, page, word)
    })
  }

  /**
   * The spans that `owner` has are orphans from now on, and those that are empty are free. What it had claimed is free
   * as well. Its thread has ended and this one sweeps, or it is this thread.
   */
  giveUp(owner: number): void {
    if (owner === this.#slot) this.#current.fill(0)
    // A thread that adopts an orphan pins it.
    this.#pins.dropAll(owner, this.#pages.end)
    this.#pages.eachSpan((sizeClass, page, word) => {
      if (word >>> aboveShift === owner) this.#giveUpSpan(sizeClass, page, word)
      return false
    })
    this.#pages.freeClaimedBy(owner)
  }

  #giveUpSpan(sizeClass: number, page: number, word: number): void {
    if (this.#maps.isEmpty(sizeClass, page)) {
      this.#pages.freeSpan(page, word, classes.pages[sizeClass] as number)
      return
    }
    const orphan = orphanOf(sizeClass)
    if (!this.#pages.change(page, word, orphan)) return
    // Its last object may have been freed meanwhile, by a thread that told the owner.
    if (!this.#maps.isEmpty(sizeClass, page) || !this.#take(sizeClass, page, orphan)) this.#hints.tell(orphanage, page)
  }

  /** The heap is not there any more. */
  clear(): void {
    this.#words = new Int32Array(0)
    this.#count = 0
    this.#current.fill(0)
    this.#roomy.fill(undefined)
  }
}
