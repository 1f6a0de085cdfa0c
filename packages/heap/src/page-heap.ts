// The pages of a heap: who takes pages and gives them back, and which free pages still have memory. It answers to the
// page heap and the scavenger in Go's runtime/mheap.go and mgcscavenge.go.
import { OutOfMemoryError, formatBytes } from '@memlayer/core'
import { destroyed } from './misuse.js'
import { PageMap } from './page-map.js'
import type { Room } from './room.js'
import { pageBytes } from './size-classes.js'

/** Pages of one heap. */
export class PageHeap {
  readonly #room: Room
  readonly #map: PageMap
  /** Pages that were in use since their memory was given back. 1: it may have memory. */
  readonly #touched: Int32Array
  readonly #count: number
  readonly #name: string
  readonly #relieve: () => boolean
  /** The page after the last one that was ever in use. */
  #end = 1
  #isClosed = false

  /** `relieve` is called when there is no room. It frees pages that hold no object. False: there are none. */
  constructor(room: Room, name: string, relieve: () => boolean) {
    this.#relieve = relieve
    this.#room = room
    this.#name = name
    this.#count = Math.floor(room.size / pageBytes)
    this.#map = new PageMap(this.#count)
    this.#touched = new Int32Array(Math.ceil(this.#count / 32))
    // Handle 0 is never an object, so page 0 is never in use. It has no memory, because nothing touches it.
    this.#map.take(0, 1)
  }

  /** Its own bytes. */
  get bytes(): number {
    return this.#map.bytes + this.#touched.byteLength
  }

  /** Pages in use. None once it is closed. */
  get used(): number {
    return this.#isClosed ? 0 : this.#map.used - 1
  }

  /** The page after the last one that was ever in use. */
  get end(): number {
    return this.#end
  }

  /**
   * Takes the lowest run of `n` free pages. They are Ready.
   *
   * @throws OutOfMemoryError when there is no such run, or when the OS refuses. No object has changed then.
   */
  take(n: number): number {
    const page = this.tryTake(n)
    return page < 0 ? this.#full(n) : page
  }

  /** Takes the lowest run of `n` free pages; -1: there is none. @throws OutOfMemoryError when the OS refuses. */
  tryTake(n: number): number {
    try {
      const page = this.#find(n)
      if (page >= 0 || !this.#relieve()) return page
    } catch (error) {
      if (!(error instanceof OutOfMemoryError)) throw error
      void this.#relieve()
      // A reclaimer that was asked meanwhile can have freed pages as well. No more is asked of the OS.
      const page = this.#map.find(n)
      if (page < 0 || (page + n) * pageBytes > this.#room.ready) throw error
    }
    return this.#find(n)
  }

  #find(n: number): number {
    if (this.#isClosed) destroyed('alloc', this.#name)
    let page = this.#map.find(n)
    // Observers of a commit can call the heap. So the run is looked for again.
    while (page >= 0 && (page + n) * pageBytes > this.#room.ready) {
      this.#room.ensure((page + n) * pageBytes)
      page = this.#map.find(n)
    }
    if (this.#isClosed) destroyed('alloc', this.#name)
    if (page >= 0) this.#enter(page, n)
    return page
  }

  /** Takes [page, page + n), if all of it is free and can be made Ready. */
  takeAt(page: number, n: number): boolean {
    if (page + n > this.#count || !this.#map.isFree(page, n)) return false
    if ((page + n) * pageBytes > this.#room.ready) {
      try {
        this.#room.ensure((page + n) * pageBytes)
      } catch (error) {
        // The caller looks for another place.
        if (error instanceof OutOfMemoryError) return false
        throw error
      }
      if (!this.#map.isFree(page, n)) return false
    }
    this.#enter(page, n)
    return true
  }

  #enter(page: number, n: number): void {
    this.#map.take(page, n)
    for (let at = page; at < page + n; at++) this.#touched[at >>> 5] = (this.#touched[at >>> 5] as number) | (1 << at)
    if (page + n > this.#end) this.#end = page + n
  }

  /** Gives [page, page + n) back. The pages keep their memory until `scavenge`. */
  give(page: number, n: number): void {
    this.#map.give(page, n)
  }

  /** No page is taken from now on. */
  close(): void {
    this.#isClosed = true
  }

  /** Whether a page is in use. */
  has(page: number): boolean {
    return this.#map.has(page)
  }

  /** Bytes of free pages that may have memory. */
  get retained(): number {
    if (this.#isClosed) return 0
    let pages = 0
    this.#walk(0, (_, n) => {
      pages += n
      return true
    })
    return pages * pageBytes
  }

  /** Gives back the memory of free pages, `want` bytes or more. Returns the bytes that the OS took. */
  scavenge(want: number): number {
    const used = this.#map.usedEnd(this.#count)
    let bytes = this.#room.trim(used * pageBytes)
    if (bytes > 0) this.#forget(Math.ceil(this.#room.ready / pageBytes), this.#end)
    this.#walk(0, (page, n) => {
      if (bytes >= want) return false
      if (this.#giveBack(page, page + n) === 0) return true
      bytes += this.#room.wholePages(page * pageBytes, (page + n) * pageBytes)
      // A page of the heap at the edge may share a page of the kernel with one in use. It is asked for once.
      this.#forget(page, page + n)
      return true
    })
    return bytes
  }

  /**
   * Gives back the memory of [page, end), and of free pages beside it in the same huge pages: the kernel gave those
   * memory with their neighbours, though nothing touched them.
   */
  #giveBack(page: number, end: number): number {
    const room = this.#room
    const least = room.hugeStart(page * pageBytes) / pageBytes
    const most = Math.floor(room.hugeEnd(end * pageBytes) / pageBytes)
    while (page > least && !this.#map.has(page - 1)) page -= 1
    while (end < most && !this.#map.has(end)) end += 1
    return this.#room.giveBack(page * pageBytes, end * pageBytes)
  }

  #forget(page: number, end: number): void {
    for (let at = page; at < end; at++) this.#touched[at >>> 5] = (this.#touched[at >>> 5] as number) & ~(1 << at)
  }

  /** Calls `visit` with each run of free pages that may have memory, until it returns false. */
  #walk(from: number, visit: (page: number, n: number) => boolean): void {
    let start = -1
    for (let page = from; page <= this.#end; page++) {
      const isIdle = page < this.#end && this.#isTouched(page) && !this.#map.has(page)
      if (isIdle && start < 0) start = page
      if (isIdle || start < 0) continue
      if (!visit(start, page - start)) return
      start = -1
    }
  }

  #isTouched(page: number): boolean {
    return ((this.#touched[page >>> 5] as number) & (1 << page)) !== 0
  }

  #full(n: number): never {
    const size = n * pageBytes
    const [used, all] = [this.used * pageBytes, this.#count * pageBytes]
    throw new OutOfMemoryError(
      `alloc: the heap '${this.#name}' has no ${formatBytes(size)} in one piece, ` +
        `with ${formatBytes(used)} of ${formatBytes(all)} in use`,
      { op: 'alloc', size, region: this.#name, hint: 'Free objects, or create the heap with a larger `maximum`.' },
    )
  }
}
