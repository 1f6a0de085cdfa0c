// What is known of the pages of a heap, in typed arrays by page number, apart from the objects. It answers to the
// fields of mspan and to the span lookup in Go's runtime/mheap.go.
import { FatalError } from '@memlayer/core'
import { bytesOfClass, classes, pageBytes } from './size-classes.js'
import { WordPool } from './word-pool.js'

/** The class of a large object in its page's tag. */
export const largeClass = 255

/** A span or a large object. */
export interface SpanFigures {
  /** Its first page. */
  page: number
  pages: number
  /** Its class; 0: it is one large object. */
  sizeClass: number
  /** Objects that fit, and those of them that are free. */
  objects: number
  free: number
}

/** The table of one heap. */
export class SpanTable {
  /** By page: its class times 256, and how many pages it is from the first of its span. 0: no object begins there. */
  readonly tags: Uint16Array
  /** By first page: free objects. */
  readonly free: Uint16Array
  /** By first page: where the bitmap begins; of a large object its pages. */
  readonly base: Int32Array
  /** By first page: the level of its arena. */
  readonly levels: Uint8Array
  /** The bitmaps. */
  readonly pool: WordPool = new WordPool()

  /** A table of `count` pages. */
  constructor(count: number) {
    this.tags = new Uint16Array(count)
    this.free = new Uint16Array(count)
    this.base = new Int32Array(count)
    this.levels = new Uint8Array(count)
  }

  /** Its own bytes. */
  get bytes(): number {
    const byPage = this.tags.byteLength + this.free.byteLength + this.base.byteLength + this.levels.byteLength
    return byPage + this.pool.bytes
  }

  /** All spans and large objects below the page `end`, by address. The same object each time. */
  *all(end: number): Generator<Readonly<SpanFigures>, void> {
    const figures: SpanFigures = { page: 1, pages: 1, sizeClass: 0, objects: 1, free: 0 }
    for (let page = 1; page < end; page += figures.pages) {
      const tag = this.tags[page] as number
      figures.pages = 1
      if (tag === 0) continue
      const sizeClass = tag >>> 8
      const isLarge = sizeClass === largeClass
      figures.page = page
      figures.pages = (isLarge ? this.base[page] : classes.pages[sizeClass]) as number
      figures.sizeClass = isLarge ? 0 : sizeClass
      figures.objects = isLarge ? 1 : (classes.objects[sizeClass] as number)
      figures.free = isLarge ? 0 : (this.free[page] as number)
      yield figures
    }
  }

  /** Calls `visit` with each run of free objects in the span `page`, as bytes [from, end) of the heap. */
  holes(page: number, sizeClass: number, visit: (from: number, end: number) => void): void {
    const objects = classes.objects[sizeClass] as number
    const size = bytesOfClass(sizeClass)
    const start = page * pageBytes
    const base = this.base[page] as number
    const { words } = this.pool
    let first = -1
    for (let i = 0; i <= objects; i++) {
      const isFree = i < objects && ((words[base + (i >>> 5)] as number) & (1 << i)) !== 0
      if (isFree && first < 0) first = i
      if (isFree || first < 0) continue
      // What a span leaves over behind its last object goes with that.
      visit(
        start + first * size,
        i < objects ? start + i * size : start + (classes.pages[sizeClass] as number) * pageBytes,
      )
      first = -1
    }
  }

  /** Holds the count of each span against its bitmap. @throws FatalError when they differ. */
  audit(end: number, name: string): void {
    for (const { page, sizeClass, objects, free } of this.all(end)) {
      if (sizeClass === 0) continue
      const base = this.base[page] as number
      const count = classes.words[sizeClass] as number
      let bits = 0
      for (let word = 0; word < count; word++) {
        const own = this.pool.words[base + word] as number
        bits += bitsIn(own)
        const isTold = ((this.pool.words[base - 1] as number) & (1 << word)) !== 0
        if (own !== 0 && !isTold) broken(name, page, `the word ${word} has room, and its summary says that it has none`)
      }
      const last = objects % 32 === 0 ? -1 : ~(-1 << objects)
      if (((this.pool.words[base + count - 1] as number) & ~last) !== 0)
        broken(name, page, `it has free objects beyond its ${objects}`)
      if (bits !== free) broken(name, page, `its bitmap has ${bits} free objects, and its count is ${free}`)
    }
  }
}

function bitsIn(word: number): number {
  let bits = 0
  for (let rest = word; rest !== 0; rest &= rest - 1) bits += 1
  return bits
}

function broken(name: string, page: number, what: string): never {
  throw new FatalError(`heap: the span at page ${page} of the heap '${name}' is broken: ${what}`, { op: 'check' })
}
