// @memlayer/os-engine: the backend whose memory the JavaScript engine owns, and advice on buffers that exist.
export { createOS, type EngineOptions } from './mem.js'
export { adopt, discardPages, type Adopted, type AdoptOptions, type BufferHolder } from './adopt.js'
export type { ModuleAllocator } from './trim.js'
export type { EngineKernel, EngineSystem } from './systems/system.js'
