// WebAssembly.Memory, as far as the kernel needs it. It is declared here, because the compiler's own declaration
// comes with all of a browser's. A library must not require those from its users.

/** A WebAssembly.Memory. Each engine's own type fits. */
export interface WasmMemory {
  /** All of its bytes now. After growth this is another object, and an earlier ArrayBuffer is detached. */
  readonly buffer: ArrayBuffer | SharedArrayBuffer
  /** Grows by whole pages and returns the earlier number of pages. A 64-bit memory takes and returns bigints. */
  grow(delta: number | bigint): number | bigint
  /** Zeroes whole pages and gives the memory behind them back. Every engine still hides it behind a flag. */
  discard?(offset: number | bigint, length: number | bigint): void
}

/** How a WebAssembly.Memory is made. Sizes are pages. A 64-bit memory takes bigints. */
export interface MemoryDescriptor {
  initial: number | bigint
  maximum?: number | bigint
  address?: 'i64'
  shared?: boolean
}

/** The engine's own constructor. `undefined` when it has no WebAssembly (`--jitless`, Hermes). */
export function memoryConstructor(): (new (descriptor: MemoryDescriptor) => WasmMemory) | undefined {
  const { WebAssembly: wasm } = globalThis as {
    WebAssembly?: { Memory?: new (descriptor: MemoryDescriptor) => WasmMemory }
  }
  return wasm?.Memory
}
