// simulate() makes a kernel from the name of an operating system.
import { aix } from './aix.js'
import { bsd, type BsdFlavor } from './bsd.js'
import { darwin } from './darwin.js'
import { linux } from './linux.js'
import type { Plan9Options, PosixOptions, WasmOptions, WindowsOptions } from './options.js'
import { wrong } from './plan.js'
import { SimulatedPlan9 } from './plan9-kernel.js'
import { SimulatedPosix } from './posix-kernel.js'
import type {
  SimulatedPlan9Kernel,
  SimulatedPosixKernel,
  SimulatedWasmKernel,
  SimulatedWindowsKernel,
} from './simulated.js'
import { SimulatedWasm } from './wasm-kernel.js'
import { SimulatedWindows } from './windows-kernel.js'

/** The POSIX kernels that can be simulated. */
export type SimulatedPosixOS = 'linux' | 'darwin' | BsdFlavor | 'aix'

/** All systems that can be simulated. */
export type SimulatedOS = SimulatedPosixOS | 'windows' | 'plan9' | 'wasm'

/** All names that `simulate` takes. */
export const simulatedOSes: readonly SimulatedOS[] = [
  'linux',
  'darwin',
  'freebsd',
  'dragonfly',
  'netbsd',
  'openbsd',
  'solaris',
  'illumos',
  'aix',
  'windows',
  'plan9',
  'wasm',
]

/**
 * A simulated kernel behind the port of its kind. Hand it to a backend's `createOS({ kernel })`. The same seed and
 * the same calls give the same answers, bytes and addresses.
 *
 * @throws SimulationError ERR_MEMLAYER_SIM_OPTION for a wrong option.
 */
export function simulate(os: SimulatedPosixOS, options?: PosixOptions): SimulatedPosixKernel
/**
 * A simulated Windows kernel, behind the Windows port.
 *
 * @throws SimulationError ERR_MEMLAYER_SIM_OPTION for a wrong option.
 */
export function simulate(os: 'windows', options?: WindowsOptions): SimulatedWindowsKernel
/**
 * A simulated Plan 9 kernel, behind the Plan 9 port.
 *
 * @throws SimulationError ERR_MEMLAYER_SIM_OPTION for a wrong option.
 */
export function simulate(os: 'plan9', options?: Plan9Options): SimulatedPlan9Kernel
/**
 * A simulated WebAssembly memory, behind its port.
 *
 * @throws SimulationError ERR_MEMLAYER_SIM_OPTION for a wrong option.
 */
export function simulate(os: 'wasm', options?: WasmOptions): SimulatedWasmKernel
export function simulate(
  os: SimulatedOS,
  options: PosixOptions & WindowsOptions & Plan9Options & WasmOptions = {},
): SimulatedPosixKernel | SimulatedWindowsKernel | SimulatedPlan9Kernel | SimulatedWasmKernel {
  switch (os) {
    case 'linux':
      return new SimulatedPosix(linux(options.arch ?? 'x64'), options)
    case 'darwin':
      return new SimulatedPosix(darwin(options.arch ?? 'arm64'), options)
    case 'freebsd':
    case 'dragonfly':
    case 'netbsd':
    case 'openbsd':
    case 'solaris':
    case 'illumos':
      return new SimulatedPosix(bsd(os, options.arch ?? 'x64'), options)
    case 'aix':
      return new SimulatedPosix(aix(options.arch ?? 'ppc64'), options)
    case 'windows':
      return new SimulatedWindows(options)
    case 'plan9':
      return new SimulatedPlan9(options)
    case 'wasm':
      return new SimulatedWasm(options)
    default:
      return wrong('os', os, `Pass one of ${simulatedOSes.join(', ')}.`)
  }
}
