// os-engine on five engines: this Node, those before and after it, Bun and Deno. Each passes the conformance suite,
// lets no view dangle that was kept, and agrees with a shadow through a random life. MEMLAYER_OS_ENGINE=full
// gives it a million operations.
import { isLong, testSeed } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'
import { eachEngine, isFull, runOn } from './on-engines.js'

const size = 16 * 2 ** 20
const operations = isFull ? 1_000_000 : 20_000

interface Facts {
  readonly failed: readonly string[]
  readonly passed: number
  readonly ways: Readonly<Record<string, unknown>>
  readonly disagreement: unknown
  readonly done: number
  readonly left: number
}

function expectAll(facts: unknown): void {
  const { failed, passed, ways, disagreement, done, left } = facts as Facts
  expect(failed).toEqual([])
  expect(passed).toBeGreaterThan(45)
  const zeroed = { before: size, after: 0, reads: [0, 0], length: size }
  expect(ways).toEqual({ unused: zeroed, fault: zeroed, free: zeroed })
  expect(disagreement).toBeNull()
  expect(done).toBeGreaterThan(operations / 2)
  expect(left).toBe(0)
}

describe.skipIf(process.platform !== 'linux')('os-engine (needs Linux)', () => {
  const args = [testSeed(), operations].map(String)

  it.for([...eachEngine, ...(isLong ? (['node26 by node:ffi'] as const) : [])])(
    'conforms, zeroes what views have kept, and agrees with a shadow, on %s',
    { timeout: 1_200_000 },
    (name, context) => {
      expectAll(runOn(name, context, 'every-engine.mjs', args))
    },
  )
})
