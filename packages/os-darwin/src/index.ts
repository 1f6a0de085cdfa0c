// @memlayer/os-darwin: memlayer's backend for Darwin.
export { createOS, type DarwinOptions } from './mem.js'
