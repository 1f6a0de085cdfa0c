// The table of regions, sorted by any column, in slices.
import { shownName, visible } from '../names.js'
import { onClick } from './fill.js'
import type { RegionSums } from '../region-sums.js'
import { sortedOrder } from '../sorted-order.js'
import type { SnapshotRegion } from '../snapshot.js'
import { age, byId, bytes, clock, hex, make, say } from './dom.js'
import { Filter } from './filter.js'
import type { Growth } from './growth.js'
import type { Shown } from './shown.js'
import { inSlices } from './slices.js'
import { placeNodes } from './source-link.js'
import { VirtualTable } from './virtual-table.js'

type Key =
  | 'name'
  | 'category'
  | 'address'
  | 'size'
  | 'reserved'
  | 'prepared'
  | 'ready'
  | 'growth'
  | 'resident'
  | 'huge'
  | 'mappings'
  | 'made'

const columns: readonly (readonly [key: Key, title: string])[] = [
  ['name', 'Name'],
  ['category', 'Category'],
  ['address', 'Address'],
  ['size', 'Size'],
  ['reserved', 'Reserved'],
  ['prepared', 'Prepared'],
  ['ready', 'Ready'],
  ['growth', 'Growth'],
  ['resident', 'Resident'],
  ['huge', 'Huge'],
  ['mappings', 'Mappings'],
  ['made', 'Reserved at'],
]
const texts: readonly Key[] = ['name', 'category', 'made']

// One collator for all comparisons, because localeCompare makes one each time. Making one takes milliseconds, so it
// is made on first use.
let collator: Intl.Collator | undefined

/** The table of regions. */
export class RegionTable {
  readonly #table = new VirtualTable('regions', columns.length)
  readonly #choose: (region: SnapshotRegion) => void
  #key: Key = 'size'
  #down = true
  #shown: Shown | null = null
  #sums: RegionSums | null = null
  #order: Uint32Array = new Uint32Array()
  /** What of the order the search leaves. */
  #found: Uint32Array = new Uint32Array()
  readonly #filter = new Filter('regions', () => this.#draw())
  #chosen: number | null = null
  #turn = 0

  readonly #growth: Growth

  constructor(growth: Growth, choose: (region: SnapshotRegion) => void) {
    this.#growth = growth
    this.#choose = choose
  }

