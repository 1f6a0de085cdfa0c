// Runs the quick form of every benchmark. It tests that each benchmark works and returns all of its lines.
// It does not test what the work costs.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isLong } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'
import { benchmarks } from '../dist/benchmarks/index.js'
import { withBlock } from '../dist/document.js'
import type { Results } from '../dist/page.js'

const onLinux = process.platform === 'linux' && ['x64', 'arm64'].includes(process.arch)
const main = join(import.meta.dirname, '..', 'dist', 'main.js')
const names = benchmarks.map(({ name }) => name)

function bench(...args: string[]): { code: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], { encoding: 'utf8' })
  return { code: status, stdout, stderr }
}

describe('npm run bench', () => {
  it.skipIf(!onLinux || !isLong)('puts every benchmark on the page and in the JSON with --quick', () => {
    const folder = mkdtempSync(join(tmpdir(), 'memlayer-bench-'))
    try {
      const file = join(folder, 'quick.json')
      const { code, stdout, stderr } = bench('--quick', '--json', file)
      expect(
        stderr
          .trim()
          .split('\n')
          .map((line) => line.split(':')[0]),
      ).toEqual(names)
      const { quick, machine, comparisons } = JSON.parse(readFileSync(file, 'utf8')) as Results
      expect(quick).toBe(true)
      expect(machine.engine).toContain(process.versions.node)
      for (const { work, benchmark, ours, theirs, beside } of comparisons) {
        expect(Number.isFinite(ours.median), work).toBe(true)
        // Only C may be missing, on a machine without a compiler.
        if (theirs === null && beside !== '')
          expect(machine.compiler, `${benchmark}: ${beside}`).toContain('no C compiler')
        expect(stdout, benchmark).toContain(work)
      }
      expect(new Set(comparisons.map(({ benchmark }) => benchmark))).toEqual(new Set(names))
      expect(code).toBe(0)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('names every benchmark in --list and --help', () => {
    expect(bench('--list').stdout.trim().split('\n')).toEqual(names)
    const { stdout } = bench('--help')
    for (const { name, says } of benchmarks)
      expect(stdout).toMatch(new RegExp(`  ${name} +${says.replaceAll(/[{}()]/g, '\\$&')}`))
  })

  it('says what is wrong with its arguments', () => {
    expect(bench('no-such-benchmark')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /no name of a benchmark contains no-such-benchmark: see --list|run it on Linux/,
      ) as string,
    })
    expect(bench('--fast')).toMatchObject({ code: 1, stderr: expect.stringContaining("'--fast'") as string })
  })
})

describe('the page in a document', () => {
  it('replaces the page before it, and nothing else', () => {
    const marks = ['<!-- written by: npm run bench -- --write -->', '<!-- end -->']
    expect(withBlock(`before\n${marks[0]}\nold\n${marks[1]}\nafter\n`, 'new')).toBe(
      `before\n${marks[0]}\nnew\n${marks[1]}\nafter\n`,
    )
    expect(() => withBlock('no marks', 'new')).toThrow(/the document has no block for it/)
  })
})
