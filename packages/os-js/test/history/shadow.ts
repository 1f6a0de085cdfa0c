// The expected contents of a WebAssembly memory, page by page: one array entry per page, and a copy of every byte.
// Every engine compares histories with it.

/** Bytes in a page. */
export const PAGE = 65536

/** The state of a page. A module's own pages are never handed out. */
export type PageState = 'None' | 'Reserved' | 'Prepared' | 'Ready' | 'Module'

/** The pages of a memory with a maximum. */
export class Shadow {
  readonly states: PageState[]
  /** The expected number of pages of the memory. */
  pages = 0
  /** The category that counts a page, or null. */
  readonly #categories: (string | null)[]
  readonly #words: Uint32Array
  /** Whether a page's contents are known. sysUnused and sysFault forfeit them. */
  readonly #isKnown: boolean[]

  constructor(maximum: number) {
    this.states = Array.from({ length: maximum }, () => 'None')
    this.#categories = Array.from({ length: maximum }, () => null)
    this.#words = new Uint32Array((maximum * PAGE) / 4)
    this.#isKnown = Array.from({ length: maximum }, () => true)
  }

  /** The lowest place for `n` pages. -1 when the maximum leaves no room. */
  place(n: number): number {
    let run = 0
    for (let page = 0; page < this.states.length; page++) {
      run = this.states[page] === 'None' ? run + 1 : 0
      if (run === n) return page - n + 1
    }
    return -1
  }

  /** Hands out `n` zeroed pages from `page` on. The memory reaches at least as far. */
  handOut(page: number, n: number, state: PageState, category: string | null): void {
    this.set(page, n, state)
    this.#categories.fill(category, page, page + n)
    this.write(page, n, 0)
    this.pages = Math.max(this.pages, page + n)
  }

  map(page: number, n: number, category: string): void {
    this.set(page, n, 'Prepared')
    this.#categories.fill(category, page, page + n)
  }

  unuse(page: number, n: number, drops: boolean): void {
    this.set(page, n, 'Prepared')
    if (drops) this.write(page, n, 0)
    else this.#isKnown.fill(false, page, page + n)
  }

  fault(page: number, n: number): void {
    this.set(page, n, 'Reserved')
    this.#isKnown.fill(false, page, page + n)
  }

  set(page: number, n: number, state: PageState): void {
    this.states.fill(state, page, page + n)
    if (state === 'None') this.#categories.fill(null, page, page + n)
  }

  /** Fills pages with one word, after which their contents are known. */
  write(page: number, n: number, word: number): void {
    this.#words.fill(word, (page * PAGE) / 4, ((page + n) * PAGE) / 4)
    this.#isKnown.fill(true, page, page + n)
  }

  /** Whether all of `n` pages from `page` on are in one of the states. */
  all(page: number, n: number, states: readonly PageState[]): boolean {
    return page + n <= this.states.length && this.states.slice(page, page + n).every((state) => states.includes(state))
  }

  /** The number of pages in a state, of all categories or of one. */
  count(state: PageState, category?: string): number {
    return this.states.filter(
      (at, page) => at === state && (category === undefined || this.#categories[page] === category),
    ).length
  }

  /** Every page that the layer owns, as text: `'17 Ready a'`. */
  owned(): string[] {
    return this.states.flatMap((state, page) =>
      state === 'None' || state === 'Module' ? [] : [`${page} ${state} ${this.#categories[page]}`],
    )
  }

  /** A sentence about the first known word that differs. Null when all agree. */
  difference(buffer: ArrayBufferLike): string | null {
    const actual = new Uint32Array(buffer)
    const expected = this.#words
    for (let page = 0; page < this.states.length; page++) {
      if (!this.#isReadable(page)) continue
      const end = ((page + 1) * PAGE) / 4
      for (let at = (page * PAGE) / 4; at < end; at++) {
        if (actual[at] !== expected[at])
          return `the word at 0x${(at * 4).toString(16)} is ${actual[at]}, not ${expected[at]}`
      }
    }
    return null
  }

  #isReadable(page: number): boolean {
    const state = this.states[page]
    return (state === 'Ready' || state === 'Module') && (this.#isKnown[page] ?? false)
  }
}
