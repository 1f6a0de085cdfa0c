// What is put to the test: the backend, over a kernel that is made anew for each case. Here that is the kernel
// itself; when a real system stands below, write a simulated one with the same calls and put it here.
import { arrayKernel, createOS } from '../dist/index.js'

export const subject = {
  name: 'my-os',
  /** @param {{ readonly seed: number }} _options */
  kernel: (_options) => arrayKernel(16 * 2 ** 20),
  /** @param {{ readonly kernel?: import('../dist/index.js').CustomKernel }} options */
  createOS: (options) => createOS(options),
  /** Nobody can make a page fault here. */
  witness: () => ({ faults: () => false }),
  // ENOMEM
  refusedWith: 12,
}
