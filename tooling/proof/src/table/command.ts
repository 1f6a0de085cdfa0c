// `npm run mutants` over the table, a process for each core: each takes the next backend. As a child process, this file
// runs one backend and tells what became of its faults.
import { fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { runTable, type Outcome, type RunOptions } from './run.js'
import { subjectNamed } from './subjects.js'

/** The faults of one backend. */
export interface TableResult {
  readonly name: string
  readonly outcomes: readonly Outcome[]
}

/** Runs the table over subjects, as many at once as there are cores. */
export async function runTables(names: readonly string[], options: RunOptions): Promise<TableResult[]> {
  const left = [...names]
  const results: TableResult[] = []
  const worker = async (): Promise<void> => {
    for (let name = left.shift(); name !== undefined; name = left.shift()) {
      results.push({ name, outcomes: await inChild(name, options) })
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, worker))
  return names.map((name) => results.find((result) => result.name === name) as TableResult)
}

function inChild(name: string, options: RunOptions): Promise<Outcome[]> {
  const folder = mkdtempSync(join(tmpdir(), 'memlayer-table-'))
  return new Promise((resolve, reject) => {
    const process = fork(join(import.meta.dirname, 'child.js'), [name, folder, JSON.stringify(options)])
    let outcomes: Outcome[] | null = null
    process.on('message', (message) => (outcomes = message as Outcome[]))
    process.on('exit', (code) => {
      rmSync(folder, { recursive: true })
      if (outcomes === null) reject(new Error(`the faults of ${name} ended the process with code ${code}`))
      else resolve(outcomes)
    })
  })
}

/** What a child process does. */
export async function child([name = '', folder = '', options = '{}']: readonly string[]): Promise<void> {
  process.send?.(runTable(await subjectNamed(name, folder), JSON.parse(options) as RunOptions))
}
