// Shows the changes between two snapshots, category by category.
import { shownName, visible } from '../names.js'
import { byId, bytes, clock, head, make, say } from './dom.js'
import { fill } from './fill.js'
import type { Shown } from './shown.js'

const columns = ['Category', 'Reserved', 'Prepared', 'Ready', 'Held']
const keys = ['reserved', 'prepared', 'ready', 'held'] as const
/** Categories with a row of their own: those that have changed most. */
const rowsMax = 50

type Counts = Readonly<Record<(typeof keys)[number], number>>

interface Change {
  readonly name: string
  readonly by: readonly number[]
}

/** Fills the table with the changes from `before` to `after`. */
export function compare(before: Shown, after: Shown): void {
  const [a, b] = [before.stats.categories, after.stats.categories]
  const names = new Set([...Object.keys(a), ...Object.keys(b)])
  const changes = Array.from(names, (name) => ({ name, by: changesOf(a[name], b[name]) }))
  const shown = changes.length <= rowsMax ? changes : changes.toSorted((x, y) => most(y) - most(x)).slice(0, rowsMax)
  const rows = [{ name: 'all of it', by: changesOf(before.stats.total, after.stats.total) }, ...shown].map(rowOf)
  fill(byId('compare'), head(columns, columns.slice(1)), make('tbody', {}, ...rows))
  const left = changes.length - shown.length
  const others = left === 0 ? '' : ` The ${left} categories that have changed least are left out.`
  say('compare-says', `From ${clock(before.at)}, ${((after.at - before.at) / 1000).toFixed(1)} seconds later:${others}`)
}

const changesOf = (before: Counts | undefined, after: Counts | undefined): number[] =>
  keys.map((key) => (after?.[key] ?? 0) - (before?.[key] ?? 0))

const most = ({ by }: Change): number => Math.max(...by.map(Math.abs))

function rowOf({ name, by }: Change): HTMLElement {
  const cells = by.map((change) =>
    make(
      'td',
      { class: 'n', 'data-value': String(change) },
      change === 0 ? '·' : `${change > 0 ? '+' : ''}${bytes(change)}`,
    ),
  )
  const title = make('th', { scope: 'row', title: visible(name) }, make('bdi', {}, shownName(name)))
  return make('tr', { 'data-category': name }, title, ...cells)
}
