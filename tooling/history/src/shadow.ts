// A shadow is the expected state of a memory, as simple as possible. It maps each page to its state and its category.
// It also keeps the number that was last written at the page's start and end.
import type { RegionState } from '@memlayer/core'

interface Page {
  state: RegionState
  category: string | null
  /** The page's first and last word. Null means that the pages were given back and may contain anything. */
  word: number | null
}

const none: Page = { state: 'None', category: null, word: null }

/** Maps each page's number (address / page size) to its expected state. */
export class Shadow {
  readonly #pages = new Map<number, Page>()

  at(page: number): Readonly<Page> {
    return this.#pages.get(page) ?? none
  }

  /** Whether each of `n` pages is in one of the states. */
  all(page: number, n: number, states: readonly RegionState[]): boolean {
    for (let i = 0; i < n; i++) if (!states.includes(this.at(page + i).state)) return false
    return true
  }

  /** Adds pages that come from the kernel. */
  enter(page: number, n: number, state: RegionState, category: string | null): void {
    for (let i = 0; i < n; i++) this.#pages.set(page + i, { state, category, word: 0 })
  }

  free(page: number, n: number): void {
    for (let i = 0; i < n; i++) this.#pages.delete(page + i)
  }

  /** Moves pages to another state. `word` is their new content, or undefined if the content stays. */
  move(page: number, n: number, state: RegionState, word?: number | null): void {
    for (let i = 0; i < n; i++) {
      const found = this.#pages.get(page + i)
      if (found === undefined)
        throw new Error(`page ${page + i} is not owned, so it can't move to ${state}: call enter() first`)
      found.state = state
      if (word !== undefined) found.word = word
    }
  }

  /** Moves pages from Reserved to Prepared. `word` is their new content, or undefined if the content stays. */
  map(page: number, n: number, category: string | null, word?: number): void {
    for (let i = 0; i < n; i++) {
      this.#pages.set(page + i, { state: 'Prepared', category, word: word ?? this.at(page + i).word })
    }
  }

  write(page: number, word: number): void {
    const found = this.#pages.get(page)
    if (found !== undefined) found.word = word
  }

  /** Counts the pages in a state and a category. */
  count(state: RegionState, category: string | null): number {
    let n = 0
    for (const page of this.#pages.values()) if (page.state === state && page.category === category) n += 1
    return n
  }

  /** Returns runs of neighbouring pages in one state and category, in order. `memory.ranges()` must return the same. */
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
