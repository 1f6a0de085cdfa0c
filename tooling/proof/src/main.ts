// `npm run conformance` prints the matrix. `npm run mutants` runs the wrong backends and writes their table into the
// README. Both end with a line of counts, which .ci/run reads.
import { closingLine, columns, matrixText } from './matrix.js'
import { mutants } from './mutants.js'
import { tableOf, writeTable, type Catch } from './mutants-table.js'
import { reportOn } from './mutate.js'
import { missing } from './real.js'
import { windowsColumn } from './windows-column.js'

const [job, ...rest] = process.argv.slice(2)
const at = rest.indexOf('--seed')
const seed = at === -1 ? Math.floor(Math.random() * 2 ** 31) : Number(rest[at + 1])

// Kernels that refuse advice are a part of the proof, and the warning about them is not.
process.removeAllListeners('warning')
process.on('warning', (warning: Error & { code?: string }) => {
  if (warning.code !== 'MEMLAYER_KEPT') console.error(warning.stack)
})

if (job === 'mutants') await runMutants()
else if (job === 'matrix') await runMatrix()
else {
  console.error('usage: main.js matrix|mutants [--seed <number>] [--json]')
  process.exitCode = 2
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
    console.log(`${caught} passed, ${missed} failed, 0 skipped`)
    writeTable(table)
  }
  if (missed > 0) process.exitCode = 1
}
