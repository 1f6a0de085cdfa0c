// os-js on the other engines: the Nodes before and after this one, Bun, and Deno without permissions. They run the
// same module as the browser and must give the same facts.
import { bundle } from '@memlayer/browser'
import { requireEngine, runModule, type EngineName } from '@memlayer/engines'
import { testSeed } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'
import { MAXIMUM, type Summary } from './history/history.js'
import { expectedBeyond, expectedGigabyte, expectedLife, expectedLimits } from './portable/expected.js'

const main = new URL('./portable/main.ts', import.meta.url)

// Bun has 64-bit memories behind a flag. Node has them from 24 on.
const engines: readonly (readonly [EngineName, 'has' | 'lacks'])[] = [
  ['node22', 'lacks'],
  ['node26', 'has'],
  ['bun', 'lacks'],
  ['deno', 'has'],
]

describe('os-js on another engine', () => {
  it.for(engines)('gives the same facts on %s, which %s 64-bit memories', async ([name, wide], ctx) => {
    const engine = requireEngine(name, ctx)
    const printed = runModule(engine, `globalThis.memlayerSeed = ${testSeed()}\n${await bundle(main)}`)
    const facts = JSON.parse(printed) as { histories: Summary[]; wideHistory: Summary | string }
    const onlyWide = (expected: unknown): unknown => (wide === 'has' ? expected : 'ERR_MEMLAYER_OPTION')
    expect(facts).toMatchObject({
      life: expectedLife,
      wideLife: onlyWide(expectedLife),
      sharedLife: expectedLife,
      gigabyte: expectedGigabyte,
      limits: expectedLimits,
      beyond: onlyWide(expectedBeyond),
      histories: [{}, {}, {}, {}],
      wideHistory: onlyWide(expect.objectContaining({})),
    })
    const summaries = wide === 'has' ? [...facts.histories, facts.wideHistory as Summary] : facts.histories
    for (const { refusals, pages } of summaries) {
      expect(refusals).toBeGreaterThan(20)
      expect(pages).toBeGreaterThan(MAXIMUM * 0.9)
    }
  })
})
