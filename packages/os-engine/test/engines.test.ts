// os-engine on five engines: this Node, those before and after it, Bun and Deno. Each passes the conformance suite,
// lets no view dangle that was kept, and agrees with a shadow through a random life.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { requireEngine, type EngineName } from '@memlayer/engines'
import { testSeed } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'

const onLinux = process.platform === 'linux' && process.arch === 'x64'
const program = join(import.meta.dirname, 'every-engine.mjs')
const size = 16 * 2 ** 20

interface Facts {
  readonly failed: readonly string[]
  readonly passed: number
  readonly ways: Readonly<Record<string, unknown>>
  readonly disagreement: unknown
  readonly done: number
  readonly left: number
}

/** Arguments before the program, where an engine needs some. */
const before: Readonly<Partial<Record<EngineName, readonly string[]>>> = {
  bun: ['run'],
  deno: ['run', '--allow-all'],
}

function factsOf(command: string, args: readonly string[]): Facts {
  const { status, signal, stdout, stderr } = spawnSync(command, [...args, program, String(testSeed())], {
    encoding: 'utf8',
    timeout: 120_000,
    env: { ...process.env, NO_COLOR: '1', DENO_NO_UPDATE_CHECK: '1' },
  })
  expect({ status, signal }, stderr).toEqual({ status: 0, signal: null })
  return JSON.parse(stdout) as Facts
}

function expectAll({ failed, passed, ways, disagreement, done, left }: Facts): void {
  expect(failed).toEqual([])
  expect(passed).toBeGreaterThan(45)
  const zeroed = { before: size, after: 0, reads: [0, 0], length: size }
  expect(ways).toEqual({ unused: zeroed, fault: zeroed, free: zeroed })
  expect(disagreement).toBeNull()
  expect(done).toBeGreaterThan(10_000)
  expect(left).toBe(0)
}

describe.skipIf(!onLinux)('os-engine conforms, zeroes what views have kept, and agrees with a shadow', () => {
  it('on this Node', () => {
    expectAll(factsOf(process.execPath, []))
  }, 120_000)

  it('on Node 26 by node:ffi', (context) => {
    const { command } = requireEngine('node26', context)
    expectAll(factsOf(command, ['--no-addons', '--experimental-ffi']))
  }, 120_000)

  it.for<EngineName>(['node22', 'node26', 'bun', 'deno'])('on %s', { timeout: 120_000 }, (name, context) => {
    const { command } = requireEngine(name, context)
    expectAll(factsOf(command, before[name] ?? []))
  })
})
