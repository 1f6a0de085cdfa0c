// @memlayer/heap: objects of any size in memory of the layer. It needs a memory and nothing else, so it runs wherever a
// backend does.
export type { CheckOptions, Leak } from './checker.js'
export { createHeap, type HeapOptions } from './create-heap.js'
export type { Heap } from './heap.js'
export type { ClassStats, HeapStats } from './stats.js'
export type { TypedArrays } from './typed-arrays.js'
export { attachHeap, type SharedHeapOptions } from './shared/attach.js'
export type { HeapToken, SharedHeap } from './shared/shared-heap.js'
export type { SharedHeapStats } from './shared/survey.js'
