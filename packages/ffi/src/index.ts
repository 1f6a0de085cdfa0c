// @memlayer/ffi: real kernels behind the ports. Importing it loads nothing native. The first call of posixKernel(),
// windowsKernel(), plan9Kernel() or engineName() does.
export { NoEngineError } from '#engine'
export { engineName } from './host-engine.js'
export { plan9Kernel, SegmentError, type Plan9KernelOptions } from './plan9-kernel.js'
export { posixKernel } from './posix-kernel.js'
export { windowsKernel } from './windows-kernel.js'
