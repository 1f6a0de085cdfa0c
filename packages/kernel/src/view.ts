// What every caller of view() has to know. On a WebAssembly memory one buffer serves all ranges, because an
// ArrayBuffer can't begin inside another. A simulated kernel may keep a range's bytes in the view itself, because
// it has no other memory.
import type { Address } from './port.js'

// From the symbol registry, so that two copies of this package know of the same buffers.
const PLACES: unique symbol = Symbol.for('memlayer.places')

const places: WeakMap<ArrayBufferLike, Address> = ((globalThis as { [PLACES]?: WeakMap<ArrayBufferLike, Address> })[
  PLACES
] ??= new WeakMap())

/**
 * Tells `viewOffset` where a buffer begins: address `v` is its first byte. For a backend whose `view` returns a buffer
 * that serves many ranges. Absent: such a buffer begins at address 0, as a WebAssembly memory does.
 */
export function placeBuffer(buffer: ArrayBufferLike, v: Address): void {
  places.set(buffer, v)
}

/**
 * Where [v, v+n) begins in the buffer that `view(v, n)` returned: 0, or the distance from the first byte of a buffer
 * that serves many ranges. `new Float64Array(buffer, viewOffset(buffer, v, n), n / 8)` is right on every port.
 */
export function viewOffset(buffer: ArrayBufferLike, v: Address, n: number): number {
  return buffer.byteLength === n ? 0 : v - (places.get(buffer) ?? 0)
}

// Taken early, so that a program's later changes to the prototype or to a buffer do not matter.
const transfer = ArrayBuffer.prototype.transfer
const detached = Object.getOwnPropertyDescriptor(ArrayBuffer.prototype, 'detached')?.get

/** Whether this engine can detach a buffer. Node from 22 on, Bun and Deno can. */
export const canDetach: boolean = typeof (transfer as unknown) === 'function' && detached !== undefined

// From the symbol registry, so that two copies of this package share the hooks. They are kept by buffer and not on
// it, because the buffer's user can write there.
const BEFORE_DETACH: unique symbol = Symbol.for('memlayer.beforeDetach')

const hooks: WeakMap<ArrayBuffer, () => void> = ((globalThis as { [BEFORE_DETACH]?: WeakMap<ArrayBuffer, () => void> })[
  BEFORE_DETACH
] ??= new WeakMap())

/**
 * Registers `run` to be called before the buffer is detached. For a kernel that keeps a range's bytes in the buffer
 * that `view` returned.
 */
export function beforeDetach(buffer: ArrayBuffer, run: () => void): void {
  hooks.set(buffer, run)
}

/**
 * Whether a buffer is detached, as the engine knows it. Any code can define a property `detached` on a buffer, so
 * that property is not read.
 */
export function isDetached(buffer: ArrayBuffer): boolean {
  try {
    return detached?.call(buffer) === true
  } catch (error) {
    // At the end of the stack there is no answer.
    if (error instanceof RangeError) throw error
    // It is a SharedArrayBuffer, which cannot be detached.
    return false
  }
}

/** Code that `run` calls may detach the buffer as well, and does not come here again. */
function runOnce(buffer: ArrayBuffer, run: () => void): void {
  hooks.delete(buffer)
  try {
    run()
  } catch (error) {
    hooks.set(buffer, run)
    throw error
  }
}

/**
 * Detaches a buffer that `view` returned. Code that still holds it finds length 0 and reads `undefined`. The memory
 * stays as it is.
 *
 * @throws TypeError when the engine does not detach it: it was marked untransferable, or a native call uses its bytes.
 */
export function detachView(buffer: ArrayBuffer): void {
  const run = hooks.get(buffer)
  if (run !== undefined) runOnce(buffer, run)
  if (isDetached(buffer)) return
  transfer.call(buffer, 0)
  // JavaScriptCore returns a copy, and leaves the buffer as it is, while a native call has it.
  if (!isDetached(buffer)) throw new TypeError('a native call that has not ended uses its bytes')
}

// Any code can define these properties on a view or on a prototype, so they are not read.
const typedArrays = Object.getPrototypeOf(Uint8Array.prototype) as object
const ofTypedArrays = gettersOf(typedArrays)
const ofDataViews = gettersOf(DataView.prototype)

interface Getters {
  readonly buffer: () => ArrayBuffer
  readonly byteOffset: () => number
  readonly byteLength: () => number
}

function gettersOf(prototype: object): Getters {
  const getter = (name: string): unknown => Object.getOwnPropertyDescriptor(prototype, name)?.get
  return {
    buffer: getter('buffer'),
    byteOffset: getter('byteOffset'),
    byteLength: getter('byteLength'),
  } as Getters
}

const lengthsOfBuffers = [
  ArrayBuffer,
  globalThis.SharedArrayBuffer as SharedArrayBufferConstructor | undefined,
].flatMap((type): (() => number)[] => {
  const getter = type && Object.getOwnPropertyDescriptor(type.prototype, 'byteLength')?.get
  return getter === undefined ? [] : [getter]
})

/**
 * The bytes of an ArrayBuffer or SharedArrayBuffer of any realm, as the engine knows them: 0 when it is detached. Null:
 * it is neither.
 */
export function bufferLength(buffer: unknown): number | null {
  for (const lengthOf of lengthsOfBuffers) {
    try {
      return lengthOf.call(buffer)
    } catch (error) {
      // It is not of this class. At the end of the stack there is no answer.
      if (error instanceof RangeError) throw error
    }
  }
  return null
}

/** The bytes of a SharedArrayBuffer of any realm; null: it is not one, or this page may have none. */
export function sharedLength(value: unknown): number | null {
  try {
    return Object.getOwnPropertyDescriptor(SharedArrayBuffer.prototype, 'byteLength')?.get?.call(value) as number
  } catch {
    return null
  }
}

/** The bytes of a typed array, as the engine knows them. 0 when its buffer is detached. */
export function byteLengthOf(bytes: Uint8Array): number {
  return ofTypedArrays.byteLength.call(bytes)
}

/**
 * The bytes of any view, where the engine knows that they are.
 *
 * @throws TypeError when its buffer is detached, or has shrunk.
 */
export function bytesIn(view: ArrayBufferView): Uint8Array {
  const { buffer, byteOffset, byteLength } = isDataView(view) ? ofDataViews : ofTypedArrays
  return new Uint8Array(buffer.call(view), byteOffset.call(view), byteLength.call(view))
}

/** The name of a typed array's class, which only the engine knows. A DataView has none. */
const tagOf = Object.getOwnPropertyDescriptor(typedArrays, Symbol.toStringTag)?.get as () => string | undefined

function isDataView(view: ArrayBufferView): boolean {
  return tagOf.call(view) === undefined
}
