// Tests what the layer leaves to the engine under a limit: bytes, and kernel mappings.
import { describe, expect, it } from 'vitest'
import {
  bytesLeft,
  bytesMin,
  heapGrowth,
  mappingsForLater,
  mappingsLeft,
  mappingsOf,
} from '../src/mappings/headroom.js'
import { PageOS } from './page-os.js'

const MiB = 2 ** 20

/** An OS whose host tells of a heap; null: it does not. */
function osWith(heap: { readonly used: number; readonly limit: number } | null): PageOS {
  const os = new PageOS()
  if (heap !== null) os.host = { heap: () => heap }
  return os
}

describe('the growth of the heap', () => {
  it('is what the host tells, and never below 0', () => {
    expect(heapGrowth(osWith({ used: 100 * MiB, limit: 400 * MiB }), {})).toBe(300 * MiB)
    expect(heapGrowth(osWith({ used: 400 * MiB, limit: 400 * MiB }), {})).toBe(0)
    expect(heapGrowth(osWith({ used: 500 * MiB, limit: 400 * MiB }), {})).toBe(0)
    expect(heapGrowth(osWith({ used: 5, limit: 6 }), {})).toBe(1)
  })

  it('is 0 where the host does not tell', () => {
    expect(heapGrowth(osWith(null), {})).toBe(0)
  })

  it('is the option, whatever the host tells', () => {
    for (const engineHeap of [0, 7 * MiB]) {
      expect(heapGrowth(osWith({ used: 0, limit: 400 * MiB }), { engineHeap })).toBe(engineHeap)
    }
  })
})

describe('bytes that are left', () => {
  it('are 64 MiB or more, as the heap may grow', () => {
    expect(bytesMin).toBe(64 * MiB)
    expect(bytesLeft(0, 2 ** 40)).toBe(64 * MiB)
    expect(bytesLeft(100 * MiB, 2 ** 40)).toBe(100 * MiB)
  })

  it('are half of a limit at most', () => {
    expect(bytesLeft(0, 100 * MiB)).toBe(50 * MiB)
    expect(bytesLeft(4096 * MiB, 1024 * MiB)).toBe(512 * MiB)
  })
})

describe('mappings that are left', () => {
  it('are nine for each MiB that the heap may grow by, rounded up', () => {
    expect([0, 1, MiB, MiB + 1, 10 * MiB].map(mappingsOf)).toEqual([0, 1, 9, 10, 90])
  })

  it('are 1024 at least, and half of a limit at most', () => {
    expect([0, 1024, 1025, 5000.7, 40_000].map((needed) => mappingsLeft(needed, 65_530))).toEqual([
      1024, 1024, 1025, 5000, 32_765,
    ])
    expect(mappingsLeft(0, 100)).toBe(1024)
  })

  it('are an eighth of the limit for threads that come later, unless an option stands for all', () => {
    const heap = { used: 0, limit: 1 }
    expect(mappingsForLater(osWith(heap), {}, 8000)).toBe(1000)
    expect(mappingsForLater(osWith(heap), { engineHeap: 0 }, 8000)).toBe(0)
    expect(mappingsForLater(osWith(null), {}, 8000)).toBe(0)
  })
})
