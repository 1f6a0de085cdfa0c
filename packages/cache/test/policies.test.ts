// The hit rate of the cache on traces, beside a plain LRU of as many entries and beside the model of its own policy.
import { createCache } from '@memlayer/cache'
import { createMemory } from '@memlayer/core'
import { createOS } from '@memlayer/os-js'
import { random } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'
import { lru, s3fifo, sieve, tinyLfu, type Ask } from './policies.js'
import { drifting, loop, popular, scanned } from './traces.js'

const capacity = 2000
const length = 200_000
const keys = 50_000

/** The cache, with room for so many entries: 24 bytes of header, 8 of key and 96 of value are a size of the heap. */
function cacheOf(entries: number): Ask {
  const cache = createCache(createMemory(createOS()), { maximum: entries * 128 })
  const value = new Uint8Array(96)
  const key = new Uint8Array(8)
  const words = new Float64Array(key.buffer)
  return (number) => {
    words[0] = number
    if (cache.read(key, () => true) === true) return true
    return !cache.set(key, value)
  }
}

function hitRate(ask: Ask, trace: Iterable<number>): number {
  let [hits, all] = [0, 0]
  for (const key of trace) {
    all += 1
    if (ask(key)) hits += 1
  }
  return hits / all
}

const traces = {
  popular: () => popular({ random: random(1), length, keys }),
  flat: () => popular({ random: random(2), length, keys, skew: 0.8 }),
  scanned: () => scanned({ random: random(3), length, keys, every: 2 * capacity, scan: 2 * capacity }),
  drifting: () => drifting({ random: random(4), length, keys, every: 100 }),
  'a loop of 1.2 times the room': () => loop(length, 1.2 * capacity),
}

describe('the hit rate', () => {
  it.each([
    ['popular', 0.06],
    ['flat', 0.06],
    ['scanned', 0.06],
    ['drifting', 0.03],
    ['a loop of 1.2 times the room', 0.4],
  ] as const)('on the trace %s is above that of a plain LRU by %d at least', (name, more) => {
    const [ours, plain, model] = [cacheOf(capacity), lru(capacity), s3fifo(capacity)].map((ask) =>
      hitRate(ask, traces[name]()),
    ) as [number, number, number]
    console.log(`${name}: ${(100 * ours).toFixed(1)} %, a plain LRU ${(100 * plain).toFixed(1)} %`)
    expect(ours - plain).toBeGreaterThan(more)
    expect(Math.abs(ours - model)).toBeLessThan(name.startsWith('a loop') ? 0.1 : 0.02)
  })

  it('is about that of SIEVE and of W-TinyLFU on popular keys, and above theirs when keys drift', () => {
    const of = (ask: Ask, name: 'popular' | 'drifting'): number => hitRate(ask, traces[name]())
    for (const policy of [sieve, tinyLfu]) {
      expect(Math.abs(of(cacheOf(capacity), 'popular') - of(policy(capacity), 'popular'))).toBeLessThan(0.02)
      expect(of(cacheOf(capacity), 'drifting')).toBeGreaterThan(of(policy(capacity), 'drifting'))
    }
  })
})
