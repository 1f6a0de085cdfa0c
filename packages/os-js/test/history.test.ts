// A million random operations against a shadow of the memory's pages, and fewer on each kind of
// memory. The same histories run in browsers and other engines.
import { testSeed } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'
import { liveHistory, MAXIMUM, type Kind, type Summary } from './history/history.js'
import { wideAddress } from './history/memories.js'

function live(kind: Kind, steps: number, seed = testSeed()): Summary {
  const summary = liveHistory(kind, steps, seed)
  // A history that never came to its limits would prove little.
  expect(summary.refusals).toBeGreaterThan(steps / 1000)
  expect(summary.pages).toBeGreaterThan(MAXIMUM * 0.9)
  return summary
}

describe('os-js against a shadow of its pages', () => {
  it('stays the same for a million operations on a 32-bit memory', () => {
    live('32-bit', 1_000_000)
  })

  it('stays the same for 50,000 operations on a 64-bit memory', (ctx) => {
    wideAddress(ctx)
    live('64-bit', 50_000)
  })

  it('stays the same for 50,000 operations on a shared memory', () => {
    live('shared', 50_000)
  })

  it('stays the same for 50,000 operations where the engine discards, and pages given back read zero', () => {
    live('discard', 50_000)
  })

  it('leaves the pages of a module alone that grows the same memory, for 20 times 2,500 operations', () => {
    for (let round = 0; round < 20; round++) {
      expect(live('module', 2500, testSeed() + round).modulePages).toBeGreaterThan(5)
    }
  })
})
