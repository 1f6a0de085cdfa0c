// `npm run conformance` prints the matrix. `npm run mutants` runs the wrong backends, writes the table of those that
// were written by hand into the README, and prints the table of faults. Both end with a line of counts, which .ci/run
// reads.
import { closingLine, columns, matrixText } from './matrix.js'
import { mutants } from './mutants.js'
import { tableOf, writeTable, type Catch } from './mutants-table.js'
import { reportOn } from './mutate.js'
import { missing } from './real.js'
import { simulatedSubjects } from './simulated.js'
import { templateSubjects } from './templates.js'
import { figuresOf, summaryOf, type Figures } from './table/summary.js'
import { tryFaults } from './table/trial.js'
import { windowsColumn } from './windows-column.js'

const [job, ...rest] = process.argv.slice(2)
const seed = Number(option('--seed') ?? Math.floor(Math.random() * 2 ** 31))

/** The backends whose faults are tried, by the names of their subjects. */
const tabled = ['linux', 'freebsd', 'template posix', 'template break']

// Kernels that refuse advice are a part of the proof, and the warning about them is not. Nor is Node's about its
// stripping of types.
process.removeAllListeners('warning')
process.on('warning', (warning: Error & { code?: string }) => {
  if (warning.code !== 'MEMLAYER_KEPT' && warning.name !== 'ExperimentalWarning') console.error(warning.stack)
})

if (job === 'mutants') await runMutants()
else if (job === 'faults') await runFaults()
else if (job === 'matrix') await runMatrix()
else {
  console.error(
    'usage: main.js matrix|mutants|faults [--seed <number>] [--json] [--backend <name>] [--only <text>] [--all]',
  )
  process.exitCode = 2
}

function option(name: string): string | undefined {
  const at = rest.indexOf(name)
  return at === -1 ? undefined : rest[at + 1]
}

async function runMatrix(): Promise<void> {
  const windows = await windowsColumn(seed)
  const isMissing = typeof windows === 'string'
  const found = [...columns(seed), ...(isMissing ? [] : [windows])]
  const absent = { ...missing, ...(isMissing ? { 'windows on kernel32': windows } : {}) }
  console.log(`${matrixText(found, absent, seed)}\n\n${closingLine(found, absent)}`)
  if (found.some(({ report }) => !report.conforms)) process.exitCode = 1
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
    const figures = await triedOn(tabled)
    const sum = (of: (one: Figures) => number): number => figures.reduce((total, one) => total + of(one), 0)
    const broken = sum(({ unexplained }) => unexplained)
    console.log(`${caught + sum((one) => one.caught)} passed, ${missed + broken} failed, 0 skipped`)
    if (broken > 0) process.exitCode = 1
  }
  if (missed > 0) process.exitCode = 1
}

/** Only the table of faults, of one backend or of part of it. */
async function runFaults(): Promise<void> {
  const chosen = option('--backend')
  const figures = await triedOn(chosen === undefined ? tabled : [chosen])
  if (figures.some(({ unexplained }) => unexplained > 0)) process.exitCode = 1
}

async function triedOn(backends: readonly string[]): Promise<Figures[]> {
  const subjects = [...simulatedSubjects, ...(await templateSubjects())]
  const all = rest.includes('--all')
  return backends.map((backend) => {
    const subject = subjects.find(({ name }) => name === backend)
    if (subject === undefined) throw new Error(`no subject has the name '${backend}': pass one of the matrix`)
    const trials = tryFaults(subject, { seed, all, only: option('--only') ?? '' })
    console.log(`\n${summaryOf(backend, trials, all)}\nseed ${seed}`)
    return figuresOf(backend, trials)
  })
}
