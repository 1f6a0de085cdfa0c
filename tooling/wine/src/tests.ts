// A file of node:test tests, run in Node for Windows, and what became of each.
import { modules, runOnWindows, type WindowsRun, type WindowsRunOptions } from './run.js'

const reporter = `${modules}/@memlayer/wine/dist/reporter.js`

/** One test of the file. */
export interface InnerTest {
  /** Its title, after those of the suites it is in. */
  readonly name: string
  /** The error's stack; null: it passed, or was skipped. */
  readonly failed: string | null
  /** Why it was skipped; null: it was not. */
  readonly skipped: string | null
  readonly milliseconds: number
}

/** The tests that have ended, and how the run did. */
export interface TestsRun {
  readonly tests: readonly InnerTest[]
  readonly run: WindowsRun
}

/** Runs a file of tests, which are to import `node:test`. */
export async function testsOnWindows(file: string, options: WindowsRunOptions): Promise<TestsRun> {
  const nodeArgs = [
    `--test-reporter=${process.platform === 'win32' ? new URL('reporter.js', import.meta.url).href : reporter}`,
    '--test-reporter-destination=stdout',
    ...(options.nodeArgs ?? []),
  ]
  const run = await runOnWindows(file, { ...options, nodeArgs })
  const lines = run.output.split('\n').filter((line) => line.endsWith('}'))
  return { tests: lines.map((line) => JSON.parse(line) as InnerTest), run }
}
