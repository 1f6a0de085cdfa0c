// Heaps and caches on the page: their figures are those of their stats().
import { createCache } from '@memlayer/cache'
import { createMemory } from '@memlayer/core'
import { createHeap } from '@memlayer/heap'
import { createOS } from '@memlayer/os-linux'
import { describe, expect, it } from 'vitest'
import { fresh, MiB } from './living.js'
import { openPage } from './open-page.js'

describe.skipIf(process.platform !== 'linux')('the page', () => {
  it('has heaps and caches with spans, classes, waste and hit rate, where it was given some', async (ctx) => {
    const memory = createMemory(createOS())
    const heap = createHeap(memory, { maximum: 4 * MiB })
    for (let i = 0; i < 1000; i++) heap.alloc(100)
    const cache = createCache(memory, { maximum: 2 * MiB })
    cache.set('a', new Uint8Array(10))
    for (const key of ['a', 'a', 'a', 'b']) cache.get(key)
    await using opened = await openPage(ctx, memory, { heaps: { rows: heap }, caches: { pages: cache } })
    const { page, tab } = opened
    const figure = async (store: string, column: string): Promise<string | null> =>
      page.locator(`#stores [data-store="${store}"] [data-column="${column}"]`).getAttribute('data-value')
    const { live, waste, spans, objects, classes } = heap.stats()
    expect([await figure('rows', 'live'), await figure('rows', 'waste')]).toEqual([String(live), String(waste)])
    expect([await figure('rows', 'entries'), await figure('rows', 'spans')]).toEqual([String(objects), String(spans)])
    expect([await figure('pages', 'live'), await figure('pages', 'hitRate')]).toEqual([
      String(cache.stats().bytes),
      '0.75',
    ])
    await page.locator('#stores-part summary').click()
    expect(await page.locator('#stores-classes tbody tr').count()).toBe(classes.length)
    heap.alloc(100)
    await fresh(page)
    expect(await figure('rows', 'entries')).toBe('1001')
    await page.locator('#stores-filter').fill('cache')
    expect(await page.locator('#stores tbody tr').count()).toBe(1)
    expect(tab.complaints).toEqual([])
  })

  it('has no such part where it was given none', async (ctx) => {
    await using opened = await openPage(ctx)
    expect(await opened.page.locator('#stores-part').isVisible()).toBe(false)
  })
})
