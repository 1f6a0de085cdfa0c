// WebAssembly memory that shrinks: SQLite (sql.js, of Emscripten) and Brotli (brotli-wasm, of Rust) are filled,
// emptied, trimmed and filled again, on five engines. What they hold is right after each trim.
// MEMLAYER_OS_ENGINE=full fills them with 200 MiB, five times.
import { describe, expect, it } from 'vitest'
import { eachEngine, isFull, runOn } from './on-engines.js'

const MiB = 2 ** 20
const [rounds, size] = isFull ? [5, 200] : [3, 64]

interface Round {
  readonly emptied: number
  readonly given: number
  readonly trimmed: number
  readonly bytes: number
  readonly isRight: boolean
}

describe.skipIf(process.platform !== 'linux')('a module (needs Linux)', () => {
  it.for(eachEngine)(
    'has an eighth of its memory after trim, and what it holds stays right, on %s',
    { timeout: 1_200_000 },
    (name, context) => {
      const told = runOn(name, context, 'modules.mjs', [rounds, size].map(String))
      const { sqlite, brotli } = told as Record<'sqlite' | 'brotli', Round[]>
      expect([sqlite.length, brotli.length]).toEqual([rounds, rounds])
      for (const { emptied, given, trimmed, isRight } of [...sqlite, ...brotli]) {
        expect(isRight).toBe(true)
        expect(emptied).toBeGreaterThan((size / 2) * MiB)
        expect(trimmed).toBeLessThan(emptied / 8)
        expect(given).toBeGreaterThanOrEqual(emptied - trimmed - MiB)
      }
      // Emscripten's memory grows by JavaScript, which is refused meanwhile. Rust's grows by a thousandth a trim.
      expect(sqlite.at(-1)?.bytes).toBe(sqlite[0]?.bytes)
      expect((brotli.at(-1)?.bytes ?? NaN) - (brotli[0]?.bytes ?? NaN)).toBeLessThan((size / 64) * MiB)
    },
  )
})
