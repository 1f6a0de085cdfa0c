// A cache call by call: what each returns, keys and values of every kind, time, iteration, codecs, and wrong calls.
import { createCache, type Cache, type CacheOptions } from '@memlayer/cache'
import { createMemory, UsageError } from '@memlayer/core'
import { createOS } from '@memlayer/os-js'
import { getHeapStatistics } from 'node:v8'
import { describe, expect, it } from 'vitest'

const MiB = 2 ** 20
const bytesOf = (...bytes: number[]): Uint8Array => Uint8Array.from(bytes)

function made<V = Uint8Array>(options: Partial<CacheOptions<V>> = {}): Cache<V> {
  return createCache<V>(createMemory(createOS()), { maximum: MiB, ...options })
}

function codeOf(run: () => unknown): unknown {
  try {
    return run()
  } catch (error) {
    return error instanceof UsageError ? error.code : error
  }
}

describe('a cache', () => {
  it('returns copies, so that neither side sees what the other one writes', () => {
    const cache = made()
    const given = bytesOf(1, 2, 3)
    expect(cache.set('a', given)).toBe(true)
    given[0] = 9
    const copy = cache.get('a')
    expect(copy).toEqual(bytesOf(1, 2, 3))
    copy?.fill(0)
    expect(cache.get('a')).toEqual(bytesOf(1, 2, 3))
    expect([cache.get('b'), cache.peek('b'), cache.has('b'), cache.delete('b')]).toEqual([
      undefined,
      undefined,
      false,
      false,
    ])
  })

  it('lets no copy be transferred that shares its buffer with others', () => {
    const cache = made()
    for (const [key, length] of [
      ['a', 100],
      ['b', 100],
      ['large', 3000],
    ] as const)
      cache.set(key, new Uint8Array(length).fill(length))
    const [a, b, large] = ['a', 'b', 'large'].map((key) => cache.get(key)) as [Uint8Array, Uint8Array, Uint8Array]
    expect(a.buffer).toBe(b.buffer)
    expect(() => structuredClone(a, { transfer: [a.buffer as ArrayBuffer] })).toThrow(/could not be cloned|transfer/i)
    expect(structuredClone(large, { transfer: [large.buffer as ArrayBuffer] })).toHaveLength(3000)
    expect([b, cache.get('a'), cache.get('large')?.length]).toEqual([b.slice(), new Uint8Array(100).fill(100), 3000])
  })

  it('leaves no garbage when it reads in place, whether there is a value or not', () => {
    const cache = made()
    const names = Array.from({ length: 1000 }, (_, i) => `key ${i}`)
    for (const name of names) if (name.length < 7) cache.set(name, bytesOf(1, 2))
    const first = (bytes: Uint8Array, start: number): number => bytes[start] as number
    let sum = 0
    const grown = (): number => {
      const before = getHeapStatistics().used_heap_size
      for (let round = 0; round < 100; round++) for (const name of names) sum += cache.read(name, first) ?? 0
      return getHeapStatistics().used_heap_size - before
    }
    const seen = Array.from({ length: 20 }, grown)
    expect(sum).toBe(20 * 100 * 100)
    // An object for each would be 1.6 MB.
    expect(Math.min(...seen.map(Math.abs))).toBeLessThan(200_000)
  })

  it('replaces a value by one of any length', () => {
    const cache = made()
    for (const length of [10, 9, 11, 0, 5000, 1, 70_000, 69_999]) {
      cache.set('a', new Uint8Array(length).fill(length))
      expect(cache.get('a')).toEqual(new Uint8Array(length).fill(length))
      expect(cache.size).toBe(1)
    }
    expect(cache.stats()).toMatchObject({ entries: 1, sets: 8, evictions: 0, refusals: 0 })
  })

  it('keeps keys apart by kind and by every code unit, and hands them back', () => {
    const cache = made()
    const texts = ['', 'a', 'á', 'a\0', '\0', '가', '\uD800', '\uDC00', '😀', 'x'.repeat(3000)]
    const keys = [...texts, bytesOf(), bytesOf(97)]
    for (const [i, key] of keys.entries()) cache.set(key, bytesOf(i))
    for (const [i, key] of keys.entries()) expect(cache.get(key)).toEqual(bytesOf(i))
    expect(cache.size).toBe(keys.length)
    const found = [...cache.keys()]
    expect(found).toHaveLength(keys.length)
    for (const key of keys) expect(found).toContainEqual(key)
  })

  it('takes a Buffer as key and as value, and a part of a larger array', () => {
    const cache = made()
    cache.set(Buffer.from('key'), new Uint8Array(100).fill(7).subarray(10, 13))
    expect(cache.get(new Uint8Array(Buffer.from('key')))).toEqual(bytesOf(7, 7, 7))
  })

  it('counts hits and misses of get and read, and no peek and has', () => {
    const cache = made()
    cache.set('a', bytesOf(1))
    void cache.get('a')
    void cache.read('a', () => 0)
    void cache.get('b')
    void cache.read('b', () => 0)
    void cache.peek('a')
    void cache.has('b')
    expect(cache.stats()).toMatchObject({ hits: 2, misses: 2, hitRate: 0.5 })
  })

  it('stores no value that is larger than it, and the old one is gone', () => {
    const cache = made()
    cache.set('a', bytesOf(1))
    expect(cache.set('a', new Uint8Array(MiB))).toBe(false)
    expect([cache.has('a'), cache.size, cache.bytes, cache.stats().refusals]).toEqual([false, 0, 0, 1])
  })

  it('evicts nothing for a value that has no room once its size is rounded up', () => {
    const cache = made({ maximum: 100_000 })
    for (let i = 0; i < 100; i++) cache.set(`key ${i}`, bytesOf(i))
    expect(cache.set('a', new Uint8Array(99_900))).toBe(false)
    expect(cache.size).toBe(100)
  })

  it('stays within its bytes, whatever is stored', () => {
    const cache = made()
    for (let i = 0; i < 20_000; i++) {
      cache.set(`key ${i}`, new Uint8Array(i % 1000))
      expect(cache.bytes).toBeLessThanOrEqual(MiB)
    }
    expect(cache.bytes).toBeGreaterThan(0.98 * MiB)
    expect(cache.stats().evictions).toBe(20_000 - cache.size)
  })

  it('is empty after clear, and serves again', () => {
    const cache = made()
    for (let i = 0; i < 5000; i++) cache.set(`key ${i}`, bytesOf(i))
    cache.clear()
    expect([cache.size, cache.bytes, cache.get('key 1'), [...cache.keys()]]).toEqual([0, 0, undefined, []])
    cache.set('a', bytesOf(1))
    expect(cache.get('a')).toEqual(bytesOf(1))
  })
})

