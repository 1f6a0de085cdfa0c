// @memlayer/simulated compares the simulated kernels with real kernels and with recorded ones.
export { answersAtTheLimit, type AtTheLimit } from './at-the-limit.js'
export { partsOf, type Arena } from './arena.js'
export { callText, randomCalls, type RandomCall } from './random-calls.js'
export { KernelAccount, type RealMapping } from './kernel-account.js'
export { Twins, type Disagreement } from './twins.js'
export { beside } from './beside.js'
