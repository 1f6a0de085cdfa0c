// @memlayer/os-js: memlayer's backend for JavaScript alone. It loads nothing native and needs only WebAssembly from
// its host.
export { createOS, type JsOptions, type JsOS } from './mem.js'
export { wasmKernel, type WasmKernelOptions } from './wasm-kernel.js'
export type { DiscardPages } from './discard.js'
export type { WasmMemory } from './wasm-memory.js'
