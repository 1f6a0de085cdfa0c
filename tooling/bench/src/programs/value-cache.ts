// A cache of small values, read by Zipf, and set where there is none. Prints what operations cost in processor time of
// the thread, the longest stretch of 64 of them, the slowest get in a thousand, the hit rates, and resident memory full
// and after clear().
// The first argument is the way: memlayer, read (memlayer without copies), lru-cache, map (of Buffers) or sqlite (in
// memory). In the last two, the oldest goes first. The second argument is the number of values, the third the number
// of operations.
import { createCache } from '@memlayer/cache'
import { LRUCache } from 'lru-cache'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout } from 'node:timers/promises'
import { openMemory } from '../layer.js'

const [way = '', valueCount = '0', operationCount = '0'] = process.argv.slice(2)
const values = Number(valueCount)
const operations = Number(operationCount)
/** Keys that are asked for: twice as many as there is room. */
const keys = 2 * values
/** Operations between two looks at the clock. */
const stretch = 64
/** Bytes of a value, and of its key, in the middle. */
const meanBytes = 250 + 10

/** What a way does. `get` returns whether there is a value. */
interface Way {
  get(key: string): boolean
  set(key: string, value: Uint8Array): void
  clear(): void
}

function ours(isInPlace: boolean): Way {
  // The header of an entry and the rounding of its size are bytes that lru-cache does not count.
  const cache = createCache(openMemory(), { maximum: values * (meanBytes + 40) })
  return {
    get: isInPlace
      ? (key) => cache.read(key, (bytes, start) => bytes[start] === 7) === true
      : (key) => cache.get(key)?.[0] === 7,
    set: (key, value) => void cache.set(key, value),
    clear: () => void cache.clear(),
  }
}

function lruCache(): Way {
  const cache = new LRUCache<string, Buffer>({
    maxSize: values * meanBytes,
    sizeCalculation: (value, key) => value.length + key.length,
  })
  return {
    get: (key) => cache.get(key)?.[0] === 7,
    set: (key, value) => void cache.set(key, Buffer.from(value)),
    clear: () => void cache.clear(),
  }
}

function mapOfBuffers(): Way {
  const map = new Map<string, Buffer>()
  return {
    get: (key) => map.get(key)?.[0] === 7,
    set(key, value) {
      map.set(key, Buffer.from(value))
      if (map.size > values) map.delete(map.keys().next().value ?? '')
    },
    clear: () => void map.clear(),
  }
}

function sqlite(): Way {
  const database = new DatabaseSync(':memory:')
  const table = 'create table if not exists cache (id integer primary key, key text unique, value blob)'
  database.exec(table)
  const get = database.prepare('select value from cache where key = ?')
  const set = database.prepare(
    'insert into cache (key, value) values (?, ?) on conflict (key) do update set value = excluded.value',
  )
  const drop = database.prepare('delete from cache where id = (select min(id) from cache)')
  let [size, last] = [0, 0]
  return {
    get: (key) => (get.get(key)?.['value'] as Uint8Array | undefined)?.[0] === 7,
    set(key, value) {
      const row = Number(set.run(key, value).lastInsertRowid)
      // An update makes no row. To count the rows would look at all of them.
      if (row <= last) return
      last = row
      if (size < values) size += 1
      else drop.run()
    },
    clear() {
      database.exec('drop table cache; vacuum; pragma shrink_memory')
      database.exec(table)
      ;[size, last] = [0, 0]
    },
  }
}

const ways: Readonly<Record<string, () => Way>> = {
  memlayer: () => ours(false),
  read: () => ours(true),
  'lru-cache': lruCache,
  map: mapOfBuffers,
  sqlite,
}

// xorshift32, so that every way does the same.
let state = 0x2545f491
function random(): number {
  state ^= state << 13
  state ^= state >>> 17
  state ^= state << 5
  return (state >>> 0) / 2 ** 32
}

/**
 * Keys by Zipf with skew 1. A prime spreads the ranks over the keys. With `scans` a fifth of the requests are scans.
 * Each scan has as many new keys as there is room for a tenth.
 */
