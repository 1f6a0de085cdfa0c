// A cache that is filled up to the limit of its memory, beside a region of the same memory that wants some of it.
import { createCache } from '@memlayer/cache'
import { createMemory } from '@memlayer/core'
import { createOS } from '@memlayer/os-linux'
import { describe, expect, it } from 'vitest'

const MiB = 2 ** 20

describe.skipIf(process.platform !== 'linux')('a cache that is filled up to the limit (needs Linux)', () => {
  it('gives way at once to the first commit of another region, and to all that follow', () => {
    const memory = createMemory(createOS())
    memory.limit = { bytes: (memory.stats().total.ready || 0) + 64 * MiB }
    using cache = createCache(memory, { maximum: 256 * MiB })
    const value = new Uint8Array(4000).fill(1)
    for (let n = 0; n < 40_000; n++) cache.set(`page ${n}`, value)
    const before = cache.bytes
    expect(before).toBeGreaterThan(40 * MiB)
    using other = memory.reserve(32 * MiB, { name: 'other' })
    for (let at = 0; at < other.size; at += MiB) other.commit(at, MiB)
    expect(cache.bytes).toBeLessThan(before - 24 * MiB)
    expect(cache.get('page 39999')?.length).toBe(4000)
    memory.check()
  })
})
