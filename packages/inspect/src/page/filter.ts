// The search of a table: rows that have the words stay.
import { byId } from './dom.js'

/** A search field with the id `<name>-filter`. */
export class Filter {
  #words: readonly string[] = []

  /** Calls `changed` when the user has typed. */
  constructor(name: string, changed: () => void) {
    const field = byId<HTMLInputElement>(`${name}-filter`)
    field.addEventListener('input', () => {
      this.#words = field.value
        .toLowerCase()
        .split(/\s+/)
        .filter((word) => word !== '')
      changed()
    })
  }

  /** Whether nothing is searched for. */
  get isEmpty(): boolean {
    return this.#words.length === 0
  }

  /** Whether a row with these texts stays: each word is in one of them. */
  accepts(texts: readonly string[]): boolean {
    if (this.isEmpty) return true
    const text = texts.join('\n').toLowerCase()
    return this.#words.every((word) => text.includes(word))
  }
}
