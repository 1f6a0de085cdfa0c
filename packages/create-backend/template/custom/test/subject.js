// The test subject: the backend over a new kernel for each case. Here it is the kernel itself. When a real system is
// below, write a simulated kernel with the same calls and use it here.
import { arrayKernel, createOS } from '../dist/index.js'

export const subject = {
  name: 'my-os',
  /** @param {{ readonly seed: number }} _options */
  kernel: (_options) => arrayKernel(16 * 2 ** 20),
  /** @param {{ readonly kernel?: import('../dist/index.js').CustomKernel }} options */
  createOS: (options) => createOS(options),
  /** No page can fault here, and every page has memory. */
  witness: () => ({
    faults: () => false,
    /** @type {(v: number, n: number) => number} */
    resident: (_v, n) => n,
    takeForfeit: () => undefined,
  }),
  // ENOMEM
  refusedWith: 12,
}
