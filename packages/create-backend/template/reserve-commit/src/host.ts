// The real kernel below my-os: kernel32, by foreign calls. mem.ts asks for it when no kernel is handed in.
import { UsageError } from '@memlayer/core'
import { windowsKernel } from '@memlayer/ffi'
import type { WindowsKernel } from '@memlayer/kernel'
import { PLATFORM } from './defs.js'

declare const process: { readonly platform: string } | undefined

/**
 * The host's own kernel.
 *
 * @throws UsageError ERR_MEMLAYER_BACKEND on a host whose numbers are others.
 */
export function hostKernel(): WindowsKernel {
  const platform = typeof process === 'undefined' ? 'unknown' : process.platform
  if (platform === PLATFORM) return windowsKernel()
  const hint = `Pass a kernel: createOS({ kernel }), or make src/defs.ts right for ${platform}.`
  throw new UsageError('ERR_MEMLAYER_BACKEND', `my-os: its numbers are those of ${PLATFORM}, and this is ${platform}`, {
    hint,
  })
}
