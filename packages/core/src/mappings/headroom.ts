// Headroom: what the layer leaves to the engine under the limits of the process. An engine that meets a limit aborts
// without a word, so its heap has to be able to grow. One policy for all limits.
import type { OS } from '../os.js'

/** How much is left to the engine. */
export interface BudgetOptions {
  /** See MemoryOptions. */
  readonly engineHeap?: number | undefined
}

/** How a caller who meets a limit may leave less. */
export const leftToEngine =
  "The engine's heap is left a part of it, which createMemory(os, { engineHeap }) sets in bytes."

/** Of a limit, the most that is left for a heap that may grow. */
export const limitPart = 2
/** For what is no heap: the C library, threads, code. */
export const bytesMin: number = 2 ** 26
const mappingsMin = 1024
const laterPart = 8
// V8's heap has pages of 256 KiB, each of which is a mapping, and some are two. What has over 128 KiB has its own.
// Measured on Node 22, 24 and 26: 3.6 to 8.7 for each MiB, the most where all of it is arrays of 133 KiB.
const mappingsPerByte = 9 / 2 ** 20

/** Bytes by which this thread's heap may still grow. */
export function heapGrowth(os: OS, { engineHeap }: BudgetOptions): number {
  if (engineHeap !== undefined) return engineHeap
  const heap = os.host?.heap?.()
  const growth = heap === undefined ? 0 : heap.limit - heap.used
  return growth > 0 ? growth : 0
}

/** Bytes that are left to the engine under a limit of `limit` bytes. */
export function bytesLeft(growth: number, limit: number): number {
  return Math.min(Math.max(growth, bytesMin), limit / limitPart)
}

/** Mappings that a heap comes to need which grows by so many bytes. */
export function mappingsOf(growth: number): number {
  return Math.ceil(growth * mappingsPerByte)
}

/** Mappings for the heaps of threads that come later: a part of the limit. An option that is given stands for all. */
export function mappingsForLater(os: OS, { engineHeap }: BudgetOptions, limit: number): number {
  return engineHeap === undefined && os.host?.heap !== undefined ? limit / laterPart : 0
}

/** Mappings that are left to the engine where there may be `limit`. */
export function mappingsLeft(needed: number, limit: number): number {
  return Math.floor(Math.max(mappingsMin, Math.min(needed, limit / limitPart)))
}
