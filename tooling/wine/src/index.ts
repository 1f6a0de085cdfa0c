// @memlayer/wine runs this repository's files in Node for Windows, from ordinary vitest tests.
export { describeOnWindows, needsWindows, type DescribeOptions } from './describe.js'
export { testExamplesOnWindows } from './examples.js'
export { runOnWindows, type WindowsRun, type WindowsRunOptions } from './run.js'
export { testsOnWindows, type InnerTest, type TestsRun } from './tests.js'
export { whyNoWindows } from './host.js'
