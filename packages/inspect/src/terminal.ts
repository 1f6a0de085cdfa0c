// Draws a snapshot in a terminal: totals, the parts of resident memory, the address space as a strip of characters, a
// sparkline of earlier moments, regions, categories, and refused operations.
import { alertsOf } from './alerts.js'
import { visible } from './names.js'
import { formatAddress, formatBytes } from '@memlayer/core'
import { shortened } from './frame.js'
import { partsOf } from './parts.js'
import { finish, sumRegions } from './region-sums.js'
import type { LogEntry, Moment, Snapshot, SnapshotRegion } from './snapshot.js'
import { fit, type Section } from './terminal-fit.js'
import { cell, line, type Piece } from './terminal-text.js'

const marks = [' ', '.', '-', '#']
const colours = ['', '90', '33', '32']
const [rowsMax, holdsRowsMax, refusedRowsMax] = [10, 3, 3]
/** Columns for a name. */
const NAME = 20

type Lines = (readonly Piece[])[]

/** What a section is drawn from. */
interface Scene {
  readonly snapshot: Snapshot
  readonly width: number
  readonly history: readonly Moment[]
}

/**
 * Draws a snapshot as lines of at most `width` columns, and of at most `height` lines: what matters less is left out.
 * The sparkline shows `history`.
 */
export function drawTerminal(
  snapshot: Snapshot,
  width: number,
  color: boolean,
  history: readonly Moment[] = snapshot.history,
  height: number = Infinity,
): string[] {
  const lines = fit(sectionsOf({ snapshot, width, history }), height)
  return lines.map((pieces) => line(pieces, width, color))
}

/** The sections from top to bottom. */
function sectionsOf(scene: Scene): Section[] {
  const { snapshot, width, history } = scene
  const { regions, stats, log } = snapshot
  const parts = partLines(scene)
  const alerts = alertsOf(snapshot, history).map(({ says }): Piece[] => [{ text: `! ${says}`, colour: '31' }])
  const refused = log.filter(({ outcome }) => outcome !== 'done').slice(-refusedRowsMax)
  const categories = Math.min(rowsMax, Object.keys(stats.categories).length)
  const whole = (lines: Lines, rank: number): Section => ({
    rank,
    least: lines.length,
    most: lines.length,
    draw: () => lines,
  })
  return [
    { rank: 0, least: 1, most: 4, draw: (rows) => totalLines(snapshot).slice(0, rows) },
    { rank: 2, least: Math.min(1, alerts.length), most: alerts.length, draw: (rows) => alerts.slice(0, rows) },
    whole([runsOf(strip(snapshot, width)).map(([n, count]) => state(n, (marks[n] ?? ' ').repeat(count)))], 1),
    whole(parts, 3),
    whole(historyLines(history, width), 6),
    { rank: 2, ...regionRows(regions.length), draw: (rows) => regionLines(scene, rows) },
    { rank: 7, least: 0, most: categories, draw: (rows) => categoryLines(scene, rows) },
    { rank: 5, ...holdRows(snapshot), draw: (rows) => holdLines(snapshot, rows) },
    {
      rank: 4,
      least: Math.min(1, refused.length),
      most: refused.length,
      draw: (rows) => refused.slice(refused.length - rows).map(refusedLine),
    },
  ]
}

const plain = (text: string): Piece => ({ text, colour: '' })
const state = (n: number, text: string): Piece => ({ text, colour: colours[n] ?? '' })

/** The figures above all else. */
function totalLines(snapshot: Snapshot): Lines {
  const { total } = snapshot.stats
  const { resident, heapUsed, external } = snapshot.process
  const { ranges, regions, os, pageSize } = snapshot
  const leaks = regions.reduce((sum, { leaked }) => sum + Number(leaked), 0)
  const counts = `${ranges.length / 4} ranges, ${regions.length} regions${leaks === 0 ? '' : `, ${leaks} leaked`}`
  return [
    [plain(`memlayer on ${os}, pages of ${formatBytes(pageSize)}, ${counts}`)],
    [
      state(1, '. Reserved'),
      plain(` ${formatBytes(total.reserved)}   `),
      state(2, '- Prepared'),
      plain(` ${formatBytes(total.prepared)}${retainedOf(snapshot)}   `),
      state(3, '# Ready'),
      plain(` ${formatBytes(total.ready)}`),
    ],
    [plain(`resident ${figure(resident)}   JS heap ${formatBytes(heapUsed)}   external ${formatBytes(external)}`)],
    [plain(limitsOf(snapshot))],
  ]
}

/** Of what is Prepared, what is idle and keeps its memory. */
function retainedOf({ stats: { retained } }: Snapshot): string {
  return retained > 0 ? ` (${formatBytes(retained)} retained)` : ''
}

/** The limit of the host that is nearest, and the program's own. */
function limitsOf({ process: { limit, limitName }, limits: { own } }: Snapshot): string {
  const host = limit === null ? 'limit none' : `limit ${formatBytes(limit)}, ${limitName ?? 'of the host'}`
  return own === null ? host : `${host}   ${own.name} ${figure(own.bytes)}, ${figure(own.used)} used`
}

