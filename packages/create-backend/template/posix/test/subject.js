// What is put to the test: the backend, over a kernel that is made anew for each case. This one is
// @memlayer/simkernel's Linux; where your system differs, it is the place for a simulated kernel of your own.
import { simulate } from '@memlayer/simkernel'
import { createOS } from '../dist/index.js'

export const subject = {
  name: 'my-os',
  /** @param {{ readonly seed: number }} options */
  kernel: ({ seed }) => simulate('linux', { seed, hugePageSize: 0 }),
  /** @param {{ readonly kernel?: import('@memlayer/kernel').PosixKernel }} options */
  createOS: (options) => createOS(options),
  // ENOMEM
  refusedWith: 12,
}
