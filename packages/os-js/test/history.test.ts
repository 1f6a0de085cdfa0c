// Random operations against a shadow of the memory's pages, a million in a long run, and fewer on each kind of memory.
// Browsers and other engines run the same histories.
import { isLong, testSeed } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'
import { liveHistory, MAXIMUM, type Kind, type Summary } from './history/history.js'
import { wideAddress } from './history/memories.js'

function live(kind: Kind, steps: number, seed = testSeed()): Summary {
  const summary = liveHistory(kind, steps, seed)
  // A history that never reached its limits would prove little.
  expect(summary.refusals).toBeGreaterThan(steps / 1000)
  expect(summary.pages).toBeGreaterThan(MAXIMUM * 0.9)
  return summary
}

describe('os-js against a shadow of its pages', () => {
  const operations = isLong ? 1_000_000 : 100_000

  it(`agrees for ${operations.toLocaleString('en')} operations on a 32-bit memory`, () => {
    live('32-bit', operations)
  })

  it('agrees for 50,000 operations on a 64-bit memory', (ctx) => {
    wideAddress(ctx)
    live('64-bit', 50_000)
  })

  it('agrees for 50,000 operations on a shared memory', () => {
    live('shared', 50_000)
  })

  it('agrees for 50,000 operations on an engine that discards, where given back pages read zero', () => {
    live('discard', 50_000)
  })

  it('leaves a module’s pages alone in 20 times 2,500 operations, while the module grows the memory', () => {
    for (let round = 0; round < 20; round++) {
      expect(live('module', 2500, testSeed() + round).modulePages).toBeGreaterThan(5)
    }
  })
})
