// The table of holds: what keeps pages Ready besides their owner, the oldest first.
import { shownName, visible } from '../names.js'
import type { SnapshotHold } from '../snapshot.js'
import { bytes, head, make, say } from './dom.js'
import { Filter } from './filter.js'
import type { Shown } from './shown.js'
import { placeNodes } from './source-link.js'
import { VirtualTable } from './virtual-table.js'

const titles = ['Region', 'Offset', 'Length', 'Kind', 'Worker', 'Age', 'Made at']

/** The table of holds. */
export class HoldsTable {
  readonly #table = new VirtualTable('holds', titles.length)

  readonly #filter = new Filter('holds', () => this.#shown !== null && this.show(this.#shown))
  #shown: Shown | null = null

  /** Draws it again. */
  redraw(): void {
    if (this.#shown !== null) this.show(this.#shown)
  }

  /** Shows a snapshot's holds. */
  show(shown: Shown): void {
    this.#shown = shown
    const { holds: all, holdsCount } = shown
    const holds = all.filter(({ region, kind, made }) => this.#filter.accepts([region, kind, made]))
    this.#table.show(head(titles, ['Offset', 'Length', 'Age']), holds.length, (i) => rowOf(holds[i] as SnapshotHold, i))
    const oldest = all.length < holdsCount ? `, the ${all.length} oldest of ${holdsCount}` : ''
    const count = `${holdsCount} ${holdsCount === 1 ? 'hold' : 'holds'}`
    say('holds-say', holdsCount === 0 ? 'Nothing keeps pages Ready but their owners.' : `${count}${oldest}.`)
  }
}

function rowOf({ region, offset, length, kind, worker, age, made }: SnapshotHold, i: number): HTMLElement {
  const cell = (name: string, text: string, value: string | number = text, type = ''): HTMLElement =>
    make('td', { class: type, title: visible(String(value)), 'data-column': name, 'data-value': String(value) }, text)
  return make(
    'tr',
    {},
    cell('region', shownName(region), region),
    cell('offset', bytes(offset), offset, 'n'),
    cell('length', bytes(length), length, 'n'),
    cell('kind', kind),
    cell('worker', worker === null ? 'this thread' : `worker ${worker}`),
    cell('age', ageOf(age), Math.round(age), 'n'),
    make(
      'td',
      { class: 'made', title: visible(made), 'data-column': 'made', 'data-value': made },
      ...placeNodes(made, `hold-${i}`),
    ),
  )
}

/** `340 ms`, `12 s`, `5 min`. */
function ageOf(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`
  const seconds = Math.round(milliseconds / 1000)
  return seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`
}
