// @memlayer/os-plan9: memlayer's backend for Plan 9.
export { createOS, type Plan9Options } from './mem.js'