  /** Shows a snapshot's regions in the chosen order. */
  async show(shown: Shown, sums: RegionSums): Promise<void> {
    ;[this.#shown, this.#sums] = [shown, sums]
    await this.#sort()
  }

  /** Marks the region of this number. */
  mark(id: number): void {
    this.#chosen = id
    this.#draw()
  }

  /** Draws it again. */
  redraw(): void {
    this.#draw()
  }

  async #sort(): Promise<void> {
    const [shown, sums] = [this.#shown, this.#sums]
    if (shown === null || sums === null) return
    const turn = ++this.#turn
    const n = shown.regions.length
    const before = this.#order.length === n ? this.#order : undefined
    const order = await inSlices(sortedOrder(n, this.#comparison(shown, sums), before), () => turn === this.#turn)
    if (order === null) return
    this.#order = order
    this.#draw()
  }

  #draw(): void {
    const [shown, sums] = [this.#shown, this.#sums]
    if (shown === null || sums === null) return
    const head = make('thead', {}, make('tr', {}, ...columns.map(([key, title]) => this.#title(key, title))))
    const found = (this.#found = this.#search(shown))
    this.#table.show(
      head,
      found.length,
      (i) => this.#row(shown, sums, this.#found[i] as number),
      (i) => shown.regions[this.#found[i] as number]?.id ?? i,
    )
    byId('shown').dataset['order'] = `${this.#key} ${this.#down ? 'down' : 'up'}`
    const hidden = shown.regions.length - found.length
    const since = Number.isNaN(this.#growth.at) ? '' : `; growth since ${clock(this.#growth.at)}`
    say('shown', `${countsOf(shown, sums)}${since}${hidden === 0 ? '' : `; the search leaves ${found.length}`}`)
  }

  #search({ regions }: Shown): Uint32Array {
    if (this.#filter.isEmpty) return this.#order
    return this.#order.filter((place) => {
      const { name, category, made, address, leaked } = regions[place] as SnapshotRegion
      return this.#filter.accepts([name, category, made, hex(address), leaked ? 'leaked' : ''])
    })
  }

  #title(key: Key, title: string): HTMLElement {
    const button = make('button', { 'data-key': `sort-${key}` }, title)
    onClick(button, () => {
      // A column of numbers starts with the largest, a column of names with A.
      this.#down = this.#key === key ? !this.#down : !texts.includes(key)
      this.#key = key
      void this.#sort().then(() => say('said', `Sorted by ${title}, ${this.#down ? 'descending' : 'ascending'}`))
    })
    const sort = this.#key === key ? (this.#down ? 'descending' : 'ascending') : 'none'
    return make('th', { scope: 'col', class: texts.includes(key) ? '' : 'n', 'aria-sort': sort }, button)
  }

  #row(shown: Shown, sums: RegionSums, place: number): HTMLElement {
    const region = shown.regions[place] as SnapshotRegion
    const cells = columns.map(([key]) => {
      if (key === 'name') {
        const button = make('button', { 'data-key': `region-${region.id}` }, make('bdi', {}, shownName(region.name)))
        onClick(button, () => this.#choose(region))
        return make(
          'td',
          { title: visible(region.name) },
          button,
          ...(region.leaked ? [make('span', { class: 'leaked' }, ' leaked')] : []),
        )
      }
      if (key === 'category' || key === 'made')
        return make(
          'td',
          { title: visible(region[key]), class: key },
          ...(key === 'made' ? placeNodes(region.made, `region-${region.id}`) : [nameIn(region)]),
        )
      const value = this.#valueOf(shown, sums, key, place)
      const text = textOf(key, value)
      const isResident = key === 'resident' && region.residentAt !== null
      const told = isResident ? age(region.residentAt ?? 0, shown.at) : ''
      const aged = told === '' ? [] : [make('span', { class: 'age' }, told)]
      return make('td', { class: 'n', 'data-column': key, 'data-value': String(value) }, text, ...aged)
    })
    return make('tr', region.id === this.#chosen ? { class: 'chosen' } : {}, ...cells)
  }

  #valueOf({ regions }: Shown, sums: RegionSums, key: NumberKey, place: number): number | null {
    const region = regions[place] as SnapshotRegion
    if (key === 'address' || key === 'size' || key === 'resident' || key === 'huge') return region[key]
    if (key === 'growth') return this.#growth.of(region.id, sums.ready[place] ?? 0)
    return sums[key][place] ?? 0
  }

  #comparison(shown: Shown, sums: RegionSums): (a: number, b: number) => number {
    const [key, sign] = [this.#key, this.#down ? -1 : 1]
    if (key === 'name' || key === 'category' || key === 'made') {
      // Numbers inside names are compared as numbers.
      const { compare } = (collator ??= new Intl.Collator(undefined, { numeric: true }))
      return (a, b) => sign * compare(shown.regions[a]?.[key] ?? '', shown.regions[b]?.[key] ?? '')
    }
    const value = (place: number): number => this.#valueOf(shown, sums, key, place) ?? -1
    return (a, b) => sign * (value(a) - value(b))
  }
}

function textOf(key: NumberKey, value: number | null): string {
  if (key === 'address') return hex(value ?? 0)
  if (key === 'mappings') return value === null || Number.isNaN(value) ? '–' : String(value)
  if (key !== 'growth') return bytes(value)
  return value === 0 ? '·' : `${(value ?? 0) > 0 ? '+' : ''}${bytes(value)}`
}

const nameIn = ({ category }: SnapshotRegion): HTMLElement => make('bdi', {}, shownName(category))

/** How many regions there are, and what of them leaked. */
function countsOf({ regions }: Shown, { ready }: RegionSums): string {
  let [count, bytesReady] = [0, 0]
  for (const [i, { leaked }] of regions.entries()) {
    if (!leaked) continue
    count += 1
    bytesReady += ready[i] ?? 0
  }
  const leaks = `, of which ${count} leaked with ${bytes(bytesReady)} Ready: collected, and never freed`
  return `${regions.length} ${regions.length === 1 ? 'region' : 'regions'}${count === 0 ? '' : leaks}`
}

type NumberKey = Exclude<Key, 'name' | 'category' | 'made'>
