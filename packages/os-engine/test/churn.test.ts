// Workers that make regions, get one, post one, and end in every way: resident memory is back, on five engines, and
// what they have posted is right after their end. MEMLAYER_OS_ENGINE=full has 200 of them.
import { describe, expect, it } from 'vitest'
import { eachEngine, isFull, runOn } from './on-engines.js'

const count = isFull ? 200 : 48

describe.skipIf(process.platform !== 'linux')('workers that end in every way leave no memory (needs Linux)', () => {
  it.for(eachEngine)('on %s', { timeout: 1_200_000 }, (name, context) => {
    const told = runOn(name, context, 'churn.mjs', [String(count)]) as Record<'warm' | 'right' | 'grownMiB', number>
    expect([told.warm, told.right]).toEqual([16, count])
    // The workers had 32 MiB each. A twentieth of that may be the engine's own.
    expect(told.grownMiB).toBeLessThan((count * 32) / 20)
  })
})
