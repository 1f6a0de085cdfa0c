// What a memory is meant to be, page by page, kept as plainly as can be: a map from page to
// state, and to the number that was last written at the page's start and end.
import type { RegionState } from '@memlayer/core'

interface Page {
  state: RegionState
  category: string | null
  /** The first word and the last; null: forfeited, they may be anything. */
  word: number | null
}

const none: Page = { state: 'None', category: null, word: null }

/** Pages by their number: address / page size. */
export class Shadow {
  readonly #pages = new Map<number, Page>()

  at(page: number): Readonly<Page> {
    return this.#pages.get(page) ?? none
  }

  /** Whether all of `n` pages are in one of the states. */
  all(page: number, n: number, states: readonly RegionState[]): boolean {
    for (let i = 0; i < n; i++) if (!states.includes(this.at(page + i).state)) return false
    return true
  }

  /** Pages that come from the kernel. */
  enter(page: number, n: number, state: RegionState, category: string | null): void {
    for (let i = 0; i < n; i++) this.#pages.set(page + i, { state, category, word: 0 })
  }

  free(page: number, n: number): void {
    for (let i = 0; i < n; i++) this.#pages.delete(page + i)
  }

  /** To another state; `word` is what the pages hold from now on, undefined: what they held. */
  move(page: number, n: number, state: RegionState, word?: number | null): void {
    for (let i = 0; i < n; i++) {
      const found = this.#pages.get(page + i)
      if (found === undefined) throw new Error(`page ${page + i} is not owned`)
      found.state = state
      if (word !== undefined) found.word = word
    }
  }

  /** Reserved to Prepared; `word` is what the pages hold then, undefined: what they held. */
  map(page: number, n: number, category: string | null, word?: number): void {
    for (let i = 0; i < n; i++) {
      this.#pages.set(page + i, { state: 'Prepared', category, word: word ?? this.at(page + i).word })
    }
  }

  write(page: number, word: number): void {
    const found = this.#pages.get(page)
    if (found !== undefined) found.word = word
  }

  /** Pages in a state, under a category. */
  count(state: RegionState, category: string | null): number {
    let n = 0
    for (const page of this.#pages.values()) if (page.state === state && page.category === category) n += 1
    return n
  }

  /** Neighbouring pages in one state and category, in order: what `memory.ranges()` must say. */
  runs(): { page: number; n: number; state: RegionState; category: string | null }[] {
    const found: { page: number; n: number; state: RegionState; category: string | null }[] = []
    for (const page of [...this.#pages.keys()].sort((a, b) => a - b)) {
      const { state, category } = this.at(page)
      const last = found.at(-1)
      if (last !== undefined && last.page + last.n === page && last.state === state && last.category === category)
        last.n += 1
      else found.push({ page, n: 1, state, category })
    }
    return found
  }
}
