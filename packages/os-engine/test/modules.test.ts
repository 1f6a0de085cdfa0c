// WebAssembly memory that shrinks: SQLite (sql.js, of Emscripten) and Brotli (brotli-wasm, of Rust) are filled,
// emptied, trimmed and filled again, on five engines. What they hold is right after each trim.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { requireEngine, type EngineName } from '@memlayer/engines'
import { describe, expect, it } from 'vitest'

const onLinux = process.platform === 'linux' && process.arch === 'x64'
const program = join(import.meta.dirname, 'modules.mjs')
const MiB = 2 ** 20

interface Round {
  readonly emptied: number
  readonly given: number
  readonly trimmed: number
  readonly bytes: number
  readonly isRight: boolean
}

function expectShrunk(command: string, args: readonly string[]): void {
  const { status, signal, stdout, stderr } = spawnSync(command, [...args, program], {
    encoding: 'utf8',
    timeout: 120_000,
    env: { ...process.env, NO_COLOR: '1', DENO_NO_UPDATE_CHECK: '1' },
  })
  expect({ status, signal }, stderr).toEqual({ status: 0, signal: null })
  const { sqlite, brotli } = JSON.parse(stdout) as { sqlite: Round[]; brotli: Round[] }
  expect([sqlite.length, brotli.length]).toEqual([3, 3])
  for (const { emptied, given, trimmed, isRight } of [...sqlite, ...brotli]) {
    expect(isRight).toBe(true)
    expect(emptied).toBeGreaterThan(30 * MiB)
    expect(trimmed).toBeLessThan(emptied / 8)
    expect(given).toBeGreaterThanOrEqual(emptied - trimmed - MiB)
  }
  // Emscripten's memory grows by JavaScript, which is refused meanwhile. Rust's grows by a small block a trim.
  expect(sqlite[2]?.bytes).toBe(sqlite[0]?.bytes)
  expect((brotli[2]?.bytes ?? NaN) - (brotli[0]?.bytes ?? NaN)).toBeLessThan(MiB)
}

describe.skipIf(!onLinux)('a module’s memory falls to an eighth by trim, and what it holds stays right', () => {
  it('on this Node', { timeout: 120_000 }, () => {
    expectShrunk(process.execPath, [])
  })

  it.for<[EngineName, readonly string[]]>([
    ['node22', []],
    ['node26', []],
    ['bun', ['run']],
    ['deno', ['run', '--allow-all']],
  ])('on %s', { timeout: 120_000 }, ([name, args], context) => {
    expectShrunk(requireEngine(name, context).command, args)
  })
})
