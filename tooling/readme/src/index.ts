// @memlayer/readme: a README's examples, found and run. Tests use `@memlayer/readme/vitest`.
export { examplesOf, type Example } from './examples.js'
export { moduleOf } from './module.js'
export { ExampleError, runExample } from './run.js'
