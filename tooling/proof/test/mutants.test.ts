// The suite proves itself: every backend that is wrong on purpose fails the case that is named
// for it, and the README's table says the same.
import { join } from 'node:path'
import { spawnSync } from 'node:child_process'
import { mutants, tableInReadme } from '@memlayer/proof'
import { testSeed } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'

const main = join(import.meta.dirname, '..', 'dist', 'main.js')

describe('backends that are wrong on purpose', () => {
  it('are at least 25, each wrong in its own way', () => {
    expect(mutants.length).toBeGreaterThanOrEqual(25)
    expect(new Set(mutants.map(({ wrong }) => wrong)).size).toBe(mutants.length)
  })

  it('are all caught by the case that is named, and stand so in the README', () => {
    // A Node of its own: there a mutant's copy finds the one core that the suite has.
    const args = [main, 'mutants', '--json', '--seed', String(testSeed())]
    const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', maxBuffer: 2 ** 26 })
    expect(stderr).toBe('')
    const { table, missed, count } = JSON.parse(stdout) as { table: string; missed: number; count: number }
    expect({ missed, count }).toEqual({ missed: 0, count: mutants.length })
    expect(tableInReadme(), 'the table of packages/conformance/README.md: run `npm run mutants`').toBe(table)
  }, 300_000)
})
