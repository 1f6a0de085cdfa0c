// Heaps and caches as metrics: their figures are those of their stats(), in both exporters.
import { createCache } from '@memlayer/cache'
import { createMemory } from '@memlayer/core'
import { createHeap } from '@memlayer/heap'
import { storePoints, type Point } from '@memlayer/metrics'
import { observeMemory } from '@memlayer/metrics/opentelemetry'
import { collectMemory } from '@memlayer/metrics/prom-client'
import { createOS } from '@memlayer/os-js'
import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics'
import { Registry } from 'prom-client'
import { describe, expect, it } from 'vitest'

class Reader extends MetricReader {
  protected override async onForceFlush(): Promise<void> {
    await Promise.resolve()
  }

  protected override async onShutdown(): Promise<void> {
    await Promise.resolve()
  }
}

describe('heaps and caches', () => {
  it('have spans, classes, waste and hits as points, and the counters of a hit rate', async () => {
    const memory = createMemory(createOS())
    const heap = createHeap(memory, { maximum: 2 ** 22 })
    for (let i = 0; i < 1000; i++) heap.alloc(100)
    const cache = createCache(memory, { maximum: 2 ** 20 })
    cache.set('a', new Uint8Array(10))
    cache.get('a')
    cache.get('b')
    const stores = { heaps: { rows: heap }, caches: { pages: cache } }
    const { classes, ...stats } = heap.stats()
    const points = storePoints(stores)
    const of = (name: string): Point[] => points.filter((point) => point.name === name)
    for (const key of ['ready', 'used', 'live', 'waste', 'retained', 'metadata', 'objects', 'spans'] as const)
      expect(of(`memlayer.heap.${key}`)).toEqual([{ name: `memlayer.heap.${key}`, value: stats[key], store: 'rows' }])
    expect(of('memlayer.heap.class.objects').map(({ size, value }) => [size, value])).toEqual(
      classes.map(({ size, objects }) => [String(size), objects]),
    )
    expect(['hits', 'misses', 'sets'].map((key) => of(`memlayer.cache.${key}`)[0]?.value)).toEqual([1, 1, 1])
    expect(of('memlayer.cache.used')[0]?.value).toBe(cache.stats().bytes)

    const registry = new Registry()
    const end = collectMemory({ one: memory, two: createMemory(createOS()) }, { registry, ...stores })
    const text = await registry.metrics()
    expect(text).toContain('memlayer_heap_objects{store="rows"} 1000')
    expect(text).toContain('memlayer_cache_hits_total{store="pages"} 1')
    expect(text).toMatch(/memlayer_heap_class_objects\{store="rows",size="\d+"\} 1000/)
    end()
    expect(await registry.metrics()).toBe('\n')

    const reader = new Reader()
    const provider = new MeterProvider({ readers: [reader] })
    observeMemory(memory, { meter: provider.getMeter('stores'), process: false, ...stores })
    const { resourceMetrics } = await reader.collect()
    const found = resourceMetrics.scopeMetrics[0]?.metrics.find(
      ({ descriptor }) => descriptor.name === 'memlayer.heap.objects',
    )
    expect(found?.dataPoints.map(({ value, attributes }) => [value, attributes['memlayer.store']])).toEqual([
      [1000, 'rows'],
    ])
    await provider.shutdown()
  })
})
