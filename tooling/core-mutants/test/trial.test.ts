// Tests a whole run over a small package, of which it is known which mutants its tests catch. It runs in a child: a
// trial sets NODE_OPTIONS for the processes of its tests.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { closingLine, mutantsIn, tableOf, type Outcome, type Verdict } from '@memlayer/core-mutants'
import { describe, expect, it } from 'vitest'

const program = `
  import { readFileSync } from 'node:fs'
  import { join } from 'node:path'
  import { mutantsIn, scratchOf, Trial } from '@memlayer/core-mutants'
  const folder = join(process.cwd(), 'fixture')
  const source = (file) => readFileSync(join(folder, 'src', file), 'utf8')
  const mutants = ['index.ts', 'loop.ts'].flatMap((file) => mutantsIn(file, source(file)))
  const scratch = await scratchOf(folder, new Map(mutants.map((mutant, at) => [mutant, at])))
  try {
    const trial = new Trial(scratch, { fileTimeMin: 500, startTime: 10_000 })
    const { files, unfit } = await trial.record((path) => !path.includes('not-used'))
    const verdicts = {}
    await trial.judge(
      mutants.map(({ file }, at) => [at, file]),
      files,
      (at, verdict) => (verdicts[mutants[at].name] = verdict),
    )
    const names = (paths) => paths.map((path) => path.replace(/.*\\//, '')).toSorted()
    console.log(JSON.stringify({ files: names(files.map(({ path }) => path)), unfit: names(unfit), verdicts }))
  } finally {
    scratch.dispose()
  }
`

describe('a trial', () => {
  it('tells what the tests of a package catch, miss and do not reach', () => {
    const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
      cwd: join(import.meta.dirname, '..'),
      encoding: 'utf8',
    })
    expect(stderr).toBe('')
    expect(status).toBe(0)
    const { files, unfit, verdicts } = JSON.parse(stdout) as {
      readonly files: string[]
      readonly unfit: string[]
      readonly verdicts: Readonly<Record<string, Verdict>>
    }
    expect({ files, unfit }).toEqual({ files: ['by-name.test.ts', 'by-path.test.ts'], unfit: [] })
    const names = (wanted: Verdict['end']): string[] =>
      Object.keys(verdicts).filter((name) => verdicts[name]?.end === wanted)
    expect(names('caught')).toEqual([
      'index.ts isWithin: n >= 0 && n <= most -> (n >= 0) || (n <= most)',
      'index.ts isWithin: n >= 0 -> (n) > (0)',
      'index.ts isWithin: 0 -> 1',
      'index.ts isWithin: n <= most -> (n) < (most)',
      'index.ts sumBelow: 0 -> 1',
      // The loop does not end, until the switch ends it.
      'loop.ts countTo: at += 1 -> nothing',
      'loop.ts countTo: at += 1 -> at -= 1',
      'loop.ts countTo: 1 -> 2',
    ])
    expect(names('survived')).toEqual([
      'index.ts sumBelow: countTo(n, (at) => { list.push(at) }) -> nothing',
      'index.ts sumBelow: list.push(at) -> nothing',
      'index.ts sumBelow: sum + at -> (sum) - (at)',
      'loop.ts countTo: { let at = 0 while (at !== n) { each(at) at +… -> nothing',
      'loop.ts countTo: 0 -> 1',
      'loop.ts countTo: at !== n -> false',
      'loop.ts countTo: at !== n -> (at) === (n)',
      'loop.ts countTo: each(at) -> nothing',
    ])
    expect(names('unreached')).toEqual(['index.ts untested: n * 2 -> (n) / (2)', 'index.ts untested: 2 -> 3'])
    expect(names('endless')).toEqual([])
  })
})

describe('the figures', () => {
  const [first, second, third] = mutantsIn('ledger/a.ts', 'if (a) b()')
  const outcomes = [
    { mutant: first, verdict: { end: 'caught', by: 'x' }, isEquivalent: false },
    { mutant: second, verdict: { end: 'survived', by: '' }, isEquivalent: false },
    { mutant: third, verdict: { end: 'unreached', by: '' }, isEquivalent: true },
  ] as Outcome[]

  it('count an equivalent mutant neither as caught nor as missed', () => {
    expect(closingLine(outcomes)).toBe('1 caught, 1 survived, 1 equivalent, score 50 %')
  })

  it('have a row for each module, without a score where nothing was tried', () => {
    const table = tableOf(
      outcomes,
      new Map([
        ['ledger', 30],
        ['check', 4],
      ]),
    )
    expect(table.split('\n').slice(2)).toEqual([
      '| ledger | 30 | 3 | 1 | 1 | 1 | 50 % |',
      '| check | 4 | 0 | 0 | 0 | 0 | - |',
    ])
  })
})
