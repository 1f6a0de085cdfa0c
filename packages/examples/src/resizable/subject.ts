// The test subject of `npx memlayer-conformance packages/examples/dist/resizable/subject.js`.
import type { Subject } from '@memlayer/conformance'
import { resizableKernel, type ResizableKernel } from './kernel.js'
import { createOS } from './mem.js'

/** The backend over a new buffer for each case. */
export const subject: Subject<ResizableKernel> & { readonly name: string } = {
  name: 'resizable',
  kernel: () => resizableKernel(2 ** 28),
  createOS,
  // No page of an ArrayBuffer can fault.
  witness: () => ({ faults: () => false }),
}
