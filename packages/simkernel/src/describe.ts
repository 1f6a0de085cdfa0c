// The address space as text, for a person who reads a failed test.
import type { Simulated, SimulatedMapping } from './simulated.js'

/** The text of `describe()`. */
export function describe(kernel: Simulated): string {
  const mappings = kernel.maps()
  const sum = (of: (mapping: SimulatedMapping) => number): number => mappings.reduce((total, one) => total + of(one), 0)
  const mapped = sum(({ start, end }) => end - start)
  const head = [
    `${kernel.os}, seed ${kernel.seed}: ${count(mappings.length, 'mapping')}, ${bytes(mapped)}`,
    ...residencyOf({
      resident: sum(({ resident }) => resident),
      forfeit: sum(({ forfeit }) => forfeit),
      huge: sum(({ huge }) => huge),
    }),
  ].join('; ')
  return [head, ...rows(mappings), callsOf(kernel)].join('\n')
}

function rows(mappings: readonly SimulatedMapping[]): string[] {
  const cells = mappings.map((one) => [
    `${hex(one.start)}-${hex(one.end)}`,
    bytes(one.end - one.start),
    one.permissions,
    one.flags.join(' '),
    residencyOf(one).join(', '),
  ])
  const widths = [0, 1, 2, 3].map((column) => Math.max(0, ...cells.map((row) => (row[column] ?? '').length)))
  return cells.map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd())
}

function residencyOf({ resident, forfeit, huge }: { resident: number; forfeit: number; huge: number }): string[] {
  const parts: string[] = []
  if (resident > 0) parts.push(`${bytes(resident)} resident`)
  if (huge > 0) parts.push(`${bytes(huge)} in huge pages`)
  if (forfeit > 0) parts.push(`${bytes(forfeit)} forfeit`)
  return parts
}

function callsOf({ counters }: Simulated): string {
  const { calls, refused, planned } = counters
  const total = Object.values(calls).reduce((sum, one) => sum + one, 0)
  const each = Object.entries(calls).map(([fn, one]) => `${fn} ${one}`)
  const list = each.length === 0 ? '' : ` (${each.join(', ')})`
  const plan = planned === 0 ? '' : `, ${planned} by plan`
  return `${count(total, 'call')}${list}, ${refused} refused${plan}`
}

function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`
}

function hex(v: number): string {
  return `0x${v.toString(16)}`
}

const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const

function bytes(n: number): string {
  let value = n
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit += 1
  }
  return `${Number.isInteger(value) ? value : value.toFixed(1)} ${units[unit] ?? ''}`
}
