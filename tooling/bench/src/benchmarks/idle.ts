// Measures idle pages: what they cost beside pages that are given back at once, and what stays resident.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { rounds, withFloor, type Benchmark } from '../benchmark.js'
import type { Comparison } from '../comparison.js'
import { KiB, MiB, openMemory } from '../layer.js'
import { looped, ratio, spread, spreadOrNull, takeTurns } from '../measure.js'

const SMALL_BYTES = 64 * KiB
const WORK = 'idle + used of 64 KiB that is still retained'

export const idleUsed: Benchmark = {
  name: 'idle-used',
  says: 'region.idle and region.used of 64 KiB, and what C pays for the two madvise calls of unused',
  async run(settings) {
    // A scavenger that only runs when it is called: the pages stay retained.
    const region = openMemory({ scavenge: { share: 0 } }).reserve(64 * MiB)
    region.commit(0, region.size)
    const other = openMemory().reserve(64 * MiB)
    other.commit(0, other.size)
    const ways = {
      memlayer: looped((times) => {
        for (let i = 0; i < times; i++) {
          region.idle(SMALL_BYTES, SMALL_BYTES)
          region.used(SMALL_BYTES, SMALL_BYTES)
        }
      }),
      eager: looped((times) => {
        for (let i = 0; i < times; i++) {
          other.unused(SMALL_BYTES, SMALL_BYTES)
          other.used(SMALL_BYTES, SMALL_BYTES)
        }
      }),
    }
    const series = await withFloor(settings, 'unused-used', async (c) =>
      takeTurns<'memlayer' | 'eager' | 'c'>({ ...ways, c }, rounds(settings, { rounds: 400, warmUp: 60, times: 200 })),
    )
    const line = (beside: string, theirs: readonly number[]): Comparison => ({
      work: WORK,
      unit: 'ns',
      ours: spread(series.memlayer),
      beside,
      theirs: spreadOrNull(theirs),
      measure: 'faster',
      result: theirs.length === 0 ? null : ratio(theirs, series.memlayer),
    })
    return [{ ...line('C, unused', series.c), goal: { kind: 'least', value: 5 } }, line('unused + used', series.eager)]
  },
}

const program: string = join(import.meta.dirname, '..', 'programs', 'pool.js')

/** What one run of the pool tells. */
interface Pool {
  readonly nanoseconds: number
  readonly beyond: number
}

function runPool(way: string, pieces: number, operations: number): Pool {
  const args = [program, way, String(pieces), String(operations)]
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`pool.js ${way} ended with exit code ${status}: ${stderr}`)
  return JSON.parse(stdout) as Pool
}

export const pool: Benchmark = {
  name: 'pool',
  says: 'a pool of 64 KiB pieces, freed and taken back at random: processor time, and what stays when the load falls',
  run({ quick }) {
    const [pieces, operations] = quick ? [256, 512] : [16_384, 200_000]
    const seen: Record<'idle' | 'eager' | 'never', Pool[]> = { idle: [], eager: [], never: [] }
    for (let round = 0; round < (quick ? 1 : 3); round++) {
      for (const way of ['idle', 'eager', 'never'] as const) seen[way].push(runPool(way, pieces, operations))
    }
    const times = (way: keyof typeof seen): number[] => seen[way].map(({ nanoseconds }) => nanoseconds)
    const beyond = (way: keyof typeof seen): number[] => seen[way].map((one) => one.beyond)
    const line = (beside: string, way: 'eager' | 'never'): Comparison[] => [
      {
        work: 'a pool: processor time of an operation, 16 pages filled',
        unit: 'ns',
        ours: spread(times('idle')),
        beside,
        theirs: spread(times(way)),
        measure: 'times',
        result: ratio(times('idle'), times(way)),
      },
      {
        work: 'a pool, 5 s after the load fell: resident beyond what is in use',
        unit: 'percent',
        ours: spread(beyond('idle')),
        beside,
        theirs: spread(beyond(way)),
        measure: 'alone',
        result: spread(beyond('idle')),
        ...(way === 'eager' ? { goal: { kind: 'most', value: 15 } as const } : {}),
      },
    ]
    return Promise.resolve([...line('unused at once', 'eager'), ...line('never given back', 'never')])
  },
}
