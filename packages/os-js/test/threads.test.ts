// Several threads, each with a layer of its own in one shared memory. The thread that grows the memory owns the new
// pages, also when the growths of others come in between.
import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { PAGE } from './history/shadow.js'

const THREADS = 3
const ROUNDS = 400

function live(wasm: WebAssembly.Memory, start: Int32Array, tag: number): Promise<[number, number][]> {
  const worker = new Worker(new URL('./second-layer.ts', import.meta.url), {
    workerData: { wasm, start, tag, rounds: ROUNDS },
  })
  return new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
  })
}

describe('os-js in several threads', () => {
  it('never hands one page to two layers that grow a shared memory at once', async () => {
    const wasm = new WebAssembly.Memory({ initial: 1, maximum: 65536, shared: true })
    const start = new Int32Array(new SharedArrayBuffer(8))
    start[1] = THREADS
    const held = await Promise.all(Array.from({ length: THREADS }, (_, i) => live(wasm, start, i + 1)))
    const bytes = new Uint8Array(wasm.buffer)
    held.forEach((ranges, i) => {
      expect(ranges.length).toBe(ROUNDS * 0.75)
      for (const [v, n] of ranges)
        expect(
          bytes.subarray(v, v + n).every((byte) => byte === i + 1),
          `thread ${i + 1} at ${v}`,
        ).toBe(true)
    })
    const pages = held.flat().flatMap(([v, n]) => Array.from({ length: n / PAGE }, (_, page) => v / PAGE + page))
    expect(new Set(pages).size).toBe(pages.length)
    expect(pages).not.toContain(0)
  })
})
