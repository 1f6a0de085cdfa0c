// The same in a terminal: totals, the address space as a strip of characters, the largest categories.
import { formatAddress, formatBytes } from '@memlayer/core'
import type { Snapshot } from './snapshot.js'

const marks = [' ', '.', '-', '#']
const colours = ['', '\u001B[90m', '\u001B[33m', '\u001B[32m']
const reset = '\u001B[0m'

/** Draws a snapshot as lines of at most `width` characters. */
export function drawTerminal(snapshot: Snapshot, width: number, colour: boolean): string[] {
  const { total, categories } = snapshot.stats
  const paint = (state: number, text: string): string => (colour ? `${colours[state] ?? ''}${text}${reset}` : text)
  const { resident, heapUsed, external, limit } = snapshot.process
  const lines = [
    `memlayer on ${snapshot.os}, pages of ${formatBytes(snapshot.pageSize)}, ${snapshot.ranges.length / 4} ranges, ${snapshot.regions.length} regions`,
    `${paint(1, '. Reserved')} ${formatBytes(total.reserved)}   ${paint(2, '- Prepared')} ${formatBytes(total.prepared)}   ${paint(3, '# Ready')} ${formatBytes(total.ready)}`,
    `resident ${formatBytes(resident)}   JS heap ${formatBytes(heapUsed)}   external ${formatBytes(external)}   limit ${limit === null ? 'none' : formatBytes(limit)}`,
    '',
    strip(snapshot, width).map((state) => paint(state, marks[state] ?? ' ')).join(''),
    '',
  ]
  const rows = Object.entries(categories).toSorted(([, a], [, b]) => b.ready - a.ready).slice(0, 12)
  for (const [name, counts] of rows) {
    const share = total.ready === 0 ? 0 : counts.ready / total.ready
    lines.push(`${name.slice(0, 20).padEnd(20)} ${formatBytes(counts.ready).padStart(11)} ${paint(3, '#'.repeat(Math.round(share * Math.max(0, width - 34))))}`)
  }
  const failed = snapshot.log.filter(({ outcome }) => outcome !== 'done').slice(-3)
  for (const { op, address, size, answer } of failed) {
    lines.push(`${op}(${address === null ? 'anywhere' : formatAddress(address)}, ${formatBytes(size)}): ${answer}`.slice(0, width))
  }
  return lines
}

/** A state for each of `width` cells: the one that most bytes of the cell are in. Gaps between ranges are left out. */
export function strip({ ranges }: Snapshot, width: number): number[] {
  let all = 0
  for (let i = 1; i < ranges.length; i += 4) all += ranges[i] as number
  const cells = Array.from({ length: width }, () => [0, 0, 0, 0])
  let at = 0
  for (let i = 0; i < ranges.length; i += 4) {
    const [size, state] = [ranges[i + 1] as number, ranges[i + 2] as number]
    const end = at + size
    for (let x = Math.floor((at / all) * width); x < width && (x / width) * all < end; x++) {
      const cell = cells[x] as number[]
      cell[state] = (cell[state] as number) + Math.min(end, ((x + 1) / width) * all) - Math.max(at, (x / width) * all)
    }
    at = end
  }
  return cells.map((cell) => cell.indexOf(Math.max(...cell)))
}
