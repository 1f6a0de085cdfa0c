// `npm run conformance` prints the matrix. `npm run mutants` runs the wrong backends that were written by hand, and
// writes their list into the README. With `--table` it runs the table of faults. Each ends with a line of counts, which
// .ci/run reads.
import { closingLine, columns, matrixText } from './matrix.js'
import { mutants } from './mutants.js'
import { tableOf, writeTable, type Catch } from './mutants-table.js'
import { reportOn } from './mutate.js'
import { missing } from './real.js'
import { runTables } from './table/command.js'
import { subjectNames } from './table/subjects.js'
import { sumsOf, tableText } from './table/text.js'
import { windowsColumn } from './windows-column.js'

/** The part of the table that may survive. More is a failure. */
const survivorsMax = 0.02

const [job, ...rest] = process.argv.slice(2)
const seed = Number(valueOf('--seed') ?? Math.floor(Math.random() * 2 ** 31))

// Kernels that refuse advice are a part of the proof, and the warning about them is not.
process.removeAllListeners('warning')
process.on('warning', (warning: Error & { code?: string }) => {
  if (warning.code !== 'MEMLAYER_KEPT') console.error(warning.stack)
})

if (job === 'mutants' && rest.includes('--table')) await runFaults()
else if (job === 'mutants') await runMutants()
else if (job === 'matrix') await runMatrix()
else {
  console.error(
    'usage: main.js matrix|mutants [--seed <number>] [--json] [--table [--all] [--on <backend>] [--only <fault>]]',
  )
  process.exitCode = 2
}

/** The word after an option. */
function valueOf(option: string): string | undefined {
  const at = rest.indexOf(option)
  return at === -1 ? undefined : rest[at + 1]
}

async function runMatrix(): Promise<void> {
  const windows = await windowsColumn(seed)
  const isMissing = typeof windows === 'string'
  const found = [...columns(seed), ...(isMissing ? [] : [windows])]
  const absent = { ...missing, ...(isMissing ? { 'windows on kernel32': windows } : {}) }
  console.log(`${matrixText(found, absent, seed)}\n\n${closingLine(found, absent)}`)
  if (found.some(({ report }) => report.counts.fail > 0)) process.exitCode = 1
}

async function runMutants(): Promise<void> {
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
    console.log(`${caught} passed, ${missed} failed, 0 skipped`)
  }
  if (missed > 0) process.exitCode = 1
}

/** Runs the table of faults. `--all`: over every subject, with the faults that can't be caught, and with more cases. */
async function runFaults(): Promise<void> {
  const isAll = rest.includes('--all')
  const enough = isAll ? 8 : 1
  const names = subjectNames(isAll).filter((name) => name.includes(valueOf('--on') ?? ''))
  const results = await runTables(names, { seed, enough, isAll, only: valueOf('--only') })
  const sums = sumsOf(results)
  console.log(`\n${tableText(results, enough)}\n`)
  const { faults, caught, missed, explained } = sums
  console.log(`the table: ${caught} of ${faults} faults caught, ${missed} missed, ${explained} can't be, seed ${seed}`)
  const failed = sums.stale + (sums.missed > survivorsMax * sums.faults ? sums.missed : 0)
  console.log(`${sums.caught} passed, ${failed} failed, ${sums.explained} skipped`)
  if (failed > 0) process.exitCode = 1
}
