// @memlayer/conformance: the suite that every backend must pass. It also runs in a browser. The command is in main.ts.
export { conformance, type Case, type Options } from './case.js'
export type { Verdict } from './definition.js'
export { ConformanceError } from './claim.js'
export { runCases, type CaseResult, type Report } from './run.js'
export { reportText } from './report.js'
export { defineTests, type Runner, type TestContext } from './tests.js'
export type { KernelOptions, Subject, Witness, WitnessLimits } from './subject.js'
export { simulatedWitness } from './witness.js'
