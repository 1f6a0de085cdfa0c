// What can be adopted: a buffer of the engine, or the WebAssembly memory that has one.
import { bufferLength } from '@memlayer/kernel'
import type { SysMemStat } from '../account/mem-stat.js'
import { UsageError } from '../errors.js'
import { show } from '../text.js'

/** A SharedArrayBuffer, an ArrayBuffer, or a WebAssembly.Memory. */
export type Adoptable = ArrayBufferLike | { readonly buffer: ArrayBufferLike }

/** How a buffer is adopted. */
export interface AdoptOptions {
  /** What people call it: in warnings, in the inspector, and as its category. Default `'adopted'`. */
  readonly name?: string | undefined
  /** The category that counts its bytes. Default: `memory.stat(name)`. */
  readonly stat?: SysMemStat | undefined
}

interface HostOfWasm {
  readonly WebAssembly?: { readonly Memory?: { readonly prototype: object } }
}

/** What reads the buffer of a WebAssembly memory, and of nothing else. Any code can define a property `buffer`. */
const bufferOfWasm = (): (() => ArrayBufferLike) | undefined => {
  const { prototype } = (globalThis as HostOfWasm).WebAssembly?.Memory ?? {}
  return prototype && (Object.getOwnPropertyDescriptor(prototype, 'buffer')?.get as (() => ArrayBufferLike) | undefined)
}

/**
 * What tells which buffer has the bytes now.
 *
 * @throws UsageError ERR_MEMLAYER_OPTION for what has no buffer of the engine.
 */
export function bufferReader(given: unknown): () => ArrayBufferLike {
  if (bufferLength(given) !== null) return () => given as ArrayBufferLike
  const getter = bufferOfWasm()
  try {
    if (getter !== undefined && bufferLength(getter.call(given)) !== null) return () => getter.call(given)
  } catch (error) {
    if (error instanceof RangeError) throw error
  }
  const hint = ArrayBuffer.isView(given)
    ? 'Pass its buffer, view.buffer, if all of that is yours: a small Buffer of Node shares it with others.'
    : 'Pass a SharedArrayBuffer, an ArrayBuffer or a WebAssembly.Memory.'
  const message = `adopt: ${show(given)} is not a buffer, nor a WebAssembly.Memory`
  throw new UsageError('ERR_MEMLAYER_OPTION', message, { op: 'adopt', hint })
}
