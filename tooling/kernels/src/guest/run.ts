// Runs one file of tests on a machine: `node run.js <file>`, which the init calls for each file. The runner and
// the matchers are vitest's own, bundled. Vitest's command is not there, because the bundler that it brings is
// not built for every processor of machines.ts. Each test becomes a line in the file that MEMLAYER_OUTPUT names.
import { appendFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import {
  expect,
  type RunnerTask,
  type RunnerTestCase,
  type RunnerTestSuite,
  type SerializedConfig,
  type VitestTestRunner,
} from 'vitest'
import { startTests } from 'vitest/internal/browser'
import type { TestLine } from './test-line.js'

// The settings that vitest's runner and matchers read. A test has no time limit of its own: an emulated processor
// is slow, and the host ends a machine that takes too long.
const config = {
  root: process.cwd(),
  sequence: { concurrent: false, hooks: 'stack', setupFiles: 'list', shuffle: false },
  testTimeout: 0,
  hookTimeout: 0,
  maxConcurrency: 5,
  retry: 0,
  setupFiles: [],
  tags: [],
  expect: {},
  snapshotOptions: { expand: false },
} as unknown as SerializedConfig

// An event loop that runs empty before the last test ends the process with this code.
const unfinished = 3

// Where vitest looks for the state of its worker.
Object.assign(globalThis, { __vitest_worker__: { config, ctx: {} } })
process.exitCode = unfinished
main(process.argv[2] ?? '').then(
  () => {
    // Failed tests are in the lines. The code says whether all tests came to their end.
    process.exitCode = 0
  },
  (error: unknown) => {
    console.error(error)
    process.exitCode = 2
  },
)

async function main(path: string): Promise<void> {
  const written = new Set<RunnerTask>()
  const write = (task: RunnerTask): void => {
    written.add(task)
    appendFileSync(process.env['MEMLAYER_OUTPUT'] ?? 'output', `${JSON.stringify(lineOf(task))}\n`)
  }
  const runner: VitestTestRunner = {
    config,
    importFile: (file) => import(pathToFileURL(file).href),
    extendTaskContext: (context) => Object.assign(context, { expect }),
    onBeforeTryTask: forgetAssertions,
    onAfterTryTask: checkAssertions,
    // At once, so that the lines of earlier tests are there when a test ends the process.
    onAfterRunTask: write,
  }
  const files = await startTests([resolve(path)], runner)
  // Vitest does not report skipped tests one by one. A suite has an error when one of its hooks failed.
  for (const task of files.flatMap(withTasks)) {
    if (task.type === 'test' ? !written.has(task) : task.result?.errors !== undefined) write(task)
  }
}

function withTasks(task: RunnerTask): RunnerTask[] {
  return task.type === 'test' ? [task] : [task, ...task.tasks.flatMap(withTasks)]
}

function lineOf(task: RunnerTestCase | RunnerTestSuite): TestLine {
  const { result } = task
  // Why the test was skipped. Vitest's type leaves it out.
  const { note = '' } = { ...result } as { readonly note?: string }
  const isFailed = result?.state === 'fail'
  const errors = isFailed ? (result.errors ?? []) : []
  return {
    name: task.fullTestName ?? task.name,
    failed: isFailed ? errors.map(({ stack, message, diff }) => `${stack ?? message}\n${diff ?? ''}`).join('\n') : null,
    skipped: isFailed || result?.state === 'pass' ? null : note,
    milliseconds: Math.round(result?.duration ?? 0),
  }
}

/** Makes `expect.assertions` and `expect.hasAssertions` count from 0, as vitest's own worker does before a test. */
function forgetAssertions(test: RunnerTestCase): void {
  expect.setState({
    assertionCalls: 0,
    isExpectingAssertions: false,
    isExpectingAssertionsError: null,
    expectedAssertionsNumber: null,
    expectedAssertionsNumberErrorGen: null,
    currentTestName: test.fullTestName ?? test.name,
  })
}

/** Throws if the test ran through another number of assertions than it announced. */
function checkAssertions(): void {
  const state = expect.getState()
  const { expectedAssertionsNumber: expected = null, assertionCalls } = state
  if (expected !== null && expected !== assertionCalls && state.expectedAssertionsNumberErrorGen) {
    throw state.expectedAssertionsNumberErrorGen()
  }
  if (state.isExpectingAssertions === true && assertionCalls === 0 && state.isExpectingAssertionsError) {
    throw state.isExpectingAssertionsError
  }
}
