// A table that holds only the rows in sight: ten thousand rows cost as much as sixty.
import { byId, make } from './dom.js'
import { fill } from './fill.js'

/** The height of a row in CSS pixels, as in style.css. */
const ROW = 26
/** Rows in the page, including some out of sight. */
const ROWS = 60

/** What a row has to press. Tab leads to the first, and left and right lead to the others. */
const controls = 'button, a[href]'

/** A table that makes its rows while it scrolls. */
export class VirtualTable {
  readonly #scroll: HTMLElement
  readonly #table: HTMLElement
  readonly #columns: number
  #head: HTMLElement = make('thead', {})
  #count = 0
  #rowAt: (i: number) => HTMLElement = () => make('tr', {})
  #keyAt: (i: number) => number = (i) => i
  #first = 0
  /** The row that Tab leads to. The arrow keys lead on from there. */
  #active = NaN

  /** `name` is the table's id. The element `name-scroll` scrolls it. */
  constructor(name: string, columns: number) {
    this.#table = byId(name)
    this.#scroll = byId(`${name}-scroll`)
    this.#columns = columns
    this.#scroll.addEventListener('scroll', () => {
      if (Math.abs(this.#wantedFirst() - this.#first) > ROWS / 6) this.#draw()
    })
    this.#table.addEventListener('focusin', ({ target }) => {
      const key = (target as Element).closest('tr')?.getAttribute('data-row')
      if (typeof key === 'string') this.#active = Number(key)
    })
    this.#table.addEventListener('keydown', (event) => this.#key(event))
  }

  /** Shows `count` rows. `rowAt` makes a row when it comes into sight, and `keyAt` says which one it is. */
  show(
    head: HTMLElement,
    count: number,
    rowAt: (i: number) => HTMLElement,
    keyAt: (i: number) => number = (i) => i,
  ): void {
    this.#keyAt = keyAt
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
      row.setAttribute('data-row', String(this.#keyAt(first + i)))
      return row
    })
    const active = rows.find((row) => row.dataset['row'] === String(this.#active)) ?? rows[this.#topRow() - first]
    for (const row of rows) row.querySelector(controls)?.setAttribute('tabindex', row === active ? '0' : '-1')
    const focused = document.activeElement?.getAttribute('data-key')
    this.#table.setAttribute('aria-rowcount', String(this.#count + 1))
    fill(this.#table, this.#head, make('tbody', {}, this.#space(first), ...rows, this.#space(this.#count - end)))
    // A row that has moved has lost the focus.
    if (typeof focused === 'string' && document.activeElement?.getAttribute('data-key') !== focused)
      this.#table.querySelector<HTMLElement>(`[data-key="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true })
  }

  /** The first row in sight. */
  #topRow(): number {
    return Math.min(this.#count - 1, Math.floor(this.#scroll.scrollTop / ROW))
  }

  #key(event: KeyboardEvent): void {
    const row = (event.target as Element).closest('tbody tr')
    if (row === null) return
    if (event.key === 'ArrowLeft' || event.key === 'ArrowRight') return moveIn(row, event)
    const page = Math.max(1, Math.floor(this.#scroll.clientHeight / ROW) - 2)
    const steps: Readonly<Record<string, number>> = {
      ArrowDown: 1,
      ArrowUp: -1,
      PageDown: page,
      PageUp: -page,
      Home: -Infinity,
      End: Infinity,
    }
    const step = steps[event.key]
    if (step === undefined) return
    event.preventDefault()
    const at = Number(row.getAttribute('aria-rowindex')) - 2
    this.#focus(Math.max(0, Math.min(this.#count - 1, at + step)))
  }

  #focus(i: number): void {
    this.#active = this.#keyAt(i)
    const { scrollTop, clientHeight } = this.#scroll
    // The head covers the first row in sight.
    if (i * ROW < scrollTop) this.#scroll.scrollTop = i * ROW
    else if ((i + 2) * ROW > scrollTop + clientHeight) this.#scroll.scrollTop = (i + 2) * ROW - clientHeight
    this.#draw()
    const row = this.#table.querySelector(`[aria-rowindex="${i + 2}"]`)
    row?.querySelector<HTMLElement>(controls)?.focus({ preventScroll: true })
  }

  /** An empty row in the place of rows that are not in the page. */
  #space(rows: number): HTMLElement {
    const cell = make('td', { colspan: String(this.#columns) })
    cell.style.height = `${rows * ROW}px`
    return make('tr', { class: 'space', 'aria-hidden': 'true' }, cell)
  }
}

/** Moves the focus to the next thing of a row that can be pressed, or to the one before. */
function moveIn(row: Element, event: KeyboardEvent): void {
  const all = Array.from(row.querySelectorAll<HTMLElement>(controls))
  const next = all[all.indexOf(document.activeElement as HTMLElement) + (event.key === 'ArrowRight' ? 1 : -1)]
  event.preventDefault()
  next?.focus({ preventScroll: true })
}
