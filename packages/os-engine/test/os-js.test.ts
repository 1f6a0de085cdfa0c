// os-js over a WebAssembly memory that shrinks by discardPages, on five engines: resident pages, zeroes, other bytes.
import { describe, expect, it } from 'vitest'
import { eachEngine, runOn } from './on-engines.js'

const MiB = 2 ** 20

interface Facts {
  readonly full: number
  readonly half: number
  readonly freed: number
}

describe.skipIf(process.platform !== 'linux')('a WebAssembly memory of os-js (needs Linux)', () => {
  it.for(eachEngine)('gives pages back by discardPages, on %s', { timeout: 120_000 }, (name, context) => {
    const [own, shared] = runOn(name, context, 'os-js.mjs') as [Facts, Facts]
    for (const { full, half, freed } of [own, shared]) expect([full, half, freed]).toEqual([64 * MiB, 32 * MiB, 0])
    expect(own).toMatchObject({ again: true, others: true, unusedReturnsMemory: true, keptLength: 0 })
    // The buffer of a shared memory can't be detached.
    expect(shared).toMatchObject({ again: true, others: true, unusedReturnsMemory: true })
  })
})
