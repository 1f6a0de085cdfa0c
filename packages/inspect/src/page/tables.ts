// The tables: regions, sorted as one likes; what has changed since a snapshot; the operations.
import type { Snapshot, SnapshotRegion } from '../snapshot.js'
import { byId, bytes, hex, make } from './dom.js'

/** The most rows that are shown at once: more than anybody reads, few enough to lay out at once. */
const MOST_ROWS = 500

/** A region, and what its bytes are. */
interface Row extends SnapshotRegion {
  readonly reserved: number
  readonly prepared: number
  readonly ready: number
  readonly runs: number
}

type Key = 'name' | 'category' | 'address' | 'size' | 'reserved' | 'prepared' | 'ready' | 'runs' | 'made'

const columns: readonly (readonly [key: Key, title: string])[] = [
  ['name', 'Name'],
  ['category', 'Category'],
  ['address', 'Address'],
  ['size', 'Size'],
  ['reserved', 'Reserved'],
  ['prepared', 'Prepared'],
  ['ready', 'Ready'],
  ['runs', 'Mappings'],
  ['made', 'Reserved at'],
]

/** The table of regions. */
export class RegionTable {
  readonly #choose: (region: SnapshotRegion) => void
  #key: Key = 'size'
  #down = true
  #rows: Row[] = []

  constructor(choose: (region: SnapshotRegion) => void) {
    this.#choose = choose
  }

  show(snapshot: Snapshot): void {
    this.#rows = rowsOf(snapshot)
    this.#draw()
  }

  #draw(): void {
    const key = this.#key
    const sign = this.#down ? -1 : 1
    const sorted = this.#rows.toSorted((a, b) => {
      const [x, y] = [a[key], b[key]]
      return sign * (typeof x === 'number' && typeof y === 'number' ? x - y : String(x).localeCompare(String(y)))
    })
    const head = make('tr', {}, ...columns.map(([name, title]) => this.#head(name, title)))
    const rows = sorted.slice(0, MOST_ROWS).map((row) => make('tr', {}, ...columns.map(([name]) => this.#cell(row, name))))
    const focused = document.activeElement?.getAttribute('data-key')
    byId('regions').replaceChildren(make('thead', {}, head), make('tbody', {}, ...rows))
    if (typeof focused === 'string') document.querySelector<HTMLElement>(`#regions [data-key="${CSS.escape(focused)}"]`)?.focus()
    byId('shown').textContent = sorted.length > MOST_ROWS ? `${MOST_ROWS} of ${sorted.length} regions, by ${key}` : `${sorted.length} regions`
  }

  #head(key: Key, title: string): HTMLElement {
    const button = make('button', { 'data-key': `sort-${key}` }, title)
    button.addEventListener('click', () => {
      this.#down = this.#key === key ? !this.#down : true
      this.#key = key
      this.#draw()
    })
    const sort = this.#key === key ? (this.#down ? 'descending' : 'ascending') : 'none'
    return make('th', { scope: 'col', 'aria-sort': sort }, button)
  }

  #cell(row: Row, key: Key): HTMLElement {
    if (key === 'name') {
      const button = make('button', { 'data-key': `region-${row.address}` }, row.name)
      button.addEventListener('click', () => this.#choose(row))
      return make('td', {}, button)
    }
    if (key === 'category' || key === 'made') return make('td', {}, row[key])
    const text = key === 'address' ? hex(row.address) : key === 'runs' ? String(row.runs) : bytes(row[key])
    return make('td', { class: 'n', 'data-value': String(row[key]) }, text)
  }
}

function rowsOf({ regions, ranges }: Snapshot): Row[] {
  const rows: Row[] = []
  let i = 0
  for (const region of regions.toSorted((a, b) => a.address - b.address)) {
    const end = region.address + region.size
    const sums = [0, 0, 0, 0]
    let runs = 0
    let mapped: boolean | null = null
    while (i > 0 && (ranges[i - 4] as number) + (ranges[i - 3] as number) > region.address) i -= 4
    for (; i < ranges.length && (ranges[i] as number) < end; i += 4) {
      const [address = 0, size = 0, state = 0] = ranges.slice(i, i + 3)
      const inside = Math.min(end, address + size) - Math.max(region.address, address)
      if (inside <= 0) continue
      sums[state] = (sums[state] as number) + inside
      if (mapped !== state > 1) runs += 1
      mapped = state > 1
    }
    rows.push({ ...region, reserved: sums[1] as number, prepared: sums[2] as number, ready: sums[3] as number, runs })
  }
  return rows
}

/** What has changed between two snapshots, category by category. */
export function compare(before: Snapshot, after: Snapshot): void {
  const names = new Set([...Object.keys(before.stats.categories), ...Object.keys(after.stats.categories)])
  const rows: HTMLElement[] = []
  for (const name of ['all of it', ...names]) {
    const [a, b] = [before, after].map(({ stats }) => (name === 'all of it' ? stats.total : stats.categories[name]))
    const cells = (['reserved', 'prepared', 'ready', 'held'] as const).map((key) => {
      const change = (b?.[key] ?? 0) - (a?.[key] ?? 0)
      return make('td', { class: 'n', 'data-value': String(change) }, change === 0 ? '·' : `${change > 0 ? '+' : ''}${bytes(change)}`)
    })
    rows.push(make('tr', { 'data-category': name }, make('th', { scope: 'row' }, name), ...cells))
  }
  const titles = ['Category', 'Reserved', 'Prepared', 'Ready', 'Held'].map((title) => make('th', { scope: 'col' }, title))
  byId('compare').replaceChildren(make('thead', {}, make('tr', {}, ...titles)), make('tbody', {}, ...rows))
  const seconds = ((after.at - before.at) / 1000).toFixed(1)
  byId('compare-says').textContent = `From ${new Date(before.at).toLocaleTimeString()}, ${seconds} seconds later:`
}

/** The last operations, the newest first. */
export function drawLog({ log }: Snapshot): void {
  const titles = ['Time', 'Operation', 'Address', 'Size', 'Category', 'Answer'].map((title) => make('th', { scope: 'col' }, title))
  const rows = log.slice(-100).toReversed().map(({ at, op, address, size, category, outcome, answer }) => {
    const cells = [new Date(at).toLocaleTimeString(), op, address === null ? '' : hex(address), bytes(size), category ?? '', answer]
    return make('tr', outcome === 'done' ? {} : { class: 'bad' }, ...cells.map((text) => make('td', {}, text)))
  })
  byId('log').replaceChildren(make('thead', {}, make('tr', {}, ...titles)), make('tbody', {}, ...rows))
}
