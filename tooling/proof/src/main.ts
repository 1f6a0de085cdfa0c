// `npm run conformance` prints the matrix. `npm run mutants` runs the wrong backends, writes the table of those that
// were written by hand into the README, and prints the table of faults. Both end with a line of counts, which .ci/run
// reads.
import { inChildren } from './children.js'
import { closingLine, columnOf, failuresText, matrixText, type Column } from './matrix.js'
import { mutants } from './mutants.js'
import { tableOf, writeTable, type Catch } from './mutants-table.js'
import { reportOn } from './mutate.js'
import { missing, realSubjects } from './real.js'
import { simulatedSubjects, type AnySubject } from './simulated.js'
import { templateSubjects } from './templates.js'
import { figuresOf, sameText, summaryOf, type Figures } from './table/summary.js'
import { sameOf } from './table/table.js'
import { tryFaults } from './table/trial.js'
import { windowsColumns } from './windows-column.js'

const [job, ...rest] = process.argv.slice(2)
const seed = Number(option('--seed') ?? Math.floor(Math.random() * 2 ** 31))
const seeds = Number(option('--seeds') ?? 1)
const usage = `usage: npm run conformance -- [--seed <number>] [--seeds <number>]
       npm run mutants -- [--seed <number>] [--json]
       node tooling/proof/dist/main.js faults [--seed <number>] [--backend <name>] [--only <text>] [--all]

  --seed <number>    repeat the random choices of an earlier run
  --seeds <number>   run with as many seeds, from --seed upwards. Default: 1
  --backend <name>   only this backend, by its name in the matrix
  --only <text>      only the faults with this text in their name
  --all              run every case, to count those that catch a fault
  --json             print the mutants as JSON
  --help             print this text`

/** The backends whose faults are tried, by the names of their subjects, those that take longest first. */
const tabled = [
  'engine on Linux',
  'linux',
  'template reserve-commit',
  'windows',
  'darwin',
  'freebsd',
  'illumos',
  'template custom',
  'template posix',
  'aix',
  'js',
  'js, discarding',
  'plan9',
  'template break',
].filter((name) => process.platform === 'linux' || !name.endsWith('on Linux'))

// Kernels that refuse advice are a part of the proof, and the warning about them is not. Nor is Node's about its
// stripping of types.
process.removeAllListeners('warning')
process.on('warning', (warning: Error & { code?: string }) => {
  if (warning.code !== 'MEMLAYER_KEPT' && warning.name !== 'ExperimentalWarning') console.error(warning.stack)
})

if (rest.includes('--help')) console.log(usage)
else if (!Number.isSafeInteger(seed) || !Number.isSafeInteger(seeds) || seeds < 1) {
  console.error(`--seed takes a whole number, and --seeds one from 1\n\n${usage}`)
  process.exitCode = 2
} else if (job === 'mutants') await runMutants()
else if (job === 'faults') await runFaults()
else if (job === 'matrix') await runMatrix()
else if (job === 'column') process.send?.(await columnOf(await subjectNamed(option('--backend')), seed))
else {
  console.error(usage)
  process.exitCode = 2
}

function option(name: string): string | undefined {
  const at = rest.indexOf(name)
  return at === -1 ? undefined : rest[at + 1]
}

async function subjectNamed(backend: string | undefined): Promise<AnySubject> {
  const isIt = ({ name }: AnySubject): boolean => name === backend
  // Templates are read and stripped of types only where one is asked for.
  const subject = [...simulatedSubjects, ...realSubjects()].find(isIt) ?? (await templateSubjects()).find(isIt)
  if (subject === undefined) throw new Error(`no subject has the name '${backend}': pass one of the matrix`)
  return subject
}

/** Prints the matrix of the first seed, and what fails with each of the others. */
async function runMatrix(): Promise<void> {
  const subjects = [...simulatedSubjects, ...(await templateSubjects()), ...realSubjects()]
  const names = subjects.map(({ name }) => name)
  const every: Column[] = []
  let absent: Readonly<Record<string, string>> = missing
  for (let i = 0; i < seeds; i++) {
    const args = ['--seed', String(seed + i)]
    const own = await inChildren<Column>('column', names, args)
    // Alone, because Wine takes much of a machine's memory.
    const windows = await windowsColumns(seed + i)
    if (typeof windows === 'string') absent = { ...missing, 'windows on kernel32': windows }
    const found = typeof windows === 'string' ? own : [...own, ...windows]
    console.log(i === 0 ? matrixText(found, absent, seed) : failuresText(found, seed + i))
    every.push(...found)
  }
  console.log(`\n${closingLine(every, absent)}`)
  if (every.some(({ report }) => !report.conforms)) process.exitCode = 1
}

async function runMutants(): Promise<void> {
  // A wrong backend leaves regions to the collector. Warnings of that say nothing here.
  process.removeAllListeners('warning')
  const catches: Catch[] = []
  for (const mutant of mutants) {
    const { results } = await reportOn(mutant, seed)
    catches.push({ mutant, failed: results.filter(({ status }) => status === 'fail').map(({ id }) => id) })
  }
  const table = tableOf(catches)
  const missed = catches.filter(({ mutant, failed }) => !failed.includes(mutant.caughtBy)).length
  // The test compares this table with the README.
  if (rest.includes('--json')) console.log(JSON.stringify({ table, missed, count: catches.length }))
  else {
    const caught = catches.length - missed
    console.log(`${table}\n\nthe suite caught ${caught} of ${catches.length} mutants, seed ${seed}`)
    writeTable(table)
    const figures = await inChildren<Figures>('faults', tabled, ['--seed', String(seed)])
    const sum = (of: (one: Figures) => number): number => figures.reduce((total, one) => total + of(one), 0)
    const broken = sum(({ unexplained }) => unexplained)
    console.log(`${caught + sum((one) => one.caught)} passed, ${missed + broken} failed, 0 skipped`)
    if (broken > 0) process.exitCode = 1
  }
  if (missed > 0) process.exitCode = 1
}

/** Only the table of faults, of one backend or of part of it. */
async function runFaults(): Promise<void> {
  const backend = option('--backend')
  if (backend === undefined) {
    const figures = await inChildren<Figures>('faults', tabled, [...rest, '--seed', String(seed)])
    if (figures.some(({ unexplained }) => unexplained > 0)) process.exitCode = 1
    return
  }
  const subject = await subjectNamed(backend)
  const all = rest.includes('--all')
  const trials = await tryFaults(subject, { seed, all, only: option('--only') ?? '' })
  console.log(`\n${summaryOf(backend, trials, all)}\n${sameText(sameOf(subject))}\nseed ${seed}`)
  const figures = figuresOf(backend, trials)
  process.send?.(figures)
  if (figures.unexplained > 0) process.exitCode = 1
}
