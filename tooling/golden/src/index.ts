// @memlayer/golden has recorded traces of Go's functions, for the tests of backends.
export { faultsByProtection, faultsWithoutSwap } from './departures.js'
export { replay, type CreateOS, type ReplayOptions } from './replay.js'
export type { ScriptedFacts, ScriptedKernel } from './scripted-kernel.js'
export { data, tracesOf, type Trace, type TraceCall, type TraceStep } from './trace.js'
