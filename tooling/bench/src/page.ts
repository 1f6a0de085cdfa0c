// Prints every comparison as one line of a page, for a terminal and for a document.
import { formatBytes } from '@memlayer/core'
import { meets, type Comparison, type Unit } from './comparison.js'
import { machineText, type Machine } from './machine.js'
import type { Spread } from './measure.js'

/** All results of one run of the benchmark. */
export interface Results {
  readonly date: string
  readonly quick: boolean
  readonly machine: Machine
  readonly comparisons: readonly (Comparison & { readonly benchmark: string })[]
}

const titles = ['work', 'memlayer', 'beside', 'its figure', 'compared', 'half of the rounds', 'goal', ''] as const

/** Formats the page for a terminal. */
export function pageText(results: Results): string {
  const rows = rowsOf(results.comparisons)
  const widths = titles.map((title, i) => Math.max(title.length, ...rows.map((row) => (row[i] as string).length)))
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => (i === 0 || i === 2 ? cell.padEnd(widths[i] as number) : cell.padStart(widths[i] as number)))
      .join('  ')
      .trimEnd()
  const notes = notesOf(results.comparisons)
  return [
    machineText(results.machine),
    '',
    line(titles),
    widths.map((width) => '-'.repeat(width)).join('  '),
    ...rows.map((row, i) => line(i > 0 && row[0] === rows[i - 1]?.[0] ? ['', '', ...row.slice(2)] : row)),
    ...(notes.length === 0 ? [] : ['', ...notes]),
  ].join('\n')
}

/** Formats the page for a Markdown document. */
export function pageMarkdown(results: Results): string {
  const rows = rowsOf(results.comparisons)
  const row = (cells: readonly string[]): string => `| ${cells.slice(0, 7).join(' | ')} |`
  return [
    ...machineText(results.machine)
      .split('\n')
      .map((text) => `${text}  `),
    `Measured on ${results.date.slice(0, 10)}.`,
    '',
    row(titles),
    '| --- | ---: | --- | ---: | ---: | ---: | ---: |',
    ...rows.map((cells) => row(cells[7] === 'missed' ? [...cells.slice(0, 6), `${cells[6]} (missed)`] : cells)),
    ...notesOf(results.comparisons).map((note) => `\n${note}`),
  ].join('\n')
}

function rowsOf(comparisons: readonly Comparison[]): string[][] {
  return comparisons.map((one) => {
    const { work, unit, ours, beside, theirs, measure, result } = one
    const met = meets(one)
    return [
      work,
      figure(ours.median, unit),
      beside,
      theirs === null ? '-' : figure(theirs.median, unit),
      result === null ? '-' : compared(result.median, one),
      result === null || measure === 'alone' ? '' : `${compared(result.low, one)} to ${compared(result.high, one)}`,
      goalText(one),
      met === null ? '' : met ? 'met' : 'missed',
    ]
  })
}

function notesOf(comparisons: readonly Comparison[]): string[] {
  return comparisons.flatMap(({ work, beside, note }) => (note === undefined ? [] : [`${work}, ${beside}: ${note}`]))
}

function compared(value: number, { measure, unit }: Comparison): string {
  if (measure === 'times') return `${value.toFixed(2)} x`
  if (measure === 'faster') return `${value.toFixed(value < 10 ? 2 : 0)} x as fast`
  return measure === 'more' ? `${value < 0 ? '' : '+'}${figure(value, unit)}` : figure(value, unit)
}

function goalText({ goal, measure, unit }: Comparison): string {
  if (goal === undefined) return ''
  if (goal.kind === 'within') return `1.00 ± ${goal.value.toFixed(2)}`
  const value = measure === 'times' || measure === 'faster' ? `${goal.value} x` : figure(goal.value, unit)
  return `${goal.kind === 'most' ? 'at most' : 'at least'} ${value}`
}

/** Formats a figure with a unit that people read easily. */
export function figure(value: number, unit: Unit): string {
  if (Number.isNaN(value)) return '-'
  if (unit === 'bytes') return formatBytes(Number(value.toFixed(1)))
  if (unit === 'percent') return `${value.toFixed(1)} %`
  if (unit === 'count') return value.toFixed(0)
  const size = Math.abs(value)
  if (size < 1e3) return `${value.toFixed(size < 10 && size > 0 ? 1 : 0)} ns`
  if (size < 1e6) return `${(value / 1e3).toFixed(size < 1e4 ? 2 : 1)} µs`
  return `${(value / 1e6).toFixed(size < 1e7 ? 2 : size < 1e8 ? 1 : 0)} ms`
}

/** Formats a spread for one cell. */
export function spreadText({ median, low, high }: Spread, unit: Unit): string {
  return `${figure(median, unit)} (${figure(low, unit)} to ${figure(high, unit)})`
}
