// What is put to the test: the backend, over a kernel that is made anew for each case. This one is
// @memlayer/simkernel's Windows; where your system differs, it is the place for a simulated kernel of your own.
import { simulate } from '@memlayer/simkernel'
import { createOS } from '../dist/index.js'

export const subject = {
  name: 'my-os',
  /** @param {{ readonly seed: number }} options */
  kernel: ({ seed }) => simulate('windows', { seed }),
  /** @param {{ readonly kernel?: import('@memlayer/kernel').WindowsKernel }} options */
  createOS: (options) => createOS(options),
  // ERROR_NOT_ENOUGH_MEMORY
  refusedWith: 8,
}
