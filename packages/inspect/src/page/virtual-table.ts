// A table that holds only the rows in sight: ten thousand rows cost as much as sixty.
import { byId, make } from './dom.js'

/** The height of a row in CSS pixels, as in style.css. */
const ROW = 26
/** Rows in the page, including some out of sight. */
const ROWS = 60

/** A table that makes its rows while it scrolls. */
export class VirtualTable {
  readonly #scroll: HTMLElement
  readonly #table: HTMLElement
  readonly #columns: number
  #head: HTMLElement = make('thead', {})
  #count = 0
  #rowAt: (i: number) => HTMLElement = () => make('tr', {})
  #first = 0

  /** `name` is the table's id. The element `name-scroll` scrolls it. */
  constructor(name: string, columns: number) {
    this.#table = byId(name)
    this.#scroll = byId(`${name}-scroll`)
    this.#columns = columns
    this.#scroll.addEventListener('scroll', () => {
      if (Math.abs(this.#wantedFirst() - this.#first) > ROWS / 6) this.#draw()
    })
  }

  /** Shows `count` rows. `rowAt` makes a row when it comes into sight. */
  show(head: HTMLElement, count: number, rowAt: (i: number) => HTMLElement): void {
    this.#head = head
    this.#count = count
    this.#rowAt = rowAt
    this.#draw()
  }

  #wantedFirst(): number {
    const inSight = Math.ceil(this.#scroll.clientHeight / ROW)
    const before = Math.floor(Math.max(0, ROWS - inSight) / 2)
    return Math.max(0, Math.min(this.#count - ROWS, Math.floor(this.#scroll.scrollTop / ROW) - before))
  }

  #draw(): void {
    const first = (this.#first = this.#wantedFirst())
    const end = Math.min(this.#count, first + ROWS)
    const rows = Array.from({ length: end - first }, (_, i) => {
      const row = this.#rowAt(first + i)
      // Row 1 is the head.
      row.setAttribute('aria-rowindex', String(first + i + 2))
      return row
    })
    const focused = document.activeElement?.getAttribute('data-key')
    this.#table.setAttribute('aria-rowcount', String(this.#count + 1))
    this.#table.replaceChildren(
      this.#head,
      make('tbody', {}, this.#space(first), ...rows, this.#space(this.#count - end)),
    )
    if (typeof focused === 'string')
      this.#table.querySelector<HTMLElement>(`[data-key="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true })
  }

  /** An empty row in the place of rows that are not in the page. */
  #space(rows: number): HTMLElement {
    const cell = make('td', { colspan: String(this.#columns) })
    cell.style.height = `${rows * ROW}px`
    return make('tr', { class: 'space', 'aria-hidden': 'true' }, cell)
  }
}
