// Runs the tests of a file inside Windows, and reports each of them as a vitest test with the same name.
import { describe, it, type TestContext } from 'vitest'
import { whyNoWindows } from './host.js'
import type { WindowsRun, WindowsRunOptions } from './run.js'
import { testsOnWindows } from './tests.js'

/** The options for running a file of tests. */
export interface DescribeOptions extends WindowsRunOptions {
  /** The file of tests, as a path relative to `folder`. */
  readonly file: string
}

/**
 * Skips the test if Windows programs can't run here, and says what to install. With CI=true it throws instead.
 *
 * @throws Error with CI=true.
 */
export function needsWindows(
  context: Pick<TestContext, 'skip'>,
  missing: string | null = whyNoWindows(),
  isCI: boolean = process.env['CI'] === 'true',
): void {
  if (missing === null) return
  if (isCI) throw new Error(missing)
  context.skip(missing)
}

/**
 * Runs a file of node:test tests in Node for Windows while vitest collects, and reports each of them as a test.
 * Without Wine it reports one skipped test that says what to install. With CI=true that test fails.
 */
export function describeOnWindows(title: string, { file, ...options }: DescribeOptions): void {
  describe(title, async () => {
    if (whyNoWindows() !== null) {
      it(`runs ${file}`, (context) => needsWindows(context))
      return
    }
    const { tests, run } = await testsOnWindows(file, options)
    for (const { name, failed, skipped } of tests) {
      it(name, (context) => {
        if (failed !== null) throw new Error(`the test failed in Node for Windows: ${failed}`)
        if (skipped !== null) context.skip(skipped)
      })
    }
    const failures = tests.filter(({ failed }) => failed !== null).length
    it(`${file} ran to its end`, () => {
      if (tests.length === 0 || run.timedOut || run.code !== (failures === 0 ? 0 : 1)) throw new Error(endOf(run))
    })
  })
}

function endOf({ code, timedOut, stdout, stderr }: WindowsRun): string {
  const ended = timedOut ? 'the run was killed at its timeout' : `the run ended with code ${code}`
  return `${ended}\n--- stdout\n${stdout.slice(-4000)}\n--- stderr\n${stderr.slice(-4000)}`
}
