// The six kinds of buffers that an engine makes and other code can adopt.

/** A WebAssembly.Memory, of which Node's types say nothing. */
export interface Wasm {
  readonly buffer: ArrayBuffer
  grow(pages: number): number
}

/** WebAssembly.Memory. */
export const { Memory } = (globalThis as unknown as { WebAssembly: { Memory: new (options: object) => Wasm } })
  .WebAssembly

/** What can be adopted. */
export type Made = ArrayBufferLike | Wasm

/** Each kind, and how one of 4 MiB is made, which may grow to twice that where its kind grows. */
export const size: number = 2 ** 22
export const wasmPages: number = size / 65536
export const kinds: Readonly<Record<string, () => Made>> = {
  'a SharedArrayBuffer': () => new SharedArrayBuffer(size),
  'a growable SharedArrayBuffer': () => new SharedArrayBuffer(size, { maxByteLength: 2 * size }),
  'an ArrayBuffer': () => new ArrayBuffer(size),
  'a resizable ArrayBuffer': () => new ArrayBuffer(size, { maxByteLength: 2 * size }),
  'a WebAssembly.Memory': () => new Memory({ initial: wasmPages, maximum: 2 * wasmPages }),
  'a shared WebAssembly.Memory': () => new Memory({ initial: wasmPages, maximum: 2 * wasmPages, shared: true }),
}

/** The buffer of what was made, now. */
export const bufferOf = (made: Made): ArrayBufferLike => ('buffer' in made ? made.buffer : made)

/** Makes it twice as long. False: its kind does not grow. */
export function grow(made: Made): boolean {
  if (!('buffer' in made)) {
    if (made instanceof ArrayBuffer && made.resizable) made.resize(2 * size)
    else if (made instanceof SharedArrayBuffer && made.growable) void made.grow(2 * size)
    else return false
  } else made.grow(wasmPages)
  return true
}
