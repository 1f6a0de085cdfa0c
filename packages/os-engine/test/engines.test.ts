// os-engine on five engines: this Node, those before and after it, Bun and Deno. Each passes the conformance suite,
// lets no view dangle that was kept, and agrees with a shadow and with the kernel through a random life.
// MEMLAYER_OPERATIONS says how long it is. A long run gives this Node a million operations, and
// MEMLAYER_OS_ENGINE=full gives them to each engine.
import { isLong, testSeed } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'
import { eachEngine, isFull, runOn, type Name } from './on-engines.js'

const size = 16 * 2 ** 20
const million = 1_000_000

/** The operations of a life on one engine. */
function operationsOn(name: Name): number {
  const given = Number(process.env['MEMLAYER_OPERATIONS'] ?? NaN)
  if (given > 0) return given
  if (isFull || (isLong && name === 'this Node')) return million
  return isLong ? million / 10 : million / 50
}

interface Facts {
  readonly failed: readonly string[]
  readonly passed: number
  readonly ways: Readonly<Record<string, unknown>>
  readonly disagreement: unknown
  readonly done: number
  /** Pages that were compared with the kernel, by state. */
  readonly compared: Readonly<Record<'Reserved' | 'Prepared' | 'Ready', number>>
  readonly seconds: number
  readonly left: number
}

function expectAll(name: Name, facts: unknown, operations: number): void {
  const { failed, passed, ways, disagreement, done, compared, seconds, left } = facts as Facts
  expect(failed).toEqual([])
  expect(passed).toBeGreaterThan(45)
  const zeroed = { before: size, after: 0, reads: [0, 0], length: size }
  expect(ways).toEqual({ unused: zeroed, fault: zeroed, free: zeroed })
  expect(disagreement).toBeNull()
  expect(done).toBeGreaterThan(operations / 2)
  // Each look sees some of all three.
  for (const pages of Object.values(compared)) expect(pages).toBeGreaterThan(operations / 500)
  expect(left).toBe(0)
  console.log(`${name}: ${done} of ${operations} operations done, the others refused as expected, in ${seconds} s`)
}

describe.skipIf(process.platform !== 'linux')('os-engine (needs Linux)', () => {
  const seed = testSeed()

  it.for([...eachEngine, ...(isLong ? (['node26 by node:ffi'] as const) : [])])(
    'conforms, zeroes what views have kept, and agrees with a shadow and the kernel, on %s',
    { timeout: 1_200_000 },
    (name, context) => {
      const operations = operationsOn(name)
      expectAll(name, runOn(name, context, 'every-engine.mjs', [seed, operations].map(String)), operations)
    },
  )
})
