// WebAssembly.Memory, as much of it as the kernel needs, declared here: the compiler's own
// declaration comes with all of a browser's, which a library must not ask of its users.

/** A WebAssembly.Memory. Each engine's own fits. */
export interface WasmMemory {
  /** All of its bytes now. After growth it is another object, and an ArrayBuffer had before is detached. */
  readonly buffer: ArrayBuffer | SharedArrayBuffer
  /** Grows by whole pages; the pages it had before. A 64-bit memory takes and returns bigints. */
  grow(delta: number | bigint): number | bigint
  /** Zeroes whole pages and gives what is behind them back; in no engine yet without a flag. */
  discard?(offset: number | bigint, length: number | bigint): void
}

/** How a WebAssembly.Memory is made; sizes are pages. A 64-bit memory takes bigints. */
export interface MemoryDescriptor {
  initial: number | bigint
  maximum?: number | bigint
  address?: 'i64'
  shared?: boolean
}

/** The engine's own constructor; `undefined`: it has no WebAssembly (`--jitless`, Hermes). */
export function memoryConstructor(): (new (descriptor: MemoryDescriptor) => WasmMemory) | undefined {
  const { WebAssembly: wasm } = globalThis as {
    WebAssembly?: { Memory?: new (descriptor: MemoryDescriptor) => WasmMemory }
  }
  return wasm?.Memory
}
