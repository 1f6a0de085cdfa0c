// Bytes into regions and out of them, on each runtime: in-out.mjs is the program. Every byte is right, what would take
// the pages is refused meanwhile, and nothing holds them at the end. MEMLAYER_IN_OUT=full moves 64 MiB each time and
// ends a thousand transfers of each kind in the middle.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { requireEngine, type EngineName } from '@memlayer/engines'
import { testSeed } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'

const program = join(import.meta.dirname, 'in-out.mjs')
const isFull = process.env['MEMLAYER_IN_OUT'] === 'full'
const kinds = 12
const [bytes, ends] = isFull ? [2 ** 26, 1000 * kinds] : [2 ** 18, 11 * kinds]
const runtimes: readonly (EngineName | 'node24')[] = ['node22', 'node24', 'node26', 'bun', 'deno']

interface Told {
  readonly wrong: string[]
  readonly refused: number
  readonly outcomes: { readonly whole: number; readonly ended: number }
  readonly left: number
  readonly sources: number
  readonly sinks: number
}

describe.skipIf(process.platform !== 'linux')('bytes in and out (needs Linux)', () => {
  it.concurrent.for(runtimes)(
    'are right on %s, and nothing holds them afterwards',
    { timeout: 600_000 },
    async (name, context) => {
      const command = name === 'node24' ? process.execPath : requireEngine(name, context).command
      const flags = name === 'deno' ? ['run', '--no-prompt', '--allow-all'] : []
      const given = [bytes, ends, testSeed()].map(String)
      const { stdout, stderr } = await promisify(execFile)(command, [...flags, program, ...given])
      const { wrong, refused, outcomes, left, sources, sinks } = JSON.parse(stdout) as Told
      expect({ wrong, stderr, left }).toEqual({ wrong: [], stderr: '', left: 0 })
      expect(refused).toBeGreaterThan(10)
      expect(outcomes.ended).toBeGreaterThan(ends / 2)
      expect(outcomes.whole + outcomes.ended).toBe(ends)
      expect([sources, sinks]).toEqual(name.startsWith('node') ? [13, 12] : [14, 13])
    },
  )
})
