// Shows where resident memory is: one bar of its parts up to the limit, their figures, and the time of the look.
import { shownName } from '../names.js'
import { fill } from './fill.js'
import { Filter } from './filter.js'
import type { LayerPart } from '@memlayer/core'
import { partsOf } from '../parts.js'
import { byId, bytes, clock, figure, head, make, say } from './dom.js'
import { patternOf } from './patterns.js'
import type { Shown } from './shown.js'

/** The bar reaches to the limit when the limit is less than this many times the resident memory. */
const limitRatioMax = 4

/** Shows a snapshot's explanation. */
export function showExplained({ explanation, process, at }: Shown): void {
  if (explanation === null) return
  const { limit } = process
  const named = `${bytes(limit)}, ${process.limitName ?? 'of the host'}`
  const parts = partsOf(explanation)
  const all = parts.reduce((sum, part) => sum + Math.max(0, part.bytes), 0)
  const end = limit !== null && limit > all && limit < limitRatioMax * all ? limit : all
  const pieces = parts.map((part) => {
    const share = Math.max(0, part.bytes) / end
    const piece = make('div', { title: `${part.name} ${bytes(part.bytes)}` }, share > 0.09 ? part.name : '')
    piece.style.width = `${share * 100}%`
    piece.style.backgroundColor = `var(--${part.key})`
    piece.classList.add(`p-${patternOf[`--${part.key}`]}`)
    return piece
  })
  fill(byId('bar'), ...pieces)
  const figures = parts.map((part) => {
    const shown = figure(part.name, part.bytes)
    shown.style.setProperty('--own', `var(--${part.key})`)
    shown.classList.add(`p-${patternOf[`--${part.key}`]}`)
    return shown
  })
  const sum = figure('All resident', explanation.resident)
  sum.classList.add('all')
  fill(byId('explain'), ...figures, sum)
  if (byId<HTMLDetailsElement>('explain-details').open) drawLayer(explanation.layerParts)
  const ago = Math.round((at - explanation.at) / 1000)
  const bound =
    limit === null
      ? 'no limit'
      : end === limit
        ? `the bar ends at the limit, ${named}`
        : `the limit, ${named}, is ${limit > all ? 'far beyond the bar' : 'reached'}`
  say('explain-says', `As of ${clock(explanation.at)}${ago > 1 ? `, ${ago} seconds before` : ''}; ${bound}.`)
}

/** Redraws the table of categories and states after a search. */
let filter: Filter | undefined
let last: readonly LayerPart[] = []

/** Rows of the table of categories and states. */
const layerRowsMax = 50

/** Draws this memory's resident bytes in each category and state: the largest, and the sum of the others. */
function drawLayer(parts: readonly LayerPart[]): void {
  last = parts
  filter ??= new Filter('explain', () => drawLayer(last))
  const search = filter
  const sorted = parts
    .filter(({ category, state }) => search.accepts([category ?? 'no category', state]))
    .toSorted((a, b) => b.resident - a.resident)
  const row = (name: string, state: string, resident: number, size: number): HTMLElement => {
    const cell = (n: number): HTMLElement => make('td', { class: 'n', 'data-value': String(n) }, bytes(n))
    return make('tr', {}, make('td', {}, make('bdi', {}, name)), make('td', {}, state), cell(resident), cell(size))
  }
  const rows = sorted
    .slice(0, layerRowsMax)
    .map(({ category, state, resident, size }) =>
      row(category === null ? 'no category' : shownName(category), state, resident, size),
    )
  const others = sorted.slice(layerRowsMax)
  const sum = (key: 'resident' | 'size'): number => others.reduce((all, part) => all + part[key], 0)
  if (others.length > 0) rows.push(row(`${others.length} others`, '', sum('resident'), sum('size')))
  fill(
    byId('explain-table'),
    head(['Category', 'State', 'Resident', 'Size'], ['Resident', 'Size']),
    make('tbody', {}, ...rows),
  )
}
