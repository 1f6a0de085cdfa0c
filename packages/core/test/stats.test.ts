// Tests the numbers of stats(): by state, by category and in total.
import { createMemory } from '@memlayer/core'
import { describe, expect, it } from 'vitest'
import { errorOf } from './errors-of.js'
import { ENOMEM, PageOS } from './page-os.js'

const page = 4096

describe('stats', () => {
  it('tells each category’s bytes by state, and sums them', () => {
    const memory = createMemory(new PageOS())
    const [heap, index] = [memory.stat('heap'), memory.stat('index')]
    const v = memory.sysReserve(null, 10 * page)
    memory.sysMap(v, 6 * page, heap)
    memory.sysUsed(v, 3 * page)
    memory.sysFault(v, page)
    memory.sysMap(v + 6 * page, 2 * page, index)
    memory.sysAlloc(page, null)
    expect(memory.stats()).toEqual({
      retired: 0,
      kept: 0,
      retained: 0,
      total: {
        reserved: 3 * page,
        prepared: 5 * page,
        ready: 3 * page,
        held: 8 * page,
        peak: 3 * page,
        calls: 6,
        refusals: 0,
      },
      uncategorized: { reserved: 2 * page, prepared: 0, ready: page, held: 0, peak: page, calls: 2, refusals: 0 },
      categories: {
        heap: {
          reserved: page,
          prepared: 3 * page,
          ready: 2 * page,
          held: 6 * page,
          peak: 3 * page,
          calls: 3,
          refusals: 0,
        },
        index: { reserved: 0, prepared: 2 * page, ready: 0, held: 2 * page, peak: 0, calls: 1, refusals: 0 },
      },
    })
  })

  it('keeps the peak of each category and of all together, which are at different times', () => {
    const memory = createMemory(new PageOS())
    const [heap, index] = [memory.stat('heap'), memory.stat('index')]
    const a = memory.sysAlloc(4 * page, heap)
    memory.sysFree(a, 4 * page, heap)
    const b = memory.sysAlloc(3 * page, index)
    memory.sysUnused(b, 3 * page)
    memory.sysUsed(b, 2 * page)
    const { total, categories } = memory.stats()
    expect(total).toMatchObject({ ready: 2 * page, peak: 4 * page })
    expect(categories['heap']).toMatchObject({ ready: 0, peak: 4 * page })
    expect(categories['index']).toMatchObject({ ready: 2 * page, peak: 3 * page })
  })

  it('counts the operations that reached the kernel, and the refused ones', () => {
    const os = new PageOS()
    const memory = createMemory(os)
    const heap = memory.stat('heap')
    const v = memory.sysAlloc(page, heap)
    memory.sysUsed(v, 0)
    errorOf(() => memory.sysUnused(v, page + 1))
    memory.sysUnused(v, page)
    os.fate = () => ENOMEM
    errorOf(() => memory.sysReserve(null, page))
    errorOf(() => memory.sysFree(v, page, heap))
    expect(memory.stats().categories['heap']).toMatchObject({ calls: 3, refusals: 1 })
    expect(memory.stats().uncategorized).toMatchObject({ calls: 1, refusals: 1 })
    expect(memory.stats().total).toMatchObject({ calls: 4, refusals: 2 })
  })

  it('returns a snapshot that does not change later', () => {
    const memory = createMemory(new PageOS())
    const before = memory.stats()
    memory.sysAlloc(page, null)
    expect(before.total.ready).toBe(0)
    expect(memory.stats().total.ready).toBe(page)
  })

  it('is exact for large sums, of 2^52 bytes and a page', () => {
    const memory = createMemory(
      new PageOS({ traits: { pageSize: 2 ** 40, granularity: 2 ** 40 }, pages: 2 ** 12, base: 2 ** 40 }),
    )
    const heap = memory.stat('heap')
    const v = memory.sysReserve(null, 2 ** 51)
    memory.sysMap(v, 2 ** 51, heap)
    memory.sysAlloc(2 ** 40, heap)
    expect(heap.load()).toBe(2 ** 51 + 2 ** 40)
    memory.sysFree(v + 2 ** 50, 2 ** 40, heap)
    expect(memory.stats().total).toMatchObject({ prepared: 2 ** 51 - 2 ** 40, ready: 2 ** 40, held: 2 ** 51 })
    memory.check()
  })
})
