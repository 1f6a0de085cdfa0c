// Tests the suite itself: every mutant fails the case that is named for it, and the README's table is right.
import { join } from 'node:path'
import { spawnSync } from 'node:child_process'
import { mutants, tableInReadme } from '@memlayer/proof'
import { testSeed } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'

const main = join(import.meta.dirname, '..', 'dist', 'main.js')

describe('mutants', () => {
  it('are at least 25, each with a different fault', () => {
    expect(mutants.length).toBeGreaterThanOrEqual(25)
    expect(new Set(mutants.map(({ wrong }) => wrong)).size).toBe(mutants.length)
  })

  it('all fail the case that is named for them, as the README’s table says', () => {
    // The mutants run in their own Node process, where a mutant's copy loads the same core as the suite.
    const args = [main, 'mutants', '--json', '--seed', String(testSeed())]
    const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', maxBuffer: 2 ** 26 })
    expect(stderr).toBe('')
    const { table, missed, count } = JSON.parse(stdout) as { table: string; missed: number; count: number }
    expect({ missed, count }).toEqual({ missed: 0, count: mutants.length })
    expect(tableInReadme(), 'the table of packages/conformance/README.md: run `npm run mutants`').toBe(table)
  }, 300_000)
})
