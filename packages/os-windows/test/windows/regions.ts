// Regions, their views, a growable buffer and a worker, on kernel32. A view is empty when its pages are gone, where
// a raw one would end the process. Runs in Node for Windows.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { Worker } from 'node:worker_threads'
import { createMemory, GrowableBuffer } from '@memlayer/core'
import { createOS } from '@memlayer/os-windows'
import { bytesInState } from '@memlayer/witness'

const KiB = 2 ** 10
const MiB = 2 ** 20
const PAGE = 4096

describe('a view', () => {
  it('is empty when one of its pages is unused, which stays committed, and views beside it are not', () => {
    const memory = createMemory(createOS())
    const region = memory.reserve(64 * MiB, { name: 'views' })
    region.commit(0, MiB)
    const gone = region.view(Float64Array, 0, 1024)
    const part = gone.subarray(512)
    const beside = region.view(Uint8Array, 64 * KiB, PAGE)
    gone.fill(1.5)
    beside.fill(7)
    region.unused(PAGE, PAGE)
    assert.equal(bytesInState('COMMIT', region.address, MiB), MiB)
    assert.equal(memory.stats().lingering, PAGE)
    assert.equal(gone.length, 0)
    assert.equal(part.length, 0)
    assert.equal(gone[0], undefined)
    gone[0] = 9
    assert.ok(beside.every((byte) => byte === 7))

    region.used(PAGE, PAGE)
    assert.equal(memory.stats().lingering, undefined)
    const again = region.view(Float64Array, 0, 1024)
    assert.equal(again[0], 1.5)
    assert.ok(again.subarray(512).every((value) => value === 0))
    region.free()
    assert.equal(again.length + beside.length, 0)
    assert.equal(region.disposed, true)
    memory.check()
  })

  it('is refused over pages that are not committed', () => {
    const memory = createMemory(createOS())
    const region = memory.reserve(MiB)
    region.map(0, MiB)
    region.used(0, PAGE)
    assert.throws(() => region.view(Uint8Array, 0, PAGE + 1), { code: 'ERR_MEMLAYER_STATE' })
    region.free()
  })
})

describe('a region', () => {
  it('copies in and out without a view', () => {
    const memory = createMemory(createOS())
    const region = memory.reserve(MiB)
    region.commit(0, 2 * PAGE)
    const source = Uint8Array.from({ length: PAGE }, (_, i) => i % 251)
    region.write(PAGE / 2, source)
    const target = new Uint8Array(PAGE)
    region.read(PAGE / 2, target)
    assert.deepEqual(target, source)
    assert.deepEqual(region.view(Uint8Array, PAGE / 2, PAGE), source)
    region.free()
  })

  it('gives many ranges back, one VirtualFree each', () => {
    const memory = createMemory(createOS())
    const region = memory.reserve(MiB)
    region.commit(0, MiB)
    region.unusedAll([0, PAGE, 64 * KiB, 2 * PAGE, 256 * KiB, 3 * PAGE])
    assert.equal(bytesInState('RESERVE', region.address, MiB), 6 * PAGE)
    memory.check()
    region.free()
  })
})

describe('a growable buffer', () => {
  it('grows in place to 256 MiB, commits only what it needs, and gives its tail back but for 256 MiB', () => {
    const memory = createMemory(createOS())
    const buffer = new GrowableBuffer(memory, { maximum: 2 ** 30, name: 'grows' })
    const { address } = buffer
    buffer.resize(16)
    const first = buffer.view(Uint32Array, 0, 4)
    first[0] = 42
    for (let size = 4 * MiB; size <= 256 * MiB; size += 4 * MiB) {
      buffer.resize(size)
      buffer.view(Uint8Array, size - 8, 8)[0] = 1
    }
    first[1] = 43
    assert.equal(buffer.address, address)
    assert.deepEqual([...buffer.view(Uint32Array, 0, 2)], [42, 43])
    assert.equal(bytesInState('COMMIT', address, 2 ** 30), buffer.capacity)
    buffer.resize(MiB)
    assert.equal(bytesInState('COMMIT', address, 2 ** 30), buffer.capacity + (memory.stats().lingering ?? 0))
    assert.ok(buffer.capacity < 2 * MiB)
    buffer[Symbol.dispose]()
    // JavaScript has seen the addresses, so they are kept. Of what was committed, 256 MiB at most stay so.
    assert.ok(bytesInState('COMMIT', address, 2 ** 30) <= 256 * MiB)
    assert.equal(bytesInState('FREE', address, 2 ** 30), 0)
    assert.equal(memory.stats().lingering, undefined)
    assert.equal(memory.stats().retired, 2 ** 30)
  })
})

const worker = `
  import { once } from 'node:events'
  import { parentPort } from 'node:worker_threads'
  import { createMemory } from '@memlayer/core'
  import { createOS } from '@memlayer/os-windows'
  const [token] = await once(parentPort, 'message')
  const region = createMemory(createOS()).attach(token)
  parentPort.postMessage('holds it')
  await once(parentPort, 'message')
  const counts = region.view(Int32Array, 0, 16)
  for (let i = 0; i < 100_000; i++) Atomics.add(counts, 3, 1)
  region.release()
  parentPort.postMessage(counts.length)
`

describe('a worker', () => {
  it('counts in the same bytes, and the owner keeps them until the worker lets go', async (t) => {
    const memory = createMemory(createOS())
    const region = memory.reserve(MiB, { name: 'shared' })
    region.commit(0, MiB)
    const resolved = worker.replaceAll(/'(@memlayer\/[\w-]+)'/g, (_, name: string) => `'${import.meta.resolve(name)}'`)
    const thread = new Worker(new URL(`data:text/javascript,${encodeURIComponent(resolved)}`))
    t.after(() => thread.terminate())
    thread.postMessage(region.share(thread, 0, PAGE))
    assert.deepEqual(await once(thread, 'message'), ['holds it'])
    assert.throws(() => region.free(), { code: 'ERR_MEMLAYER_SHARED' })
    assert.throws(() => region.unused(0, PAGE), { code: 'ERR_MEMLAYER_SHARED' })

    const own = region.view(Int32Array, 0, 16)
    thread.postMessage('count')
    for (let i = 0; i < 100_000; i++) Atomics.add(own, 3, 1)
    // The length of the worker's view after the worker let go.
    assert.deepEqual(await once(thread, 'message'), [0])
    assert.equal(own[3], 200_000)
    region.free()
    assert.equal(own.length, 0)
  })
})