describe('time', () => {
  const timed = (ttl?: number): { cache: Cache; to: (time: number) => void } => {
    let now = 1000
    const cache = made({ now: () => now, ttl })
    return { cache, to: (time) => void (now = 1000 + time) }
  }

  it('takes a value out when its ttl is over', () => {
    const { cache, to } = timed(50)
    cache.set('a', bytesOf(1))
    cache.set('b', bytesOf(2), { ttl: 100 })
    cache.set('c', bytesOf(3), { ttl: 0 })
    to(49)
    expect([cache.has('a'), cache.getRemainingTTL('a'), cache.getRemainingTTL('b')]).toEqual([true, 1, 51])
    to(50)
    expect([cache.get('a'), cache.has('b'), cache.getRemainingTTL('a')]).toEqual([undefined, true, 0])
    to(1e9)
    expect([cache.has('b'), cache.has('c'), cache.getRemainingTTL('c')]).toEqual([false, true, Infinity])
    expect([cache.size, cache.stats().expirations]).toEqual([1, 2])
  })

  it('starts again when a key is set again, with a time or without', () => {
    const { cache, to } = timed()
    cache.set('a', bytesOf(1), { ttl: 10 })
    to(9)
    cache.set('a', bytesOf(2), { ttl: 10 })
    to(18)
    expect(cache.get('a')).toEqual(bytesOf(2))
    cache.set('a', bytesOf(3))
    to(1e6)
    expect(cache.get('a')).toEqual(bytesOf(3))
  })

  it('purges what is over, and nothing else', () => {
    const { cache, to } = timed()
    for (let i = 0; i < 1000; i++) cache.set(`key ${i}`, bytesOf(i), { ttl: 1 + i })
    to(500)
    expect(cache.size).toBe(1000)
    expect([cache.purgeStale(), cache.size, cache.purgeStale()]).toEqual([true, 500, false])
    expect([...cache.keys()]).toHaveLength(500)
  })
})

