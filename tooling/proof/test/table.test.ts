// Tests the table of faults: it is large, each fault is there once, and the suite catches those of one function.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { testSeed } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'
import { simulatedSubjects } from '@memlayer/proof'
import { faultsOf } from '../dist/table/table.js'

const main = join(import.meta.dirname, '..', 'dist', 'main.js')

describe('the table of faults', () => {
  it('has at least 400 faults of os-linux, each once', () => {
    const linux = simulatedSubjects.find(({ name }) => name === 'linux')
    if (linux === undefined) throw new Error('there is no subject for os-linux')
    const names = faultsOf(linux).map(({ fn, way }) => `${fn} ${way}`)
    expect(names.length).toBeGreaterThanOrEqual(400)
    expect(new Set(names).size).toBe(names.length)
  })

  it.each(['posix', 'break'])(
    'is caught by the suite in sysAlloc of the template %s',
    (kind) => {
      const args = [main, 'mutants', '--table', '--on', `template ${kind}`, '--only', 'sysAllocOS ']
      const { stdout, stderr } = spawnSync(process.execPath, [...args, '--seed', String(testSeed())], {
        encoding: 'utf8',
      })
      expect(stderr).toBe('')
      expect(stdout).toMatch(/\n[1-9]\d+ passed, 0 failed, \d+ skipped\n$/)
    },
    300_000,
  )
})
