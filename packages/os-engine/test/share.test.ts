// Shares of the engine's memory on five engines: what a worker has stays Ready, and Atomics.wait works on it.
import { describe, expect, it } from 'vitest'
import { eachEngine, runOn } from './on-engines.js'

describe.skipIf(process.platform !== 'linux')('region.share of memory of the engine (needs Linux)', () => {
  it.for(eachEngine)('hands ranges to a worker, which waits on them, on %s', { timeout: 120_000 }, (name, context) => {
    expect(runOn(name, context, 'share.mjs')).toEqual({
      seen: [41, 42, 43, 44, 45, 46, 47, 48],
      isAwake: true,
      isGone: true,
      refused: 'ERR_MEMLAYER_SHARED',
      written: [100, 101, 102, 103, 104, 105, 106, 107],
      left: 0,
    })
  })
})