/** Where resident memory is, as a bar with one letter per part. */
function partLines({ snapshot: { explanation }, width }: Scene): Lines {
  if (explanation === null) return []
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
  const most = Math.max(1, Math.floor(width / 30))
  const names = parts.map(({ name, bytes, mark, sgr }) => ({
    text: cell(`${mark} ${name} ${formatBytes(bytes)}`, 30),
    colour: sgr,
  }))
  const rows = Array.from({ length: Math.ceil(names.length / most) }, (_, i) => names.slice(i * most, (i + 1) * most))
  return [[plain(`where resident memory is, as of ${new Date(explanation.at).toLocaleTimeString()}:`)], bar, ...rows]
}

const levels = '▁▂▃▄▅▆▇█'

/** Resident memory over time, one column per moment. The text beside it takes at most 34 columns. */
function historyLines(history: readonly Moment[], width: number): Lines {
  const shown = history
    .slice(Math.max(0, history.length - Math.max(0, width - 34)))
    .flatMap(({ resident }) => resident ?? [])
  if (shown.length < 2) return []
  const [low, high] = [Math.min(...shown), Math.max(...shown)]
  const text = shown
    .map((n) => levels[high === low ? 0 : Math.round(((n - low) / (high - low)) * (levels.length - 1))])
    .join('')
  return [[plain(cell('resident', 9)), state(3, text), plain(` ${formatBytes(low)} to ${formatBytes(high)}`)]]
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

/** The head, the regions, and the line that says how many more there are. */
function regionRows(count: number): { readonly least: number; readonly most: number } {
  if (count === 0) return { least: 0, most: 0 }
  const most = 1 + Math.min(count, rowsMax) + Number(count > rowsMax)
  return { least: Math.min(most, 3), most }
}

/** One line per region. The first column that does not fit is left out, and so are all after it. */
function regionLines({ snapshot, width }: Scene, rowsHere: number): Lines {
  const { ready, mappings } = finish(sumRegions(snapshot))
  const rows = snapshot.regions.map((region, i) => ({ ...region, ready: ready[i] ?? 0, mappings: mappings[i] ?? 0 }))
  let left = width - NAME
  const shown = columns.filter((column) => (left -= column.columns) >= 0)
  const lineOf = (name: string, text: (column: Column) => string, place: string): Piece[] => {
    const figures = shown.map((column) => cell(text(column), column.columns, 'right')).join('')
    return [plain(`${cell(name, NAME)}${figures}${left < '  reserved at'.length ? '' : `  ${cell(place, left - 2)}`}`)]
  }
  const count = rows.length <= Math.min(rowsMax, rowsHere - 1) ? rows.length : Math.min(rowsMax, rowsHere - 2)
  return [
    lineOf('region', ({ head }) => head, 'reserved at'),
    ...rows
      .toSorted((a, b) => b.ready - a.ready)
      .slice(0, Math.max(0, count))
      .map((row) =>
        lineOf(
          row.leaked ? `leaked: ${visible(row.name)}` : visible(row.name),
          ({ text }) => text(row),
          shortened(row.made),
        ),
      ),
    ...(rows.length > count ? [[plain(`and ${rows.length - count} more regions`)]] : []),
  ]
}

/** The oldest holds and the line that says how many more there are. */
function holdRows({ holdsCount }: Snapshot): { readonly least: number; readonly most: number } {
  return {
    least: Math.min(1, holdsCount),
    most: Math.min(holdsCount, holdsRowsMax) + Number(holdsCount > holdsRowsMax),
  }
}

/** The oldest holds: what keeps pages Ready besides their owner. */
function holdLines({ holds, holdsCount }: Snapshot, rows: number): Lines {
  const count = rows >= holdsCount ? holdsCount : Math.max(0, rows - 1)
  const lines = holds.slice(0, count).map(({ kind, region, offset, length, worker, age, made }) => {
    const whose = worker === null ? '' : `, worker ${worker}`
    const where = `${formatBytes(length)} at ${formatBytes(offset)} of ${region}`
    return [plain(`${kind} keeps ${where} Ready for ${Math.round(age / 1000)} s${whose}: ${shortened(made)}`)]
  })
  return holdsCount > count ? [...lines, [plain(`and ${holdsCount - count} more holds`)]] : lines
}

function categoryLines({ snapshot: { stats }, width }: Scene, rows: number): Lines {
  const { total, categories } = stats
  return Object.entries(categories)
    .toSorted(([, a], [, b]) => b.ready - a.ready)
    .slice(0, rows)
    .map(([name, counts]) => {
      const share = total.ready > 0 ? counts.ready / total.ready : 0
      return [
        plain(`${cell(visible(name), NAME)} ${cell(formatBytes(counts.ready), 11, 'right')} `),
        state(3, '#'.repeat(Math.round(share * Math.max(0, width - 34)))),
      ]
    })
}

function refusedLine({ op, address, size, answer }: LogEntry): Piece[] {
  return [plain(`${op}(${address === null ? 'anywhere' : formatAddress(address)}, ${formatBytes(size)}): ${answer}`)]
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
