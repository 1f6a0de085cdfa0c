// Shows the changes between two moments: by category, by the place that reserved it, region by region, or by state.
import { shortened } from '../frame.js'
import { shownName, visible } from '../names.js'
import type { RegionSums } from '../region-sums.js'
import { byId, bytes, clock, head, make, say } from './dom.js'
import { fill } from './fill.js'
import { Filter } from './filter.js'
import type { Shown } from './shown.js'

const keys = ['reserved', 'prepared', 'ready', 'resident'] as const
const titles = ['Reserved', 'Prepared', 'Ready', 'Resident']
/** Rows: those that have changed most. */
const rowsMax = 50

/** A snapshot with the sums of its regions. */
export interface Summed {
  /** The snapshot. */
  readonly shown: Shown
  /** Its sums. */
  readonly sums: RegionSums
}

type By = 'category' | 'place' | 'region' | 'state'
type Counts = Record<(typeof keys)[number], number>

interface Change {
  readonly name: string
  readonly by: readonly number[]
}

/** The comparison of a kept snapshot with the one in view. */
export class Comparison {
  readonly #by = byId<HTMLSelectElement>('compare-by')
  readonly #filter = new Filter('compare', () => this.#draw())
  #before: Summed | null = null
  #after: Summed | null = null

  constructor() {
    this.#by.addEventListener('change', () => this.#draw())
  }

  /** Keeps a moment, which others are compared with. */
  keep(before: Summed): void {
    this.#before = before
  }

  /** Shows what has changed until this snapshot. */
  show(after: Summed): void {
    this.#after = after
    this.#draw()
  }

  /** Forgets what was kept: another process is shown. */
  forget(): void {
    this.#before = null
    fill(byId('compare'))
    say('compare-says', 'Keep a snapshot to see here what has changed since then.')
  }

  #draw(): void {
    const [before, after] = [this.#before, this.#after]
    if (before === null || after === null) return
    const by = this.#by.value as By
    if (by === 'state') return this.#drawStates(before, after)
    const all = changesOf(groups(before, by), groups(after, by), by)
    const found = all.filter(({ name }) => this.#filter.accepts([name]))
    // Regions that stayed as they were are many, and say nothing.
    const changed = by === 'category' ? found : found.filter((one) => most(one) > 0).sort((a, b) => most(b) - most(a))
    const shown = changed.length <= rowsMax ? changed : changed.toSorted((a, b) => most(b) - most(a)).slice(0, rowsMax)
    const total = { name: 'all of it', by: difference(totalOf(before), totalOf(after)) }
    const title = by === 'category' ? 'Category' : by === 'place' ? 'Place' : 'Region'
    fill(byId('compare'), head([title, ...titles], titles), make('tbody', {}, ...[total, ...shown].map(rowOf)))
    const left = changed.length - shown.length
    const others = left === 0 ? '' : ` The ${left} that have changed least are left out.`
    say('compare-says', `${spanOf(before, after)}:${others}`)
  }

  /** Each state as a row: what it had, what it has, and in how many regions that has changed. */
  #drawStates(before: Summed, after: Summed): void {
    const [from, to] = [totalOf(before), totalOf(after)]
    const changes = changesOf(groups(before, 'region'), groups(after, 'region'), 'region')
    const rows = keys.flatMap((key, i) => {
      const title = titles[i] ?? ''
      if (!this.#filter.accepts([title])) return []
      const count = changes.filter(({ by }) => by[i] !== 0).length
      const cell = (value: number, text = bytes(value)): HTMLElement =>
        make('td', { class: 'n', 'data-value': String(value) }, text)
      const change = to[key] - from[key]
      const cells = [cell(from[key]), cell(to[key]), cell(change, changeText(change)), cell(count, String(count))]
      return make('tr', { 'data-category': title }, make('th', { scope: 'row' }, title), ...cells)
    })
    const columns = ['Before', 'After', 'Change', 'Regions changed']
    fill(byId('compare'), head(['State', ...columns], columns), make('tbody', {}, ...rows))
    say('compare-says', `${spanOf(before, after)}:`)
  }
}

/** `From 12:03:04 to 12:03:34, 30.0 seconds later`. */
function spanOf({ shown: { at: from } }: Summed, { shown: { at: to } }: Summed): string {
  const seconds = (Math.abs(to - from) / 1000).toFixed(1)
  return `From ${clock(from)} to ${clock(to)}, ${seconds} seconds ${to < from ? 'before' : 'later'}`
}

const changeText = (change: number): string => (change === 0 ? '·' : `${change > 0 ? '+' : ''}${bytes(change)}`)

/** The bytes of each category, place or region, by its key. */
function groups({ shown, sums }: Summed, by: By): Map<string, { readonly name: string; readonly counts: Counts }> {
  const found = new Map<string, { readonly name: string; readonly counts: Counts }>()
  const add = (key: string, name: string, more: Counts): void => {
    const counts = found.get(key)?.counts
    if (counts === undefined) found.set(key, { name, counts: { ...more } })
    else for (const one of keys) counts[one] += more[one]
  }
  if (by === 'category') {
    for (const [name, { reserved, prepared, ready }] of Object.entries(shown.stats.categories))
      add(name, name, { reserved, prepared, ready, resident: 0 })
  }
  for (const [i, { id, name, category, made, resident }] of shown.regions.entries()) {
    const [reserved = 0, prepared = 0, ready = 0] = [sums.reserved[i], sums.prepared[i], sums.ready[i]]
    // A category counts its states itself, also outside of regions.
    if (by === 'category') add(category, category, { reserved: 0, prepared: 0, ready: 0, resident: resident ?? 0 })
    else if (by === 'place') add(made, shortened(made), { reserved, prepared, ready, resident: resident ?? 0 })
    else add(String(id), name, { reserved, prepared, ready, resident: resident ?? 0 })
  }
  return found
}

function totalOf({ shown: { stats, resident } }: Summed): Counts {
  const { reserved, prepared, ready } = stats.total
  return { reserved, prepared, ready, resident: resident?.resident ?? 0 }
}

function changesOf(before: ReturnType<typeof groups>, after: ReturnType<typeof groups>, by: By): Change[] {
  return Array.from(new Set([...before.keys(), ...after.keys()]), (key) => {
    const [a, b] = [before.get(key), after.get(key)]
    const what = by !== 'region' ? '' : a === undefined ? ', new' : b === undefined ? ', freed' : ''
    return { name: `${(b ?? a)?.name ?? ''}${what}`, by: difference(a?.counts, b?.counts) }
  })
}

const difference = (before: Counts | undefined, after: Counts | undefined): number[] =>
  keys.map((key) => (after?.[key] ?? 0) - (before?.[key] ?? 0))

const most = ({ by }: Change): number => Math.max(...by.map(Math.abs))

function rowOf({ name, by }: Change): HTMLElement {
  const cells = by.map((change) => make('td', { class: 'n', 'data-value': String(change) }, changeText(change)))
  const title = make('th', { scope: 'row', title: visible(name) }, make('bdi', {}, shownName(name)))
  return make('tr', { 'data-category': name }, title, ...cells)
}
