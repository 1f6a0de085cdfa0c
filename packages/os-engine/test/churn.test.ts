// 64 workers that make regions, get one, post one, and end in every way: resident memory is back, on five engines, and
// what they have posted is right after their end.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { requireEngine, type EngineName } from '@memlayer/engines'
import { describe, expect, it } from 'vitest'

const onLinux = process.platform === 'linux' && process.arch === 'x64'
const program = join(import.meta.dirname, 'churn.mjs')

function expectBack(command: string, args: readonly string[]): void {
  const { status, signal, stdout, stderr } = spawnSync(command, [...args, program], {
    encoding: 'utf8',
    timeout: 120_000,
    env: { ...process.env, NO_COLOR: '1', DENO_NO_UPDATE_CHECK: '1' },
  })
  expect({ status, signal }, stderr).toEqual({ status: 0, signal: null })
  const { warm, right, grownMiB } = JSON.parse(stdout) as { warm: number; right: number; grownMiB: number }
  expect([warm, right]).toEqual([16, 48])
  // The 48 workers had 1536 MiB. A twentieth of that may be the engine's own.
  expect(grownMiB).toBeLessThan(1536 / 20)
}

describe.skipIf(!onLinux)('workers that end in every way leave no memory', () => {
  it('on this Node', { timeout: 120_000 }, () => {
    expectBack(process.execPath, ['--expose-gc'])
  })

  it.for<[EngineName, readonly string[]]>([
    ['node22', ['--expose-gc']],
    ['node26', ['--expose-gc']],
    ['bun', ['run']],
    ['deno', ['run', '--allow-all', '--v8-flags=--expose-gc']],
  ])('on %s', { timeout: 120_000 }, ([name, args], context) => {
    expectBack(requireEngine(name, context).command, args)
  })
})
