// @memlayer/core-mutants makes a package wrong in one place at a time. Its own tests use it on a package of theirs.
export { changesOf, operators, type Change, type Operator } from './operators.js'
export { instrument, mutantsIn, type Mutant } from './mutants.js'
export { closingLine, moduleOf, tableOf, tableOfEqual, type Outcome } from './report.js'
export { sample } from './sample.js'
export { scratchOf, type Scratch } from './scratch.js'
export { Trial, type Patience, type TestFile, type Verdict } from './trial.js'
