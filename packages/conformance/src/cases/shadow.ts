// A simple model of a memory, page by page. Histories compare the backend with it.
import type { RegionState } from '@memlayer/core'

/** The model of one page. */
export interface Page {
  state: RegionState
  /** The byte that fills it; null: the contents are forfeit, so it holds zero or its old contents. */
  byte: number | null
  /** The byte that it may hold instead of zero when the contents are forfeit. */
  old: number
}

/** The pages by number: address / page size. */
export class Shadow {
  readonly #pages = new Map<number, Page>()

  at(page: number): Page | undefined {
    return this.#pages.get(page)
  }

  /** Whether all `n` pages are in one of the states. */
  all(page: number, n: number, states: readonly RegionState[]): boolean {
    for (let i = 0; i < n; i++) if (!states.includes(this.at(page + i)?.state ?? 'None')) return false
    return true
  }

  /** Adds pages from the kernel, which are zero. */
  enter(page: number, n: number, state: RegionState): void {
    for (let i = 0; i < n; i++) this.#pages.set(page + i, { state, byte: 0, old: 0 })
  }

  free(page: number, n: number): void {
    for (let i = 0; i < n; i++) this.#pages.delete(page + i)
  }

  /** Moves pages to another state. */
  move(page: number, n: number, state: RegionState): void {
    this.#each(page, n, (found) => (found.state = state))
  }

  /** Makes contents forfeit: zero with `isZero`, else zero or the old contents. */
  forfeit(page: number, n: number, isZero: boolean): void {
    this.#each(page, n, (found) => {
      if (found.byte !== null) found.old = found.byte
      found.byte = isZero ? 0 : null
    })
  }

  write(page: number, n: number, byte: number): void {
    this.#each(page, n, (found) => (found.byte = byte))
  }

  /** Runs of neighbouring pages in one state, in order. */
  runs(): { page: number; n: number; state: RegionState }[] {
    const found: { page: number; n: number; state: RegionState }[] = []
    for (const page of [...this.#pages.keys()].sort((a, b) => a - b)) {
      const state = this.#pages.get(page)?.state ?? 'None'
      const last = found.at(-1)
      if (last !== undefined && last.page + last.n === page && last.state === state) last.n += 1
      else found.push({ page, n: 1, state })
    }
    return found
  }

  #each(page: number, n: number, change: (page: Page) => void): void {
    for (let i = 0; i < n; i++) {
      const found = this.#pages.get(page + i)
      if (found !== undefined) change(found)
    }
  }
}
