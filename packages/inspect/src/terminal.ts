// Draws a snapshot in a terminal: totals, the parts of resident memory, the address space as a strip of characters, a
// sparkline of earlier moments, regions, categories, and refused operations.
import { formatAddress, formatBytes } from '@memlayer/core'
import { shortened } from './frame.js'
import { partsOf } from './parts.js'
import { finish, sumRegions } from './region-sums.js'
import type { Moment, Snapshot, SnapshotRegion } from './snapshot.js'
import { cell, line, type Piece } from './terminal-text.js'

const marks = [' ', '.', '-', '#']
const colours = ['', '90', '33', '32']
const [rowsMax, holdsRowsMax] = [10, 3]
/** Columns for a name. */
const NAME = 20

type Draw = (pieces: readonly Piece[]) => void

/** Draws a snapshot as lines of at most `width` columns. The sparkline shows `history`. */
export function drawTerminal(
  snapshot: Snapshot,
  width: number,
  colour: boolean,
  history: readonly Moment[] = snapshot.history,
): string[] {
  const lines: string[] = []
  const draw: Draw = (pieces) => lines.push(line(pieces, width, colour))
  const { total } = snapshot.stats
  const { resident, heapUsed, external } = snapshot.process
  const { ranges, regions, os, pageSize } = snapshot
  draw([
    plain(
      `memlayer on ${os}, pages of ${formatBytes(pageSize)}, ${ranges.length / 4} ranges, ${regions.length} regions`,
    ),
  ])
  draw([
    state(1, '. Reserved'),
    plain(` ${formatBytes(total.reserved)}   `),
    state(2, '- Prepared'),
    plain(` ${formatBytes(total.prepared)}${retainedOf(snapshot)}   `),
    state(3, '# Ready'),
    plain(` ${formatBytes(total.ready)}`),
  ])
  draw([plain(`resident ${figure(resident)}   JS heap ${formatBytes(heapUsed)}   external ${formatBytes(external)}`)])
  draw([plain(limitsOf(snapshot))])
  draw([])
  draw(runsOf(strip(snapshot, width)).map(([n, count]) => state(n, (marks[n] ?? ' ').repeat(count))))
  draw([])
  drawParts(snapshot, width, draw)
  drawHistory(history, width, draw)
  drawRegions(snapshot, width, draw)
  drawCategories(snapshot, width, draw)
  drawHolds(snapshot, draw)
  for (const { op, address, size, answer } of snapshot.log.filter(({ outcome }) => outcome !== 'done').slice(-3)) {
    draw([plain(`${op}(${address === null ? 'anywhere' : formatAddress(address)}, ${formatBytes(size)}): ${answer}`)])
  }
  return lines
}

const plain = (text: string): Piece => ({ text, colour: '' })
const state = (n: number, text: string): Piece => ({ text, colour: colours[n] ?? '' })

/** Of what is Prepared, what is idle and keeps its memory. */
function retainedOf({ stats: { retained } }: Snapshot): string {
  return retained > 0 ? ` (${formatBytes(retained)} retained)` : ''
}

/** The limit of the host that is nearest, and the program's own. */
function limitsOf({ process: { limit, limitName }, limits: { own } }: Snapshot): string {
  const host = limit === null ? 'limit none' : `limit ${formatBytes(limit)}, ${limitName ?? 'of the host'}`
  return own === null ? host : `${host}   ${own.name} ${figure(own.bytes)}, ${figure(own.used)} used`
}

/** Draws where resident memory is, as a bar with one letter per part. */
function drawParts({ explanation }: Snapshot, width: number, draw: Draw): void {
  if (explanation === null) return
  const parts = partsOf(explanation).filter(({ bytes }) => bytes > 0)
  const all = parts.reduce((sum, { bytes }) => sum + bytes, 0)
  let [sum, drawn] = [0, 0]
  const bar = parts.map(({ bytes, mark, sgr }) => {
    sum += bytes
    const to = Math.round((sum / all) * width)
    const text = mark.repeat(to - drawn)
    drawn = to
    return { text, colour: sgr }
  })
  draw([plain(`where resident memory is, as of ${new Date(explanation.at).toLocaleTimeString()}:`)])
  draw(bar)
  const most = Math.max(1, Math.floor(width / 30))
  for (let i = 0; i < parts.length; i += most) {
    draw(
      parts.slice(i, i + most).map(({ name, bytes, mark, sgr }) => ({
        text: cell(`${mark} ${name} ${formatBytes(bytes)}`, 30),
        colour: sgr,
      })),
    )
  }
  draw([])
}

const levels = '▁▂▃▄▅▆▇█'

