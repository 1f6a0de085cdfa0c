// @memlayer/simkernel: deterministic kernels behind memlayer's ports.
export { simulate, simulatedOSes, type SimulatedOS, type SimulatedPosixOS } from './simulate.js'
export type { BsdFlavor } from './bsd.js'
export { PageFault, SimulationError, type Access, type SimulationErrorCode } from './errors.js'
export type {
  LayoutOptions,
  Plan9Options,
  PosixLimitOptions,
  PosixOptions,
  SimulateOptions,
  WasmOptions,
  WindowsOptions,
} from './options.js'
export type { Counters, PlannedFault } from './plan.js'
export type {
  Residency,
  Simulated,
  SimulatedMapping,
  SimulatedPlan9Kernel,
  SimulatedPosixKernel,
  SimulatedWasmKernel,
  SimulatedWindowsKernel,
  VirtualRegion,
} from './simulated.js'
