// os-js over a WebAssembly memory that shrinks by os-engine's discardPages, on five engines: resident pages, zeroes,
// and the bytes of others.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { requireEngine, type EngineName } from '@memlayer/engines'
import { describe, expect, it } from 'vitest'

const MiB = 2 ** 20
const program = join(import.meta.dirname, 'js-shrinks.mjs')
const runtimes: readonly (EngineName | 'node24')[] = ['node22', 'node24', 'node26', 'bun', 'deno']

interface Facts {
  readonly full: number
  readonly half: number
  readonly freed: number
}

describe.skipIf(process.platform !== 'linux')('a WebAssembly memory of os-js (needs Linux)', () => {
  it.for(runtimes)('gives pages back by discardPages, on %s', { timeout: 120_000 }, async (name, context) => {
    const command = name === 'node24' ? process.execPath : requireEngine(name, context).command
    const flags = name === 'deno' ? ['run', '--no-prompt', '--allow-all'] : []
    const { stdout } = await promisify(execFile)(command, [...flags, program])
    const [own, shared] = JSON.parse(stdout) as [Facts, Facts]
    for (const { full, half, freed } of [own, shared]) expect([full, half, freed]).toEqual([64 * MiB, 32 * MiB, 0])
    expect(own).toMatchObject({ again: true, others: true, unusedReturnsMemory: true, keptLength: 0 })
    // The buffer of a shared memory can't be detached.
    expect(shared).toMatchObject({ again: true, others: true, unusedReturnsMemory: true })
  })
})
