// What a heap keeps for itself stays bounded, however many spans come and go.
import { createMemory } from '@memlayer/core'
import { createHeap } from '@memlayer/heap'
import { createOS } from '@memlayer/os-js'
import { describe, expect, it } from 'vitest'

describe('spans that come and go', () => {
  it('need no more metadata than those before them', () => {
    const heap = createHeap(createMemory(createOS()), { maximum: 2 ** 24 })
    const turn = (): void => {
      const handles = Array.from({ length: 2000 }, (_, i) => heap.alloc(16 + (i % 700)))
      for (const handle of handles) heap.free(handle)
      heap.scavenge()
    }
    turn()
    const { metadata } = heap.stats()
    for (let i = 0; i < 100; i++) turn()
    expect(heap.stats().metadata).toBe(metadata)
  })
})
