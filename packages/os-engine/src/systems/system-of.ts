// Chooses the system: the one that the caller names, that of the kernel that the caller has, or the host's.
import { UsageError } from '@memlayer/core'
import { posixKernel, windowsKernel } from '@memlayer/ffi'
import type { PosixKernel, WindowsKernel } from '@memlayer/kernel'
import { hintOfKernel, hintOfSystem } from '../hint.js'
import { darwin } from './darwin.js'
import { linux } from './linux.js'
import type { EngineKernel, EngineSystem, System } from './system.js'
import { windows } from './windows.js'

const made: Readonly<Record<EngineSystem, (kernel: never) => System>> = { linux, darwin, windows }

/**
 * The system for a kernel. Without a kernel, the host's.
 *
 * @throws UsageError ERR_MEMLAYER_OPTION when the name is not one of the three, or is not that of the kernel, or the
 * kernel can't tell where a buffer is.
 */
export function systemOf(op: string, kernel?: EngineKernel, name?: EngineSystem): System {
  const system = name ?? (kernel === undefined ? hostSystem() : isWindows(kernel) ? 'windows' : 'linux')
  if (!Object.hasOwn(made, system)) {
    const said = name === undefined ? 'this host is not one of the three systems' : `the system is ${system}`
    throw wrong(op, said, hintOfSystem)
  }
  const found = kernel ?? (system === 'windows' ? windowsKernel() : posixKernel())
  if (isWindows(found) !== (system === 'windows')) throw wrong(op, `the kernel is not one of ${system}`, hintOfSystem)
  if (found.addressOf === undefined) {
    throw wrong(op, 'the kernel has no addressOf, so it is not known where the buffers of the engine are', hintOfKernel)
  }
  return made[system](found as never)
}

/** The host's system, by process.platform. Another platform is returned as it is. */
function hostSystem(): EngineSystem {
  const { platform } = (globalThis as { readonly process?: { readonly platform?: string } }).process ?? {}
  if (platform === 'win32') return 'windows'
  return platform === 'android' ? 'linux' : (platform as EngineSystem)
}

function isWindows(kernel: PosixKernel | WindowsKernel): kernel is WindowsKernel {
  return 'virtualAlloc' in kernel
}

function wrong(op: string, what: string, hint: string): UsageError {
  return new UsageError('ERR_MEMLAYER_OPTION', `${op}: ${what}`, { op, hint })
}
