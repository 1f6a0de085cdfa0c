// @memlayer/os-aix: memlayer's backend for AIX.
export { createOS, type AixOptions } from './mem.js'
