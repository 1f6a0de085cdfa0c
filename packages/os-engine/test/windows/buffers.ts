// Buffers that exist, as regions and by advice alone, and the engine's memory between threads, on kernel32. Runs in
// Node for Windows.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { Worker } from 'node:worker_threads'
import { createMemory, type Adoptable } from '@memlayer/core'
import { adopt, createOS, discardPages } from '@memlayer/os-engine'
import { kinds, Memory, size, wasmPages } from '../made-buffers.ts'

const MiB = 2 ** 20
const PAGE = 4096

const bytesOf = (made: Adoptable): Uint8Array => new Uint8Array('buffer' in made ? made.buffer : made)

describe('memory.adopt', () => {
  for (const [kind, make] of Object.entries(kinds)) {
    it(`makes of ${kind} a region whose pages go back and read zero, and leaves the others as they are`, () => {
      const memory = createMemory(createOS())
      const made = make()
      bytesOf(made).fill(7)
      const region = memory.adopt(made, { name: kind })
      assert.ok(region.size >= size - PAGE && region.size <= size)
      assert.equal(memory.stats().total.ready, region.size)
      region.unused(0, MiB)
      assert.equal(memory.residency(region.address, MiB)?.resident, 0)
      assert.equal(memory.stats().total.prepared, MiB)
      const end = region.byteOffset + MiB
      assert.deepEqual([bytesOf(made)[region.byteOffset], bytesOf(made)[end - 1], bytesOf(made)[end]], [0, 0, 7])
      region.commit(0, MiB)
      region.view(Uint8Array, 0, MiB).fill(5)
      region.zero(MiB, PAGE)
      assert.deepEqual([bytesOf(made)[end - 1], bytesOf(made)[end], bytesOf(made)[end + PAGE]], [5, 0, 7])
      region.release()
      assert.equal(memory.stats().total.held, 0)
      assert.deepEqual([bytesOf(made)[end - 1], bytesOf(made)[size - 1]], [5, 7])
    })
  }

  it('sees that a buffer was transferred, and touches no page of it', () => {
    const memory = createMemory(createOS())
    const buffer = new ArrayBuffer(size)
    const region = memory.adopt(buffer)
    const moved = buffer.transfer()
    new Uint8Array(moved).fill(7)
    assert.throws(() => region.unused(0, MiB), { code: 'ERR_MEMLAYER_DISPOSED' })
    assert.ok(new Uint8Array(moved).every((byte) => byte === 7))
    assert.equal(memory.stats().total.held, 0)
  })

  it('keeps the pages of a WebAssembly memory that grows', () => {
    const memory = createMemory(createOS())
    const wasm = new Memory({ initial: wasmPages, maximum: 2 * wasmPages })
    const region = memory.adopt(wasm)
    region.view(Uint8Array).fill(7)
    wasm.grow(wasmPages)
    region.unused(0, MiB)
    const now = new Uint8Array(wasm.buffer)
    assert.deepEqual([now.length, now[0], now[MiB], now[size]], [2 * size, 0, 7, 0])
    region.release()
  })
})

describe('adopt', () => {
  for (const [kind, make] of Object.entries(kinds)) {
    it(`gives whole pages of ${kind} back, and zeroes what is beside them only where it is asked to`, () => {
      const made = make()
      bytesOf(made).fill(7)
      const adopted = adopt(made, { name: kind })
      const given = adopted.unused(100, 2 * MiB)
      assert.ok(given > 2 * MiB - 2 * PAGE && given <= 2 * MiB && given % PAGE === 0)
      assert.ok(adopted.resident() <= size - given + PAGE)
      const bytes = bytesOf(made)
      assert.deepEqual([bytes[99], bytes[100 + PAGE], bytes[100 + 2 * MiB]], [7, 0, 7])
      adopted.zero(100, 2 * MiB + 5)
      assert.deepEqual([bytesOf(made)[99], bytesOf(made)[104 + 2 * MiB], bytesOf(made)[105 + 2 * MiB]], [7, 0, 7])
      assert.equal(adopted.populate(0, PAGE * 4), false)
      adopted.hugePage()
      adopted.release()
      assert.throws(() => adopted.unused(), { code: 'ERR_MEMLAYER_DISPOSED' })
    })
  }

  it('is what os-js discards pages with', () => {
    const wasm = new Memory({ initial: wasmPages, maximum: wasmPages })
    const bytes = new Uint8Array(wasm.buffer).fill(7)
    assert.equal(discardPages(wasm.buffer, 65536, MiB), true)
    assert.equal(adopt(wasm).resident(65536, MiB), 0)
    assert.deepEqual([bytes[65535], bytes[65536], bytes[65535 + MiB], bytes[65536 + MiB]], [7, 0, 0, 7])
  })
})

/** Starts a worker that runs this code. */
function begin(code: string): Worker {
  const text = code.replaceAll(/'(@memlayer\/[\w-]+)'/g, (_, name: string) => `'${import.meta.resolve(name)}'`)
  return new Worker(new URL(`data:text/javascript,${encodeURIComponent(text)}`))
}

describe('a worker', () => {
  it('reads a view that was posted to it while the owner frees, and the buffer grows in both threads', async () => {
    const memory = createMemory(createOS())
    const region = memory.reserve(64 * MiB)
    region.commit(0, MiB)
    const view = region.view(Uint8Array, 0, MiB).fill(7)
    const worker = begin(`
      import { parentPort } from 'node:worker_threads'
      parentPort.once('message', (view) => {
        parentPort.postMessage([view[0], view.buffer.byteLength])
        let sum = 0
        for (let i = 0; i < 50; i++) for (let at = 0; at < view.length; at += 4096) sum += view[at]
        parentPort.once('message', () => {
          parentPort.postMessage([view[0], view.length, view.buffer.byteLength])
          parentPort.close()
        })
      })
    `)
    worker.postMessage(view)
    const [before] = (await once(worker, 'message')) as [number[]]
    assert.deepEqual(before, [7, MiB])
    region.commit(MiB, MiB)
    region.free()
    worker.postMessage('free')
    const [after] = (await once(worker, 'message')) as [number[]]
    assert.deepEqual(after, [0, MiB, 2 * MiB])
    await worker.terminate()
  })

  it('attaches a share of a region by its token, and both have the same bytes', async () => {
    const memory = createMemory(createOS())
    const region = memory.reserve(64 * MiB)
    region.commit(0, 2 * MiB)
    region.view(Uint8Array, MiB, PAGE).fill(7)
    const worker = begin(`
      import { parentPort } from 'node:worker_threads'
      import { createMemory } from '@memlayer/core'
      import { createOS } from '@memlayer/os-engine'
      const memory = createMemory(createOS())
      parentPort.once('message', (token) => {
        const share = memory.attach(token)
        const view = share.view(Uint8Array)
        const read = view[0]
        view[1] = 9
        share.release()
        parentPort.postMessage(read)
      })
    `)
    worker.postMessage(region.share(worker, MiB, PAGE))
    const [read] = (await once(worker, 'message')) as [number]
    assert.equal(read, 7)
    assert.equal(region.view(Uint8Array, MiB, PAGE)[1], 9)
    await worker.terminate()
    region.free()
  })
})
