// What allocation leaves on the JavaScript heap: nothing.
import { runChild } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'

const program = `
import { createMemory } from '@memlayer/core'
import { createHeap } from '@memlayer/heap'
import { createOS } from '@memlayer/os-js'
import { PerformanceObserver } from 'node:perf_hooks'
import { setImmediate } from 'node:timers/promises'
import { getHeapStatistics } from 'node:v8'

const heap = createHeap(createMemory(createOS()), { maximum: 64 * 2 ** 20 })
const handles = new Int32Array(4096)
const sizes = new Int32Array(4096)
let word = 12345
const next = () => ((word ^= word << 13), (word ^= word >>> 17), (word ^= word << 5), word >>> 0)
for (let i = 0; i < 4096; i++) sizes[i] = 16 + (next() % 4081)
for (let i = 0; i < 4096; i++) handles[i] = heap.alloc(sizes[i])
function pairs(times) {
  for (let i = 0; i < times; i++) {
    const at = next() & 4095
    heap.free(handles[at])
    handles[at] = i % 16 === 0 ? heap.allocZeroed(sizes[next() & 4095]) : heap.alloc(sizes[next() & 4095])
    if (i % 64 === 0) handles[at] = heap.realloc(handles[at], sizes[next() & 4095])
    if (i % 1000 === 0) {
      const mark = heap.mark()
      for (let j = 0; j < 20; j++) heap.alloc(sizes[j])
      heap.release(mark)
    }
  }
}
pairs(3e6)
globalThis.gc()
await setImmediate()
let collections = 0
const observer = new PerformanceObserver((list) => (collections += list.getEntries().length))
observer.observe({ entryTypes: ['gc'] })
// The engine compiles in the background, and collects what it made for that. So some samples have its own objects.
const bytes = []
const rounds = []
for (let i = 0; i < 5; i++) {
  collections = 0
  for (let j = 0; j < 10; j++) {
    const before = getHeapStatistics().used_heap_size
    pairs(1e5)
    bytes.push(getHeapStatistics().used_heap_size - before)
  }
  await setImmediate()
  rounds.push(collections + observer.takeRecords().length)
}
const least = (samples) => samples.sort((a, b) => a - b)[samples.length >> 2]
console.log(JSON.stringify({ bytes: least(bytes), collections: least(rounds) }))
`

describe('a million pairs of alloc and free', () => {
  it('make no garbage and no collection', () => {
    const { code, stdout, stderr } = runChild(program, { from: import.meta.dirname, nodeArgs: ['--expose-gc'] })
    expect(stderr).toBe('')
    expect(code).toBe(0)
    const { bytes, collections } = JSON.parse(stdout) as { bytes: number; collections: number }
    expect(collections).toBe(0)
    // Reading the counter leaves an object, and another part of the engine some numbers: 0.2 bytes for each pair.
    expect(bytes).toBeLessThan(20_000)
  })
})