/** Draws resident memory over time, one column per moment. The text beside it takes at most 34 columns. */
function drawHistory(history: readonly Moment[], width: number, draw: Draw): void {
  const shown = history
    .slice(Math.max(0, history.length - Math.max(0, width - 34)))
    .flatMap(({ resident }) => resident ?? [])
  if (shown.length < 2) return
  const [low, high] = [Math.min(...shown), Math.max(...shown)]
  const text = shown
    .map((n) => levels[high === low ? 0 : Math.round(((n - low) / (high - low)) * (levels.length - 1))])
    .join('')
  draw([plain(cell('resident', 9)), state(3, text), plain(` ${formatBytes(low)} to ${formatBytes(high)}`)])
  draw([])
}

interface Row extends SnapshotRegion {
  readonly ready: number
  readonly mappings: number
}

interface Column {
  readonly head: string
  readonly columns: number
  readonly text: (row: Row) => string
}

const figure = (n: number | null): string => (n === null ? '–' : formatBytes(n))
const columns: readonly Column[] = [
  { head: 'size', columns: 11, text: ({ size }) => figure(size) },
  { head: 'Ready', columns: 11, text: ({ ready }) => figure(ready) },
  { head: 'resident', columns: 11, text: ({ resident }) => figure(resident) },
  { head: 'huge', columns: 11, text: ({ huge }) => figure(huge) },
  { head: 'mappings', columns: 10, text: ({ mappings }) => String(mappings) },
]

/** Draws one line per region. The first column that does not fit is left out, and so are all after it. */
function drawRegions(snapshot: Snapshot, width: number, draw: Draw): void {
  const { ready, mappings } = finish(sumRegions(snapshot))
  const rows = snapshot.regions.map((region, i) => ({ ...region, ready: ready[i] ?? 0, mappings: mappings[i] ?? 0 }))
  if (rows.length === 0) return
  let left = width - NAME
  const shown = columns.filter((column) => (left -= column.columns) >= 0)
  const drawRow = (name: string, text: (column: Column) => string, place: string): void => {
    const figures = shown.map((column) => cell(text(column), column.columns, 'right')).join('')
    draw([plain(`${cell(name, NAME)}${figures}${left < '  reserved at'.length ? '' : `  ${cell(place, left - 2)}`}`)])
  }
  drawRow('region', ({ head }) => head, 'reserved at')
  for (const row of rows.toSorted((a, b) => b.ready - a.ready).slice(0, rowsMax)) {
    drawRow(row.name, ({ text }) => text(row), shortened(row.made))
  }
  if (rows.length > rowsMax) draw([plain(`and ${rows.length - rowsMax} more regions`)])
  draw([])
}

/** Draws the oldest holds: what keeps pages Ready besides their owner. */
function drawHolds({ holds, holdsCount }: Snapshot, draw: Draw): void {
  for (const { kind, region, offset, length, worker, age, made } of holds.slice(0, holdsRowsMax)) {
    const whose = worker === null ? '' : `, worker ${worker}`
    const where = `${formatBytes(length)} at ${formatBytes(offset)} of ${region}`
    draw([plain(`${kind} keeps ${where} Ready for ${Math.round(age / 1000)} s${whose}: ${shortened(made)}`)])
  }
  if (holdsCount > holdsRowsMax) draw([plain(`and ${holdsCount - holdsRowsMax} more holds`)])
}

function drawCategories({ stats }: Snapshot, width: number, draw: Draw): void {
  const { total, categories } = stats
  for (const [name, counts] of Object.entries(categories)
    .toSorted(([, a], [, b]) => b.ready - a.ready)
    .slice(0, rowsMax)) {
    const share = total.ready > 0 ? counts.ready / total.ready : 0
    draw([
      plain(`${cell(name, NAME)} ${cell(formatBytes(counts.ready), 11, 'right')} `),
      state(3, '#'.repeat(Math.round(share * Math.max(0, width - 34)))),
    ])
  }
}

/** Runs of equal neighbours and their lengths, so that each run needs its colour only once. */
function runsOf(cells: readonly number[]): (readonly [one: number, count: number])[] {
  const runs: [number, number][] = []
  for (const one of cells) {
    const last = runs.at(-1)
    if (last?.[0] === one) last[1] += 1
    else runs.push([one, 1])
  }
  return runs
}

/** For each of `width` cells the state with the most bytes in it. Gaps between ranges are left out. */
function strip({ ranges }: Snapshot, width: number): number[] {
  let all = 0
  for (let i = 1; i < ranges.length; i += 4) all += ranges[i] as number
  const cells = Array.from({ length: width }, () => [0, 0, 0, 0])
  let at = 0
  for (let i = 0; i < ranges.length; i += 4) {
    const [size, of] = [ranges[i + 1] as number, ranges[i + 2] as number]
    const end = at + size
    for (let x = Math.floor((at / all) * width); x < width && (x / width) * all < end; x++) {
      const sums = cells[x] as number[]
      sums[of] = (sums[of] as number) + Math.min(end, ((x + 1) / width) * all) - Math.max(at, (x / width) * all)
    }
    at = end
  }
  return cells.map((sums) => sums.indexOf(Math.max(...sums)))
}
