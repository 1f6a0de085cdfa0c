// A random history on a heap of any backend, beside its shadow. It runs where there is no test runner, so it throws.
import { createMemory, type OS } from '@memlayer/core'
import { createHeap } from '@memlayer/heap'
import { same } from '@memlayer/witness/claims'
import { random } from '@memlayer/witness/random'
import { Model } from '../model.ts'

/** What a history has done. */
export interface Summary {
  readonly name: string
  /** The most objects that were alive. */
  readonly objects: number
  /** Bytes that the memory held, after all was given back. */
  readonly held: number
}

/** Runs `operations` and frees what is left. @throws Error where the heap and its shadow differ. */
export function heapHistory(os: OS, operations: number, seed: number): Summary {
  const heap = createHeap(createMemory(os), { maximum: 64 * 2 ** 20 })
  const model = new Model(heap, random(seed), 8000)
  let objects = 0
  for (let i = 0; i < operations; i++) {
    model.step()
    objects = Math.max(objects, model.objects.length)
    if (i % Math.ceil(operations / 10) === 0) model.checkAll()
  }
  model.checkAll()
  model.drain()
  heap.scavenge()
  same(heap.stats().used, 0, 'bytes in use')
  heap.destroy()
  return { name: os.name, objects, held: heap.memory.stats().total.held }
}
