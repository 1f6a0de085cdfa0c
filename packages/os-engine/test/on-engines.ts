// Runs a program of these tests on this Node, on those before and after it, on Bun and on Deno.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { requireEngine, type EngineName } from '@memlayer/engines'
import { isLong } from '@memlayer/witness'
import { expect, type TestContext } from 'vitest'

/** Whether the tests do all that they can. It takes minutes. */
export const isFull = process.env['MEMLAYER_OS_ENGINE'] === 'full'

export type Name = EngineName | 'this Node' | 'node26 by node:ffi'
/** One of V8 and one of JavaScriptCore, and all of them in a long run. */
export const eachEngine: readonly Name[] = isLong
  ? ['this Node', 'node22', 'node26', 'bun', 'deno']
  : ['this Node', 'bun']

/** Arguments before the program. Each lets the program collect garbage. */
const before: Readonly<Partial<Record<Name, readonly string[]>>> = {
  bun: ['run'],
  deno: ['run', '--allow-all', '--v8-flags=--expose-gc'],
  'node26 by node:ffi': ['--no-addons', '--experimental-ffi', '--expose-gc'],
}

/** What the program prints as JSON. The test fails where it ends in another way. */
export function runOn(name: Name, context: TestContext, program: string, args: readonly string[] = []): unknown {
  const engine = name === 'node26 by node:ffi' ? 'node26' : name
  const command = engine === 'this Node' ? process.execPath : requireEngine(engine, context).command
  const words = [...(before[name] ?? ['--expose-gc']), join(import.meta.dirname, program), ...args]
  const { status, signal, stdout, stderr } = spawnSync(command, words, {
    encoding: 'utf8',
    timeout: isFull || isLong ? 1_200_000 : 120_000,
    env: { ...process.env, NO_COLOR: '1', DENO_NO_UPDATE_CHECK: '1' },
  })
  expect({ status, signal }, stderr).toEqual({ status: 0, signal: null })
  return JSON.parse(stdout)
}
