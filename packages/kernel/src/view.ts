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

// Taken early: what a program later does to the prototype, or to a buffer, is no matter.
const transfer = ArrayBuffer.prototype.transfer
const detached = Object.getOwnPropertyDescriptor(ArrayBuffer.prototype, 'detached')?.get

/** Whether this engine can detach a buffer: Node from 22 on, Bun and Deno can. */
export const canDetach: boolean = typeof (transfer as unknown) === 'function' && detached !== undefined

// Of the registry of symbols, so that two copies of this package agree; by buffer and not on it, where its user could write.
const BEFORE_DETACH: unique symbol = Symbol.for('memlayer.beforeDetach')

const hooks: WeakMap<ArrayBuffer, () => void> = ((globalThis as { [BEFORE_DETACH]?: WeakMap<ArrayBuffer, () => void> })[
  BEFORE_DETACH
] ??= new WeakMap())

/** For a kernel that keeps a range's bytes in the buffer that `view` returned: `run` is called before the buffer is detached. */
export function beforeDetach(buffer: ArrayBuffer, run: () => void): void {
  hooks.set(buffer, run)
}

/** Whether a buffer is detached, as the engine has it: a property of that name, which anybody can define on a buffer, is not asked. */
export function isDetached(buffer: ArrayBuffer): boolean {
  try {
    return detached?.call(buffer) === true
  } catch {
    // It is a SharedArrayBuffer, which cannot be.
    return false
  }
}

/** Detaches a buffer that `view` returned: whoever keeps it finds length 0 and reads `undefined`. The memory stays as it is. */
export function detachView(buffer: ArrayBuffer): void {
  hooks.get(buffer)?.()
  if (!isDetached(buffer)) transfer.call(buffer, 0)
}
