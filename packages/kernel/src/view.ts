// What every caller of view() has to know: on a WebAssembly memory one buffer serves all
// ranges, and no ArrayBuffer can begin inside another; and a kernel that is not real may keep a
// range's bytes in the view itself, because it has no other memory.
import type { Address } from './port.js'

/**
 * Where [v, v+n) begins in the buffer that `view(v, n)` returned: 0, or `v` where the buffer is the
 * whole memory. `new Float64Array(buffer, viewOffset(buffer, v, n), n / 8)` is right on every port.
 */
export function viewOffset(buffer: ArrayBuffer, v: Address, n: number): number {
  return buffer.byteLength === n ? 0 : v
}

// Taken early: what a program later does to the prototype is no matter.
const transfer = ArrayBuffer.prototype.transfer

// Of the registry of symbols, so that two copies of this package agree.
const BEFORE_DETACH: unique symbol = Symbol.for('memlayer.beforeDetach')

interface Kept {
  [BEFORE_DETACH]?: () => void
}

/** For a kernel that keeps a range's bytes in the buffer that `view` returned: `run` is called before the buffer is detached. */
export function beforeDetach(buffer: ArrayBuffer, run: () => void): void {
  Object.defineProperty(buffer, BEFORE_DETACH, { value: run, configurable: true })
}

/** Detaches a buffer that `view` returned: whoever keeps it finds length 0 and reads `undefined`. The memory stays as it is. */
export function detachView(buffer: ArrayBuffer): void {
  ;(buffer as Kept)[BEFORE_DETACH]?.()
  if (!buffer.detached) transfer.call(buffer, 0)
}
