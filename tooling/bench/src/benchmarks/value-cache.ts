// Measures a cache of a million small values beside lru-cache, a Map of Buffers, and SQLite in memory.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import type { Benchmark } from '../benchmark.js'
import type { Comparison, Goal, Measure, Unit } from '../comparison.js'
import { difference, ratio, spread } from '../measure.js'

const program: string = join(import.meta.dirname, '..', 'programs', 'value-cache.js')
const ways = ['memlayer', 'read', 'lru-cache', 'map', 'sqlite'] as const
type WayName = (typeof ways)[number]
const others: readonly WayName[] = ['lru-cache', 'map', 'sqlite']
const names: Readonly<Partial<Record<WayName, string>>> = { map: 'Map of Buffers', sqlite: 'SQLite in memory' }

/** What one run of the program tells. Times are of its thread, in nanoseconds. */
interface Run {
  readonly get: number
  readonly set: number
  readonly hitRate: number
  readonly scanHitRate: number
  readonly tail: number
  readonly full: number
  readonly cleared: number
  readonly worst: number
}

function runProgram(way: WayName, values: number, operations: number): Run {
  const args = ['--expose-gc', program, way, String(values), String(operations)]
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`value-cache.js ${way} ended with exit code ${status}: ${stderr}`)
  return JSON.parse(stdout) as Run
}

interface Row {
  readonly key: keyof Run
  readonly work: string
  readonly unit: Unit
  readonly measure: Measure
  /** What lru-cache's figure is held against. */
  readonly goal?: Goal
}

const rows: readonly Row[] = [
  { key: 'get', work: 'get', unit: 'ns', measure: 'times', goal: { kind: 'most', value: 1.3 } },
  { key: 'set', work: 'set', unit: 'ns', measure: 'times', goal: { kind: 'most', value: 1.3 } },
  { key: 'hitRate', work: 'hit rate', unit: 'percent', measure: 'more' },
  { key: 'scanHitRate', work: 'hit rate, a fifth of the requests are scans', unit: 'percent', measure: 'more' },
  { key: 'tail', work: 'the slowest of a thousand gets', unit: 'ns', measure: 'times' },
  { key: 'full', work: 'resident, full', unit: 'bytes', measure: 'times', goal: { kind: 'most', value: 0.5 } },
  { key: 'cleared', work: 'resident, after clear()', unit: 'bytes', measure: 'times' },
  { key: 'worst', work: 'longest stretch of 64', unit: 'ns', measure: 'times', goal: { kind: 'most', value: 0.1 } },
]

export const valueCache: Benchmark = {
  name: 'value-cache',
  says: 'a cache of a million values of 100 to 400 bytes, read by Zipf, beside lru-cache, a Map of Buffers and SQLite',
  run({ quick }) {
    const [values, operations, rounds] = quick ? [1000, 2000, 1] : [1_000_000, 1_000_000, 3]
    const seen = new Map<WayName, Run[]>(ways.map((way) => [way, []]))
    for (let round = 0; round < rounds; round++)
      for (const way of ways) seen.get(way)?.push(runProgram(way, values, operations))
    const of = (way: WayName, key: keyof Run): number[] => (seen.get(way) ?? []).map((run) => run[key])
    const line = ({ key, work, unit, measure, goal }: Row, ours: WayName, beside: WayName): Comparison => {
      const [mine, theirs] = [of(ours, key), of(beside, key)]
      return {
        work: `a million values, ${work}${ours === 'read' ? ' without a copy' : ''}`,
        unit,
        ours: spread(mine),
        beside: names[beside] ?? beside,
        theirs: spread(theirs),
        measure,
        result: measure === 'more' ? difference(mine, theirs) : ratio(mine, theirs),
        ...(goal === undefined || beside !== 'lru-cache' ? {} : { goal }),
      }
    }
    const lines = rows.flatMap((row) => others.map((other) => line(row, 'memlayer', other)))
    const [get] = rows as [Row]
    return Promise.resolve([
      ...lines.slice(0, others.length),
      line(get, 'read', 'lru-cache'),
      ...lines.slice(others.length),
    ])
  },
}
