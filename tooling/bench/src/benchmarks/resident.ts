// Gives back a scattered half of the chunks, and measures how much of it leaves resident memory.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import type { Benchmark } from '../benchmark.js'
import type { Comparison } from '../comparison.js'
import { spread, type Spread } from '../measure.js'

const CHUNK_BYTES = 65536
const program: string = join(import.meta.dirname, '..', 'programs', 'give-back-half.js')

/** Returns how much resident memory fell, in per cent of the bytes that were given back. */
function returned(way: string, chunks: number): number {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--expose-gc', program, way, String(chunks)], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`give-back-half.js ${way} ended with exit code ${status}: ${stderr}`)
  return (Number(stdout) / ((chunks / 2) * CHUNK_BYTES)) * 100
}

export const resident: Benchmark = {
  name: 'resident',
  says: 'resident memory after giving back every second of 4,096 chunks of 64 KiB',
  run({ quick }) {
    const chunks = quick ? 256 : 4096
    const seen: Record<'memlayer' | 'buffer' | 'resizable', number[]> = { memlayer: [], buffer: [], resizable: [] }
    for (let round = 0; round < (quick ? 1 : 5); round++) {
      for (const way of ['memlayer', 'buffer', 'resizable'] as const) seen[way].push(returned(way, chunks))
    }
    const ours: Spread = spread(seen.memlayer)
    const line = (beside: string, theirs: readonly number[]): Comparison => ({
      work: 'a scattered half given back: of it, returned',
      unit: 'percent',
      ours,
      beside,
      theirs: spread(theirs),
      measure: 'alone',
      result: ours,
    })
    return Promise.resolve([
      { ...line('Buffers, dropped and collected', seen.buffer), goal: { kind: 'least', value: 99 } },
      line('resizable ArrayBuffers, shrunk', seen.resizable),
    ])
  },
}
