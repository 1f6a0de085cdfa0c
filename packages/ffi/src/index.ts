// @memlayer/ffi: real kernels behind the ports. Importing it loads nothing native; the first
// call of posixKernel() does.
export { NoEngineError } from './engine.js'
export { posixKernel } from './posix-kernel.js'