describe('iteration', () => {
  it('meets each entry that stays once, while others come and go', () => {
    const cache = made({ maximum: 8 * MiB })
    for (let i = 0; i < 3000; i++) cache.set(`stays ${i}`, bytesOf(i))
    for (let i = 0; i < 3000; i++) cache.set(`goes ${i}`, bytesOf(i))
    const met = new Map<unknown, number>()
    let i = 0
    for (const key of cache.keys()) {
      met.set(key, (met.get(key) ?? 0) + 1)
      cache.delete(`goes ${i}`)
      for (let k = 0; k < 3; k++) cache.set(`comes ${i++}`, bytesOf(1))
    }
    for (let k = 0; k < 3000; k++) expect(met.get(`stays ${k}`)).toBe(1)
    for (const times of met.values()) expect(times).toBe(1)
  })

  it('gives keys with values, in each form the same', () => {
    const cache = made()
    for (let i = 0; i < 100; i++) cache.set(`key ${i}`, bytesOf(i))
    const entries = [...cache]
    expect([...cache.entries()]).toEqual(entries)
    expect([...cache.values()]).toEqual(entries.map(([, value]) => value))
    for (const [key, value] of entries) expect(key).toBe(`key ${value[0]}`)
  })
})

describe('read', () => {
  it('hands over the bytes where they lie, and returns what the callback does', () => {
    const cache = made()
    cache.set('a', bytesOf(1, 2, 3))
    expect(cache.read('a', (bytes, start, end) => [end - start, bytes[start], bytes[end - 1]])).toEqual([3, 1, 3])
    expect(cache.read('b', () => 1)).toBe(undefined)
  })

  it('lets nothing change the cache meanwhile, and everything read it', () => {
    let now = 0
    const cache = made({ now: () => now })
    cache.set('a', bytesOf(1))
    cache.set('b', bytesOf(2), { ttl: 10 })
    cache.read('a', () => {
      const changes = [
        () => cache.set('a', bytesOf(2)),
        () => cache.delete('a'),
        () => void cache.clear(),
        () => cache.purgeStale(),
        () => void cache.dispose(),
      ]
      for (const change of changes) expect(codeOf(change)).toBe('ERR_MEMLAYER_STATE')
      expect(cache.get('a')).toEqual(bytesOf(1))
      now = 10
      expect([cache.get('b'), cache.size]).toEqual([undefined, 2])
    })
    expect([cache.get('b'), cache.size, cache.delete('a')]).toEqual([undefined, 1, true])
  })

  it('lets the cache change again when the callback has thrown', () => {
    const cache = made()
    cache.set('a', bytesOf(1))
    expect(() =>
      cache.read('a', () => {
        throw new RangeError('mine')
      }),
    ).toThrow('mine')
    expect(cache.set('a', bytesOf(2))).toBe(true)
  })
})

describe('codecs', () => {
  it('stores what JSON has a text for, and refuses what it has none for', () => {
    const cache = made<unknown>({ codec: 'json' })
    cache.set('a', { b: [1, 'ü', null] })
    expect(cache.get('a')).toEqual({ b: [1, 'ü', null] })
    expect(codeOf(() => cache.set('a', undefined))).toBe('ERR_MEMLAYER_OPTION')
    expect(cache.has('a')).toBe(true)
  })

  it('stores structured clones, and hands out none of its own bytes', () => {
    const cache = made<unknown>({ codec: 'v8' })
    const value = { at: new Date(5), ids: new Map([[1, new Set([2n])]]), bytes: bytesOf(1, 2, 3) }
    cache.set('a', value)
    const found = cache.get('a') as typeof value
    expect(found).toEqual(value)
    found.bytes.fill(9)
    expect(cache.get('a')).toEqual(value)
  })

  it('calls the codec of a user, with a copy or in place', () => {
    const seen: Uint8Array[] = []
    const codec = {
      encode: (value: number) => bytesOf(value),
      decode: (bytes: Uint8Array) => {
        seen.push(bytes)
        return bytes[0] as number
      },
    }
    for (const inPlace of [false, true]) {
      const cache = made<number>({ codec: { ...codec, inPlace } })
      cache.set('a', 5)
      expect(cache.get('a')).toBe(5)
      expect(cache.peek('a')).toBe(5)
      expect([...cache.values()]).toEqual([5])
    }
    expect(seen.map((bytes) => bytes.buffer.byteLength > MiB / 2)).toEqual([false, false, false, true, true, true])
  })

  it('keeps what a codec does to the cache while it encodes', () => {
    const cache: Cache<string> = made<string>({
      codec: {
        encode: (text) => {
          if (text === 'outer') cache.set('a', 'inner')
          return new TextEncoder().encode(text)
        },
        decode: (bytes) => new TextDecoder().decode(bytes),
      },
    })
    cache.set('b', 'outer')
    expect([cache.get('a'), cache.get('b'), cache.size]).toEqual(['inner', 'outer', 2])
  })
})

