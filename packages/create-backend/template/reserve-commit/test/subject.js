// The test subject: the backend over a new kernel for each case. This kernel is @memlayer/simkernel's Windows.
// If your system differs, use a simulated kernel of your own here.
import { simulate } from '@memlayer/simkernel'
import { createOS } from '../dist/index.js'

export const subject = {
  name: 'my-os',
  /** @param {{ readonly seed: number, readonly pageSize?: number }} options */
  kernel: (options) => simulate('windows', options),
  /** @param {{ readonly kernel?: import('@memlayer/kernel').WindowsKernel }} options */
  createOS: (options) => createOS(options),
  // ERROR_NOT_ENOUGH_MEMORY
  refusedWith: 8,
}