function trace(scans: boolean): Int32Array {
  const sums = new Float64Array(keys)
  let sum = 0
  for (let rank = 0; rank < keys; rank++) sums[rank] = sum += 1 / (rank + 1)
  const run = Math.max(1, Math.floor(values / 10))
  let scanned = keys
  return Int32Array.from({ length: operations }, (_, i) => {
    if (scans && Math.floor(i / run) % 5 === 4) return (scanned += 1)
    const drawn = random() * sum
    let [low, high] = [0, keys - 1]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((sums[middle] as number) < drawn) low = middle + 1
      else high = middle
    }
    return (low * 999_983) % keys
  })
}

const payload: Uint8Array = new Uint8Array(400).fill(7)
const valueOf = (key: number): Uint8Array => payload.subarray(0, 100 + ((Math.imul(key, 0x9e3779b1) >>> 8) % 301))
const nameOf = (key: number): string => `key:${key}`

/** Nanoseconds of this thread. */
function threadTime(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) * 1000
}

/** Nanoseconds of an operation, and of the longest stretch. */
function timed(count: number, work: (i: number) => void): { each: number; worst: number } {
  const stretches = new Float64Array(Math.floor(count / stretch))
  let last = threadTime()
  for (let at = 0; at < stretches.length; at++) {
    for (let i = at * stretch; i < (at + 1) * stretch; i++) work(i)
    const now = threadTime()
    stretches[at] = now - last
    last = now
  }
  // The mean, because a collection is a part of what an operation costs. A kernel that counts in ticks tells 0 of a
  // quick run, and a ratio needs more.
  const sum = stretches.reduce((all, one) => all + one, 1)
  return { each: sum / (stretches.length * stretch), worst: stretches.reduce((most, one) => Math.max(most, one), 1) }
}

/** Nanoseconds of the slowest of a thousand gets. */
function slowest(count: number, work: (i: number) => void): number {
  const times = new Float64Array(count)
  for (let i = 0; i < count; i++) {
    const start = process.hrtime.bigint()
    work(i)
    times[i] = Number(process.hrtime.bigint() - start)
  }
  return times.sort()[Math.floor((count * 999) / 1000)] as number
}

function resident(): number {
  globalThis.gc?.()
  globalThis.gc?.()
  return process.memoryUsage.rss()
}

/** Percent of requests whose value is there. A value that is not is set. */
function hitRate(cache: Way, requests: Int32Array): number {
  let hits = 0
  for (const key of requests) {
    if (cache.get(nameOf(key))) hits += 1
    else cache.set(nameOf(key), valueOf(key))
  }
  return (100 * hits) / requests.length
}

async function main(): Promise<void> {
  const requests = trace(false)
  const scanning = trace(true)
  const before = resident()
  const cache = (ways[way] as () => Way)()
  const fill = timed(values, (key) => void cache.set(nameOf(key), valueOf(key)))
  let hits = 0
  const mixed = timed(operations, (i) => {
    const key = requests[i] as number
    if (cache.get(nameOf(key))) hits += 1
    else cache.set(nameOf(key), valueOf(key))
  })
  const gets = timed(operations, (i) => void cache.get(nameOf(requests[i] as number)))
  const sets = timed(operations, (i) => {
    const key = requests[i] as number
    cache.set(nameOf(key), valueOf(key))
  })
  const tail = slowest(Math.min(operations, 200_000), (i) => void cache.get(nameOf(requests[i] as number)))
  const full = Math.max(1, resident() - before)
  cache.clear()
  await setTimeout(500)
  const cleared = Math.max(1, resident() - before)
  const worst = Math.max(fill.worst, mixed.worst, gets.worst, sets.worst)
  const scanHitRate = hitRate(cache, scanning)
  const rates = { hitRate: (100 * hits) / operations, scanHitRate }
  console.log(JSON.stringify({ get: gets.each, set: sets.each, ...rates, tail, full, cleared, worst }))
}

main().catch((error: unknown) => {
  console.error(error)
  process.exitCode = 1
})