describe('a wrong call', () => {
  it.each([
    [undefined, 'ERR_MEMLAYER_OPTION'],
    [{}, 'ERR_MEMLAYER_SIZE'],
    [{ maximum: 1023 }, 'ERR_MEMLAYER_SIZE'],
    [{ maximum: 1e5 + 0.5 }, 'ERR_MEMLAYER_SIZE'],
    [{ maximum: 2 ** 40 }, 'ERR_MEMLAYER_SIZE'],
    [{ maximum: '1e5' }, 'ERR_MEMLAYER_SIZE'],
    [{ max: 5 }, 'ERR_MEMLAYER_OPTION'],
    [{ maximum: MiB, name: '' }, 'ERR_MEMLAYER_OPTION'],
    [{ maximum: MiB, ttl: -1 }, 'ERR_MEMLAYER_OPTION'],
    [{ maximum: MiB, ttl: NaN }, 'ERR_MEMLAYER_OPTION'],
    [{ maximum: MiB, codec: 'xml' }, 'ERR_MEMLAYER_OPTION'],
    [{ maximum: MiB, codec: { encode: () => bytesOf() } }, 'ERR_MEMLAYER_OPTION'],
    [{ maximum: MiB, now: 5 }, 'ERR_MEMLAYER_OPTION'],
  ])('createCache(memory, %j) is a UsageError, and holds nothing', (options, code) => {
    const memory = createMemory(createOS())
    expect(codeOf(() => createCache(memory, options as unknown as CacheOptions))).toBe(code)
    expect(memory.stats().total.held).toBe(0)
  })

  it.each([undefined, null, 5, {}, new Uint16Array(2), new ArrayBuffer(2)])('the key %s is refused by each', (key) => {
    const cache = made()
    const wrong = key as string
    for (const run of [
      () => cache.get(wrong),
      () => cache.peek(wrong),
      () => cache.has(wrong),
      () => cache.delete(wrong),
      () => cache.set(wrong, bytesOf()),
      () => cache.read(wrong, () => 0),
      () => cache.getRemainingTTL(wrong),
    ])
      expect(codeOf(run)).toBe('ERR_MEMLAYER_OPTION')
    expect(cache.stats()).toMatchObject({ hits: 0, misses: 0, sets: 0, refusals: 0 })
  })

  it('with a value, a ttl or a callback that is none changes nothing', () => {
    const cache = made()
    cache.set('a', bytesOf(1))
    for (const value of [undefined, null, 'text', [1], new Float64Array(1)])
      expect(codeOf(() => cache.set('a', value as unknown as Uint8Array))).toBe('ERR_MEMLAYER_OPTION')
    for (const options of [5, { ttl: -1 }, { ttl: '5' }, { maxAge: 5 }])
      expect(codeOf(() => cache.set('a', bytesOf(2), options as object))).toBe('ERR_MEMLAYER_OPTION')
    expect(codeOf(() => cache.read('a', undefined as unknown as () => void))).toBe('ERR_MEMLAYER_OPTION')
    expect(cache.get('a')).toEqual(bytesOf(1))
  })

  it('with a key of more than 16 MiB is refused by its size', () => {
    const cache = made()
    expect(codeOf(() => cache.get('x'.repeat(2 ** 24)))).toBe('ERR_MEMLAYER_SIZE')
    expect(codeOf(() => cache.has(new Uint8Array(2 ** 24)))).toBe('ERR_MEMLAYER_SIZE')
    expect(cache.has('x'.repeat(2 ** 24 - 1))).toBe(false)
  })

  it('after dispose says so, and a second dispose does nothing', () => {
    const cache = made()
    cache.set('a', bytesOf(1))
    cache[Symbol.dispose]()
    cache.dispose()
    for (const run of [
      () => cache.get('a'),
      () => cache.set('a', bytesOf(1)),
      () => cache.has('a'),
      () => void cache.clear(),
      () => [...cache.keys()],
      () => cache.stats(),
    ])
      expect(codeOf(run)).toBe('ERR_MEMLAYER_DISPOSED')
    expect([cache.memory.stats().total.held, String(cache)]).toEqual([0, "Cache 'cache': disposed"])
  })
})
