// Runs a file of node:test tests in Node for Windows, and returns the result of each test.
import { modules, runOnWindows, type WindowsRun, type WindowsRunOptions } from './run.js'

const reporter = `${modules}/@memlayer/wine/dist/reporter.js`

/** One test of the file. */
export interface InnerTest {
  /** The titles of its suites, and its own title. */
  readonly name: string
  /** The error's stack, or null if the test passed or was skipped. */
  readonly failed: string | null
  /** The reason of a skipped test, or null. */
  readonly skipped: string | null
  readonly milliseconds: number
}

/** The finished tests, and the outcome of the run. */
export interface TestsRun {
  readonly tests: readonly InnerTest[]
  readonly run: WindowsRun
}

/** Runs a file of tests. The file must use `node:test`. */
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
