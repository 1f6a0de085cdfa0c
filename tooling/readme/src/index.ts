// @memlayer/readme finds and runs a README's examples. Tests use `@memlayer/readme/vitest`.
export { examplesOf, type Example } from './examples.js'
export { moduleOf } from './module.js'
export { ExampleError, runExample } from './run.js'
