// Shows the changes between two snapshots, category by category.
import { shownName, visible } from '../names.js'
import { fill } from './fill.js'
import { byId, bytes, clock, head, make, say } from './dom.js'
import type { Shown } from './shown.js'

const columns = ['Category', 'Reserved', 'Prepared', 'Ready', 'Held']

/** Fills the table with the changes from `before` to `after`. */
export function compare(before: Shown, after: Shown): void {
  const names = new Set([...Object.keys(before.stats.categories), ...Object.keys(after.stats.categories)])
  const rows = ['all of it', ...names].map((name, i) => {
    const [a, b] = [before, after].map(({ stats }) => (i === 0 ? stats.total : stats.categories[name]))
    const cells = (['reserved', 'prepared', 'ready', 'held'] as const).map((key) => {
      const change = (b?.[key] ?? 0) - (a?.[key] ?? 0)
      return make(
        'td',
        { class: 'n', 'data-value': String(change) },
        change === 0 ? '·' : `${change > 0 ? '+' : ''}${bytes(change)}`,
      )
    })
    return make(
      'tr',
      { 'data-category': name },
      make('th', { scope: 'row', title: visible(name) }, make('bdi', {}, shownName(name))),
      ...cells,
    )
  })
  fill(byId('compare'), head(columns, columns.slice(1)), make('tbody', {}, ...rows))
  say('compare-says', `From ${clock(before.at)}, ${((after.at - before.at) / 1000).toFixed(1)} seconds later:`)
}
