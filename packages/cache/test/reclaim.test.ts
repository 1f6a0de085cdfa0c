// What a cache does when memory is short: it evicts, gives whole pages back, and is never in the way of others.
import { createCache, type Cache } from '@memlayer/cache'
import { createMemory, OutOfMemoryError, type Memory, type Region } from '@memlayer/core'
import { createOS as createJS } from '@memlayer/os-js'
import { createOS as createLinux } from '@memlayer/os-linux'
import { random } from '@memlayer/witness'
import { setTimeout } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'

const MiB = 2 ** 20
const onLinux = process.platform === 'linux'
const { below } = random(11)
// One buffer for all values, because garbage would change what the process uses.
const scratch = new Uint8Array(600)

/** Sets keys of 100 to 600 bytes. The value says which key it is of. Returns how many were refused. */
function fill(cache: Cache, from: number, end: number): number {
  let refused = 0
  for (let i = from; i < end; i++) {
    const value = scratch.fill(i).subarray(0, 100 + below(500))
    if (!cache.set(`key ${i}`, value)) refused += 1
  }
  return refused
}

/** Every value must be that of its key. Returns how many there are. */
function check(cache: Cache): number {
  let count = 0
  for (const [key, value] of cache) {
    const i = Number(String(key).slice(4)) % 256
    expect([value.at(0), value.at(-1), value.at(50)]).toEqual([i, i, i])
    count += 1
  }
  expect(count).toBe(cache.size)
  const { bytes, used, waste } = cache.stats()
  expect(used - waste).toBe(bytes)
  cache.memory.check()
  return count
}

/**
 * Commits. On a busy machine a round can end after its first reclaimer, the heap's, which has nothing to give. The next
 * round begins with the cache's, but not before twenty times as long has passed as the last one took.
 */
async function commit(region: Region, at: number, bytes: number): Promise<void> {
  for (let i = 0; i < 200; i++) {
    try {
      region.commit(at, bytes)
      return
    } catch (error) {
      if (!(error instanceof OutOfMemoryError)) throw error
      await setTimeout(50)
    }
  }
  throw new Error('the cache gave no way in 10 seconds')
}

const rows: readonly { readonly name: string; readonly make: () => Memory }[] = [
  { name: 'a WebAssembly memory', make: () => createMemory(createJS()) },
  { name: 'the real kernel', make: () => createMemory(createLinux()) },
]

describe.skipIf(!onLinux).each(rows)('under a limit of the layer, on $name, a cache', ({ make }) => {
  it('stores within the limit, by evicting', () => {
    const memory = make()
    memory.limit = { bytes: 8 * MiB }
    using cache = createCache(memory, { maximum: 64 * MiB })
    expect(fill(cache, 0, 60_000)).toBe(0)
    expect(memory.stats().total.ready).toBeLessThanOrEqual(8 * MiB)
    expect(cache.bytes).toBeGreaterThan(5 * MiB)
    expect(cache.stats().evictions).toBeGreaterThan(30_000)
    expect(check(cache)).toBeGreaterThan(10_000)
  })

  it('makes one piece of what is free for a large value, and keeps most of the small ones', () => {
    const memory = make()
    memory.limit = { bytes: 16 * MiB }
    using cache = createCache(memory, { maximum: 64 * MiB })
    fill(cache, 0, 60_000)
    const before = cache.size
    const large = new Uint8Array(MiB).fill(3)
    expect(cache.set('large', large)).toBe(true)
    expect(cache.get('large')).toEqual(large)
    expect(cache.size).toBeGreaterThan(before / 2)
    expect(cache.delete('large')).toBe(true)
    check(cache)
    expect(memory.stats().total.ready).toBeLessThanOrEqual(16 * MiB)
  })

  it('gives way to other memory, and takes its place back after it', async () => {
    const memory = make()
    memory.limit = { bytes: 16 * MiB }
    using cache = createCache(memory, { maximum: 64 * MiB })
    fill(cache, 0, 60_000)
    const before = cache.bytes
    using other = memory.reserve(8 * MiB, { name: 'other' })
    for (let at = 0; at < other.size; at += MiB) await commit(other, at, MiB)
    expect(cache.bytes).toBeLessThan(before - 6 * MiB)
    expect(cache.bytes).toBeGreaterThan(2 * MiB)
    check(cache)
    other.free()
    expect(fill(cache, 60_000, 120_000)).toBe(0)
    expect(cache.bytes).toBeGreaterThan(0.9 * before)
    check(cache)
  })
})

describe.skipIf(!onLinux)('under a limit of the process', () => {
  it('a cache gives resident memory back, so that others have room', async () => {
    const memory = createMemory(createLinux())
    using cache = createCache(memory, { maximum: 48 * MiB })
    fill(cache, 0, 200_000)
    memory.limit = { bytes: 2 ** 40, of: 'process' }
    const used = memory.limit?.used ?? NaN
    memory.limit = { bytes: used + 4 * MiB, of: 'process' }
    using other = memory.reserve(16 * MiB, { name: 'other' })
    for (let at = 0; at < other.size; at += MiB) {
      await commit(other, at, MiB)
      other.view(Uint8Array, at, MiB).fill(1)
    }
    expect(cache.stats().evictions).toBeGreaterThan(0)
    expect(cache.bytes).toBeLessThan(40 * MiB)
    expect(cache.bytes).toBeGreaterThan(16 * MiB)
    check(cache)
  })
})
