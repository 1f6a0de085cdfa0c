// The real kernel below my-os: kernel32, through foreign calls. mem.ts uses it unless its caller passes a kernel.
import { UsageError } from '@memlayer/core'
import { windowsKernel } from '@memlayer/ffi'
import type { WindowsKernel } from '@memlayer/kernel'
import { PLATFORM } from './defs.js'

declare const process: { readonly platform: string } | undefined

/**
 * Opens the host's own kernel.
 *
 * @throws UsageError ERR_MEMLAYER_BACKEND on a host with other constants.
 */
export function hostKernel(): WindowsKernel {
  const platform = typeof process === 'undefined' ? 'unknown' : process.platform
  if (platform === PLATFORM) return windowsKernel()
  const hint = `Pass a kernel: createOS({ kernel }), or adapt src/defs.ts to ${platform}.`
  throw new UsageError('ERR_MEMLAYER_BACKEND', `my-os has the constants of ${PLATFORM}, but this is ${platform}`, {
    hint,
  })
}
