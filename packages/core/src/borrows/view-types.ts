// What a view can be made of: typed arrays, DataView, Buffer, and classes that extend one of them.
import { isAligned, type Address } from '@memlayer/kernel'
import { UsageError } from '../errors.js'
import { formatAddress, show } from '../text.js'

/** The class that a view is made of: a typed array's, DataView, Buffer, or a class that extends one of them. */
export type ViewConstructor<T extends ArrayBufferView = ArrayBufferView> = {
  new (buffer: ArrayBuffer, byteOffset: number, length: number): T
  readonly name: string
}

/** What `view` returns for a class whose instances are `T`: their buffer is always an ArrayBuffer. */
export type ViewOf<T extends ArrayBufferView> = T extends DataView ? DataView<ArrayBuffer> : T

interface Host {
  readonly Float16Array?: unknown
  readonly Buffer?: unknown
  readonly process?: { getBuiltinModule?(id: string): { readonly Buffer?: unknown } | undefined }
}

const host = globalThis as Host

// Bytes of an element, by class. BYTES_PER_ELEMENT of the class is not read, because any code can change it.
const elementSizes: ReadonlyMap<unknown, number> = /* @__PURE__ */ sizesOfClasses()

function sizesOfClasses(): Map<unknown, number> {
  return new Map<unknown, number>([
    // It came with Node 24. Without it the row of DataView below stands.
    [host.Float16Array ?? DataView, 2],
    ...[
      Int8Array,
      Uint8Array,
      Uint8ClampedArray,
      Int16Array,
      Uint16Array,
      Int32Array,
      Uint32Array,
      Float32Array,
      Float64Array,
      BigInt64Array,
      BigUint64Array,
    ].map((type): [unknown, number] => [type, type.BYTES_PER_ELEMENT]),
    [DataView, 1],
  ])
}

/**
 * The bytes of one element of `type`.
 *
 * @throws UsageError ERR_MEMLAYER_VIEW for any other value.
 */
export function elementSize(op: string, type: ViewConstructor): number {
  return elementSizes.get(type) ?? inheritedSize(op, type)
}

// Bytes of an element, by the name of the class: for the classes of another realm (node:vm, the REPL).
const sizesByName: ReadonlyMap<unknown, number> = /* @__PURE__ */ sizesOfNames()

function sizesOfNames(): Map<unknown, number> {
  return new Map([...elementSizes].map(([type, size]) => [(type as { readonly name: string }).name, size]))
}

const { toString } = Function.prototype
const nativeClass = /^function (\w+)\(\) \{\s*\[native code\]\s*\}$/

function inheritedSize(op: string, type: unknown): number {
  for (let at = type; typeof at === 'function'; at = Object.getPrototypeOf(at)) {
    // The text of a native function has the name that the engine gave it.
    const size = elementSizes.get(at) ?? sizesByName.get(nativeClass.exec(toString.call(at))?.[1])
    if (size !== undefined) return size
  }
  throw new UsageError('ERR_MEMLAYER_VIEW', `${op}: ${show(type)} is not the class of a view`, {
    op,
    hint: 'Pass a typed array class such as Uint8Array, or DataView, or Buffer.',
  })
}

/** @throws UsageError ERR_MEMLAYER_VIEW unless `length` is a number of elements, and one can begin at `v`. */
export function checkElements(op: string, type: ViewConstructor, size: number, v: Address, length: number): void {
  if (!(Number.isSafeInteger(length) && length >= 0)) {
    const hint = 'Pass a whole number of elements, 0 or more.'
    throw new UsageError('ERR_MEMLAYER_VIEW', `${op}: the length is ${show(length)}`, { op, hint })
  }
  if (isAligned(v, size)) return
  throw new UsageError('ERR_MEMLAYER_VIEW', `${op}: a ${type.name} cannot begin at ${formatAddress(v)}`, {
    op,
    address: v,
    hint:
      `Pass an offset that is a multiple of ${size} bytes, or use a DataView or a Uint8Array, ` +
      'which can begin anywhere.',
  })
}

/** Node's Buffer; null: this host has none. It is looked for when the first view is made. */
let bufferClass: unknown

/** A view over a buffer. Node's Buffer has its own way, because its constructor is deprecated. */
export function viewOver<T extends ArrayBufferView>(
  type: ViewConstructor<T>,
  buffer: ArrayBuffer,
  offset: number,
  length: number,
): T {
  if (bufferClass === undefined) {
    bufferClass = host.Buffer ?? host.process?.getBuiltinModule?.('node:buffer')?.Buffer ?? null
  }
  if (type !== bufferClass) return new type(buffer, offset, length)
  const { from } = bufferClass as unknown as { from(buffer: ArrayBuffer, offset: number, length: number): T }
  return from(buffer, offset, length)
}
