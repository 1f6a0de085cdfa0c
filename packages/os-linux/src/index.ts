// @memlayer/os-linux: memlayer's backend for Linux.
export { createOS, type LinuxOptions } from './mem.js'
