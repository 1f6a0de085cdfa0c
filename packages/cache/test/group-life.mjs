// A cache that may have 1 GiB in a control group that has less. 2 GiB of values are stored, those that are asked for by
// Zipf and are not there. It prints what it did.
import { createCache } from '@memlayer/cache'
import { createMemory } from '@memlayer/core'
import { createOS } from '@memlayer/os-linux'

const MiB = 2 ** 20
const keys = 600_000
const memory = createMemory(createOS())
memory.limit = { bytes: 'auto', of: 'process' }
const cache = createCache(memory, { maximum: 1024 * MiB })

const sums = new Float64Array(keys)
let sum = 0
for (let rank = 0; rank < keys; rank++) sums[rank] = sum += 1 / (rank + 1) ** 0.8
// xorshift32
let state = 0x2545f491
function draw() {
  state ^= state << 13
  state ^= state >>> 17
  state ^= state << 5
  const drawn = ((state >>> 0) / 2 ** 32) * sum
  let [low, high] = [0, keys - 1]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (sums[middle] < drawn) low = middle + 1
    else high = middle
  }
  return low
}

const scratch = new Uint8Array(4096)
const sizeOf = (key) => 1000 + (key % 3000)
let [stored, wrong, peak] = [0, 0, 0]
for (let i = 0; stored < 2048 * MiB; i++) {
  const key = draw()
  const isRight = cache.read(`key ${key}`, (bytes, start, end) => {
    return end - start === sizeOf(key) && bytes[start] === key % 251 && bytes[end - 1] === key % 251
  })
  if (isRight === false) wrong += 1
  if (isRight !== undefined) continue
  const value = scratch.fill(key % 251).subarray(0, sizeOf(key))
  if (cache.set(`key ${key}`, value)) stored += value.length
  if (i % 1000 === 0) peak = Math.max(peak, process.memoryUsage.rss())
}
memory.check()
const { hitRate, bytes, entries, evictions, refusals, sets, waste } = cache.stats()
const { limit } = memory
console.log(JSON.stringify({ wrong, hitRate, bytes, entries, evictions, refusals, sets, waste, peak, limit }))
