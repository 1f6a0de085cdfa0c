// What a heap keeps for itself stays bounded, however many spans come and go.
import { createMemory } from '@memlayer/core'
import { createHeap } from '@memlayer/heap'
import { createOS } from '@memlayer/os-js'
import { describe, expect, it } from 'vitest'

describe('a full heap of 64 MiB', () => {
  /** Metadata by bytes of the heap, in percent, when it is full of objects of `bytes`. */
  const percentOf = (bytes: number): number => {
    const heap = createHeap(createMemory(createOS()), { maximum: 2 ** 26 })
    const full = (): boolean => {
      try {
        heap.alloc(bytes)
        return false
      } catch {
        return true
      }
    }
    while (!full());
    const { metadata, used } = heap.stats()
    expect(used).toBeGreaterThan(0.99 * 2 ** 26)
    heap.destroy()
    return (100 * metadata) / used
  }

  it.each([48, 64, 100, 300, 1000, 4096])(
    'has at most half a percent of metadata with objects of %i bytes',
    (bytes) => {
      expect(percentOf(bytes)).toBeLessThan(0.5)
    },
  )

  it.each([16, 24, 32])(
    'has a bit for each object and 0.3 percent of metadata besides, with objects of %i bytes',
    (bytes) => {
      expect(percentOf(bytes)).toBeLessThan(100 / (8 * bytes) + 0.3)
    },
  )
})

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
