// Ten thousand wrong and hostile calls on the real kernel: any value in any place, addresses of the engine's own heap,
// regions that are gone, views kept past everything, tokens changed field by field, calls from inside observers. A
// shadow says which call is right. A right call is done. Any other is a UsageError, and reaches no kernel.
import { testSeed } from '@memlayer/witness'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { call } from './hostile-call.js'
import { HostileScene } from './hostile-scene.js'

const callsMin = 10_000
/** Every way that a call may end. */
const ends = [
  'done',
  'ERR_MEMLAYER_SIZE',
  'ERR_MEMLAYER_ADDRESS',
  'ERR_MEMLAYER_ALIGNMENT',
  'ERR_MEMLAYER_NOT_OWNED',
  'ERR_MEMLAYER_STATE',
  'ERR_MEMLAYER_STAT',
  'ERR_MEMLAYER_RANGE',
  'ERR_MEMLAYER_VIEW',
  'ERR_MEMLAYER_DISPOSED',
  'ERR_MEMLAYER_SHARED',
]

it.skipIf(process.platform !== 'linux')(
  'does each of 10,000 hostile calls that is right, refuses the others, and counts both exactly (needs Linux)',
  () => {
    const counts = new Map<string, number>()
    fc.assert(
      fc.property(fc.array(call, { minLength: 1, maxLength: 80, size: 'max' }), (calls) => {
        const scene = new HostileScene(counts)
        for (const one of calls) {
          scene.make(one)
          scene.compare()
        }
        scene.end()
      }),
      { numRuns: 400, seed: testSeed() },
    )
    const sum = [...counts.values()].reduce((total, times) => total + times, 0)
    console.log(`${sum} calls: ${[...counts].map(([end, times]) => `${times} ${end}`).join(', ')}`)
    expect(sum).toBeGreaterThanOrEqual(callsMin)
    for (const end of ends) expect(counts.get(end) ?? 0, end).toBeGreaterThan(0)
    expect(counts.get('done')).toBeGreaterThan(sum / 20)
  },
  300_000,
)
