// The table of heaps and caches, and the size classes of heaps. The part is there only where there are some.
import { shownName, visible } from '../names.js'
import type { SnapshotStore } from '../stores.js'
import { byId, bytes, head, make, say } from './dom.js'
import { fill } from './fill.js'
import { Filter } from './filter.js'
import type { Shown } from './shown.js'

const titles = ['Name', 'Kind', 'Live', 'Waste', 'At most', 'Entries', 'Spans', 'Hit rate', 'Evicted', 'Refused']
const classTitles = ['Heap', 'Size', 'Spans', 'Objects', 'Free places']

/** The table of heaps and caches. */
export class StoresTable {
  readonly #filter = new Filter('stores', () => this.#draw())
  #stores: readonly SnapshotStore[] = []

  /** Shows a snapshot's heaps and caches. */
  show({ stores = [] }: Shown): void {
    this.#stores = stores
    byId('stores-part').hidden = stores.length === 0
    if (stores.length > 0) this.#draw()
  }

  #draw(): void {
    const found = this.#stores.filter(({ kind, name }) => this.#filter.accepts([kind, name]))
    fill(byId('stores'), head(titles, titles.slice(2)), make('tbody', {}, ...found.map(rowOf)))
    const classes = found.flatMap(classRows)
    fill(byId('stores-classes'), head(classTitles, classTitles.slice(1)), make('tbody', {}, ...classes))
    const waste = this.#stores.reduce((sum, { stats }) => sum + (numberIn(stats, 'waste') ?? 0), 0)
    say('stores-say', `${this.#stores.length} of them, with ${bytes(waste)} that no object in use has.`)
  }
}

function numberIn(stats: object, key: string): number | null {
  const value: unknown = Reflect.get(stats, key)
  return typeof value === 'number' ? value : null
}

function rowOf({ kind, name, stats }: SnapshotStore): HTMLElement {
  const cell = (column: string, value: number | null, text: string): HTMLElement =>
    make('td', { class: 'n', 'data-column': column, 'data-value': String(value) }, value === null ? '' : text)
  const size = (column: string, key: string): HTMLElement => {
    const value = numberIn(stats, key)
    return cell(column, value, bytes(value))
  }
  const count = (column: string, key: string): HTMLElement => {
    const value = numberIn(stats, key)
    return cell(column, value, String(value))
  }
  const rate = numberIn(stats, 'hitRate')
  return make(
    'tr',
    { 'data-store': name },
    make('th', { scope: 'row', title: visible(name) }, make('bdi', {}, shownName(name))),
    make('td', {}, kind),
    size('live', kind === 'heap' ? 'live' : 'bytes'),
    size('waste', 'waste'),
    size('maximum', 'maximum'),
    count('entries', kind === 'heap' ? 'objects' : 'entries'),
    count('spans', 'spans'),
    cell('hitRate', rate, `${((rate ?? 0) * 100).toFixed(1)} %`),
    count('evictions', 'evictions'),
    count('refusals', 'refusals'),
  )
}

function classRows({ name, stats }: SnapshotStore): HTMLElement[] {
  const { classes } = stats
  if (!Array.isArray(classes)) return []
  return (classes as readonly object[]).map((one) => {
    const cells = ['size', 'spans', 'objects', 'free'].map((key) => {
      const value = numberIn(one, key)
      return make('td', { class: 'n', 'data-value': String(value) }, key === 'size' ? bytes(value) : String(value))
    })
    return make('tr', {}, make('td', { title: visible(name) }, make('bdi', {}, shownName(name))), ...cells)
  })
}
