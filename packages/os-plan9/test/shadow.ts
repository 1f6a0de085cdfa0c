// A second allocator, written in another way: free space as a map of pages. It says where Plan 9's allocator has to
// answer, and which ranges are in use.

/** What Plan 9's allocator must do, page by page. Addresses are pages from the first break. */
export class Shadow {
  // True when the page is free and below the break. One entry per page, so that merging needs no code.
  readonly #free: boolean[] = []
  #break = 0
  #highest = 0
  readonly #limit: number

  constructor(limit: number) {
    this.#limit = limit
  }

  /** The layer's break. */
  get end(): number {
    return this.#break
  }

  /** The system's break. */
  get highest(): number {
    return this.#highest
  }

  /** Takes the last pages of the first free run that is long enough, else new pages. Null when refused. */
  alloc(pages: number): number | null {
    let run = 0
    for (let at = 0; at <= this.#break; at++) {
      if (at < this.#break && this.#free[at] === true) {
        run += 1
        continue
      }
      if (run >= pages) {
        this.#free.fill(false, at - pages, at)
        return at - pages
      }
      run = 0
    }
    return this.extend(pages)
  }

  /** Takes new pages at the break. Null when refused. */
  extend(pages: number): number | null {
    const at = this.#break
    if (at + pages > this.#limit) return null
    this.#break = at + pages
    this.#highest = Math.max(this.#highest, this.#break)
    return at
  }

  free(at: number, pages: number): void {
    if (at + pages === this.#break) {
      this.#break = at
      return
    }
    for (let i = at; i < at + pages; i++) this.#free[i] = true
  }
}
