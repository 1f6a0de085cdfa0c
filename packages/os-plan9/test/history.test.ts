// A million random operations on the layer over Plan 9's allocator, on real pages. A shadow does the same in plain
// arrays.
import { createMemory } from '@memlayer/core'
import { plan9Kernel } from '@memlayer/ffi'
import { History } from '@memlayer/history'
import { createOS } from '@memlayer/os-plan9'
import { random } from '@memlayer/witness'
import { expect, it } from 'vitest'

const OPERATIONS = 1_000_000
const BETWEEN_CHECKS = 1000

it.skipIf(process.platform !== 'linux')(
  `agrees with a shadow through ${OPERATIONS.toLocaleString('en')} operations on real pages (needs Linux)`,
  () => {
    const memory = createMemory(createOS({ kernel: plan9Kernel({ size: 2 ** 28 }) }))
    const history = new History({ memory, random: random() })
    for (let i = 1; i <= OPERATIONS; i++) {
      history.step()
      if (i % BETWEEN_CHECKS === 0) expect(history.disagreement(), `after ${i} operations`).toBeNull()
    }
    // A history of only refusals would prove nothing.
    expect(history.done).toBeGreaterThan(OPERATIONS / 2)
    expect([...history.refused.keys()].toSorted((a, b) => a.localeCompare(b))).toEqual([
      'ERR_MEMLAYER_NOT_OWNED',
      'ERR_MEMLAYER_STATE',
    ])
    history.end()
    expect(memory.stats().total).toMatchObject({ reserved: 0, prepared: 0, ready: 0, held: 0 })
  },
  600_000,
)
