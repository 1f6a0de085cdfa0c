// @memlayer/proof runs the conformance suite over every backend of the repository.
export { simulatedSubjects, subjectOf, type AnySubject } from './simulated.js'
export { realSubjects } from './real.js'
export { windowsSubject } from './windows.js'
export { closingLine, type Column } from './matrix.js'
export { mutants } from './mutants.js'
export type { Mutant } from './mutant.js'
export { readme, tableInReadme, tableOf, type Catch } from './mutants-table.js'
