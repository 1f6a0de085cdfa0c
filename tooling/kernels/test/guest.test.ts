// The runner of the machines, on this host. It has to say of every test what vitest says, and it has to run every
// file of the suite: a file that it cannot run would otherwise be found only by the machines themselves.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { bundleTests, runnerPath, shared, writeSuite } from '@memlayer/kernels/suite'
import { readTestLine, type TestLine } from '@memlayer/kernels/guest/test-line'
import { npmPackagesOf } from '@memlayer/kernels/image'
import { machines } from '@memlayer/kernels/machines'
import { root } from '@memlayer/kernels/workspace'
import { isLong } from '@memlayer/witness'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const guest = join(import.meta.dirname, 'guest')
const require = createRequire(import.meta.url)
const vitestCommand = join(dirname(require.resolve('vitest/package.json')), 'vitest.mjs')

interface Run {
  readonly code: number | null
  readonly tests: readonly TestLine[]
  readonly output: string
}

/** What the two runners are compared by. */
type Outcome = readonly [title: string, state: 'passed' | 'failed' | 'skipped']

const stateOf = ({ failed, skipped }: TestLine): Outcome[1] =>
  failed !== null ? 'failed' : skipped === null ? 'passed' : 'skipped'
const byTitle = (outcomes: readonly Outcome[]): Outcome[] => outcomes.toSorted(([a], [b]) => (a < b ? -1 : 1))

/** Runs vitest in a process of its own, and returns its outcomes by file. */
function vitest(args: readonly string[], report: string): ReadonlyMap<string, readonly Outcome[]> {
  const written = ['--reporter=json', `--outputFile=${report}`]
  const { stderr } = spawnSync(process.execPath, [vitestCommand, 'run', ...args, ...written], {
    cwd: root,
    encoding: 'utf8',
    // The machines have the suite of `npm test`, also in a long run.
    env: { ...process.env, NO_COLOR: '1', MEMLAYER_LONG: '' },
  })
  if (!existsSync(report)) throw new Error(`vitest wrote no report:\n${stderr}`)
  const { testResults } = JSON.parse(readFileSync(report, 'utf8')) as {
    testResults: { name: string; assertionResults: { ancestorTitles: string[]; title: string; status: string }[] }[]
  }
  return new Map(
    testResults.map(({ name, assertionResults }) => [
      basename(name),
      assertionResults.map(({ ancestorTitles, title, status }): Outcome => {
        const state = status === 'passed' || status === 'failed' ? status : 'skipped'
        return [[...ancestorTitles, title].join(' > '), state]
      }),
    ]),
  )
}

describe.skipIf(process.platform !== 'linux')("the machines' runner (needs Linux)", () => {
  let folder: string
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'memlayer-guest-'))
    await writeSuite(folder)
    // On a machine the real packages stand here.
    const koffi = join(root, 'packages', 'ffi', 'node_modules', '@koromix')
    symlinkSync(koffi, join(folder, 'node_modules', '@koromix'))
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  /** Runs a bundle as the init of a machine does. */
  function run(name: string): Run {
    const lines = join(folder, `${name}.lines`)
    writeFileSync(lines, '')
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['--enable-source-maps', runnerPath, `${name}.mjs`],
      { cwd: folder, encoding: 'utf8', env: { ...process.env, MEMLAYER_OUTPUT: lines, NO_COLOR: '1' } },
    )
    const tests = readFileSync(lines, 'utf8').split('\n').filter(Boolean).map(readTestLine)
    return { code: status, tests, output: stdout + stderr }
  }

  it('says of each test in every-way.ts what vitest says', async () => {
    const input = join(guest, 'every-way.ts')
    await bundleTests(input, join(folder, 'every-way.mjs'))
    const { code, tests, output } = run('every-way')
    expect({ code, output }).toEqual({ code: 0, output: '' })

    const config = join(guest, 'vitest.config.mjs')
    const report = join(folder, 'every-way.json')
    const expected = vitest(['--config', config, '--root', guest], report).get('every-way.ts') ?? []
    // Vitest reports a broken hook of a suite as an error of the suite, the runner as a failed test with its title.
    const broken: Outcome = ['a suite with a broken hook', 'failed']
    expect(byTitle(tests.map((test): Outcome => [test.name, stateOf(test)]))).toEqual(byTitle([...expected, broken]))
    expect(expected.length).toBeGreaterThan(40)
  })

  it('says why a test failed, where in its source, and why one was skipped', () => {
    const { tests } = run('every-way')
    const of = (name: string): TestLine | undefined => tests.find((test) => test.name === name)
    expect(of('fails')?.failed).toMatch(/AssertionError: expected .*\n(?: +at .*\n)*? +at .*every-way\.ts:8:/)
    expect(of('fails')?.failed).toMatch(/-\s+"b": 3,\n\+\s+"b": 2,/)
    expect(of('fails by a matcher that is not there')?.failed).toContain('Invalid Chai property: toBeOdd')
    expect(of('skips itself')?.skipped).toBe('needs another kernel')
    expect(of('skips itself by a condition')?.skipped).toBe('needs steps')
    expect(of('a suite with a broken hook')?.failed).toContain('the hook is broken')
  })

  /** Runs a file with this text. */
  function runText(text: string): Run {
    writeFileSync(join(folder, 'text.mjs'), `import { it } from 'vitest'\n${text}\n`)
    return run('text')
  }

  it('counts a file that throws at import as a failed test', () => {
    const { code, tests } = runText("it('a', () => {})\nthrow new Error('at import')")
    expect({ code, failed: tests.map(({ name, failed }) => [name, failed?.split('\n')[0]]) }).toEqual({
      code: 0,
      failed: [['text.mjs', 'Error: at import']],
    })
  })

  it.each([
    ['throws in a later turn', "setImmediate(() => { throw new Error('late') }); await new Promise(() => {})", 1],
    ['ends the process', 'process.exit(7)', 7],
    ['waits for nothing', 'await new Promise(() => {})', 3],
  ])('has the lines of earlier tests, and a code other than 0, after a test that %s', (_, body, code) => {
    const ended = runText(`it('a', () => {})\nit('b', async () => { ${body} })\nit('c', () => {})`)
    expect({ code: ended.code, tests: ended.tests.map((test) => [test.name, stateOf(test)]) }).toEqual({
      code,
      tests: [['a', 'passed']],
    })
  })

  it.skipIf(!isLong)(
    'passes every test of the suite on this host, under the titles that vitest has',
    () => {
      const files = shared.map((name) => `packages/os-linux/test/${name}.test.ts`)
      const config = join(root, 'tooling', 'vitest', 'vitest.config.mjs')
      // With a title that no test has, vitest collects all of them and runs none.
      const args = ['--config', config, '--project', 'os-linux', '--testNamePattern', 'no such title', ...files]
      const collected = vitest(args, join(folder, 'suite.json'))
      for (const name of shared) {
        const { code, tests, output } = run(name)
        const titles = collected.get(`${name}.test.ts`)?.map(([title]) => title) ?? []
        expect(tests.filter(({ failed }) => failed !== null)).toEqual([])
        expect({ name, code, output }).toEqual({ name, code: 0, output: '' })
        expect(tests.map((test) => test.name).toSorted(), name).toEqual(titles.toSorted())
      }
    },
    600_000,
  )
})

it('has a pinned version of every package that a machine needs of npm', () => {
  for (const machine of machines) {
    for (const name of npmPackagesOf(machine)) expect(name).toMatch(/^[@\w/-]+@\d+\.\d+\.\d+$/)
  }
})
