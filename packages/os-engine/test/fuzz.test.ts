// A random history of the engine's memory across the main thread and workers, on five engines. MEMLAYER_OPERATIONS
// says how many operations it has.
import { isLong, testSeed } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'
import { eachEngine, isFull, runOn } from './on-engines.js'

const given = Number(process.env['MEMLAYER_OPERATIONS'] ?? NaN)
const usual = isFull ? 200_000 : isLong ? 20_000 : 1000
const operations = given > 0 ? given : usual
const workersAtOnce = isLong || isFull ? 4 : 3
const MiB = 2 ** 20
/** What an engine keeps for itself, whatever the history: compiled code, and the heaps that its threads had. */
const ofEngine = (isLong || isFull ? 64 : 32) * MiB
/**
 * Deno keeps the SharedArrayBuffers of a worker that is terminated while it runs: 540 of 640 MiB that 40 workers had,
 * without this package. A worker of the history has 16 MiB and a little more.
 */
const ofTerminatedOfDeno = 18 * MiB

interface Told {
  readonly problem: string | null
  readonly [figure: string]: unknown
}

describe.skipIf(process.platform !== 'linux')('memory of the engine across workers (needs Linux)', () => {
  const seed = testSeed()

  it.for([...eachEngine, ...(isLong ? (['node26 by node:ffi'] as const) : [])])(
    'agrees with a shadow and the kernel while threads post, share, free and end at random, on %s',
    { timeout: 1_200_000 },
    (name, context) => {
      const { problem, ...told } = runOn(
        name,
        context,
        'fuzz/fuzz.mjs',
        [seed, operations, workersAtOnce].map(String),
      ) as Told
      expect(problem).toBeNull()
      const { done, workers, posted, compared, absent, grownMiB, writtenMiB } = told as Record<string, number>
      expect(done).toBeGreaterThan(operations / 2)
      for (const number of [workers, posted, compared, absent]) expect(number).toBeGreaterThan(operations / 1000)
      const { terminate = 0 } = told['ended'] as { terminate?: number }
      const ofEnds = name === 'deno' ? ofTerminatedOfDeno * terminate : 0
      expect((grownMiB ?? NaN) * MiB).toBeLessThan(((writtenMiB ?? NaN) * MiB) / 20 + ofEngine + ofEnds)
      console.log(`${name}: ${JSON.stringify(told)}`)
    },
  )
})
