// Measures what a program pays before its first byte: the import, the foreign calls, and the first reservation.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { rounds, type Benchmark } from '../benchmark.js'
import type { Comparison } from '../comparison.js'
import { difference, spread, takeTurns, type Contender } from '../measure.js'

/** Runs a program in its own Node process, and measures from its start to its end. */
function program(name: string): Contender {
  const path = join(import.meta.dirname, '..', 'programs', `${name}.js`)
  return {
    batch(): number {
      const start = performance.now()
      const { status, stderr } = spawnSync(process.execPath, [path], { encoding: 'utf8' })
      if (status !== 0) throw new Error(`${name}.js ended with exit code ${status}: ${stderr}`)
      return (performance.now() - start) * 1e6
    },
  }
}

export const start: Benchmark = {
  name: 'start',
  says: 'node with core, and with the first reservation, beside bare node',
  async run(settings) {
    const ways = {
      bare: program('nothing'),
      core: program('import-core'),
      linux: program('reserve-linux'),
      memlayer: program('reserve'),
    }
    const series = await takeTurns(ways, rounds(settings, { rounds: 40, warmUp: 3, times: 1 }))
    const line = (work: string, ours: readonly number[], most: number): Comparison => ({
      work,
      unit: 'ns',
      ours: spread(ours),
      beside: 'node with an empty module',
      theirs: spread(series.bare),
      measure: 'more',
      result: difference(ours, series.bare),
      goal: { kind: 'most', value: most },
    })
    return [
      line('import of @memlayer/core', series.core, 5e6),
      line('import and first reserve, @memlayer/os-linux', series.linux, 25e6),
      line('import and first reserve, memlayer', series.memlayer, 25e6),
    ]
  },
}
