// The test subject: the backend over a new kernel for each case. This kernel is @memlayer/simkernel's Linux.
// If your system differs, use a simulated kernel of your own here.
import { simulate } from '@memlayer/simkernel'
import { createOS } from '../dist/index.js'

export const subject = {
  name: 'my-os',
  /** @param {{ readonly seed: number, readonly pageSize?: number }} options */
  kernel: (options) => simulate('linux', { ...options, hugePageSize: 0 }),
  /** @param {{ readonly kernel?: import('@memlayer/kernel').PosixKernel }} options */
  createOS: (options) => createOS(options),
  // ENOMEM
  refusedWith: 12,
}
