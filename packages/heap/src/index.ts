// @memlayer/heap: objects of any size in memory of the layer. It needs a memory and nothing else, so it runs wherever a
// backend does.
export { createHeap, type Heap, type HeapOptions } from './heap.js'
export type { ClassStats, HeapStats } from './stats.js'
