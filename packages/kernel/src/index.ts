// @memlayer/kernel: the narrow waist. Backends import the ports from here. This package imports nothing.
export {
  residencyBits,
  type Address,
  type Allocator,
  type ForeignCalls,
  type GroupLimits,
  type HostPressure,
  type HostServices,
  type Kernel,
  type PassedOver,
  type Plan9Kernel,
  type PosixKernel,
  type PosixLimits,
  type ProcessLimits,
  type ProcessMapping,
  type ProcessMemory,
  type ProcessTable,
  type Use,
  type WasmKernel,
  type WindowsKernel,
  type WindowsLimits,
} from './port.js'
export { alignDown, alignUp, isAligned, isPowerOfTwo } from './align.js'
export { errnoName, errnos, type ErrnoFamily } from './errno.js'
export { adviceText, flagText, flagWords, type FlagWord, type FlagWords } from './flags.js'
export { refusalOf } from './calls.js'
export { describeCall, record, type KernelCall, type Recording } from './record.js'
export { failCall, type FailPlan } from './fail.js'
export { writeZeroes } from './zero.js'
export {
  beforeDetach,
  bufferLength,
  byteLengthOf,
  bytesIn,
  canDetach,
  detachView,
  isDetached,
  placeBuffer,
  sharedLength,
  viewOffset,
} from './view.js'
