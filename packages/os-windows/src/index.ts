// @memlayer/os-windows: memlayer's backend for Windows.
export { createOS, type WindowsOptions } from './mem.js'
