// Accesses that come after the pages were given back: a call in flight, and what an engine keeps. Each scene is a
// process of its own, which has to live. The argument names it. Runs in Node for Windows.
import assert from 'node:assert/strict'
import { randomFill } from 'node:crypto'
import { once } from 'node:events'
import { writeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import v8 from 'node:v8'
import { Worker } from 'node:worker_threads'
import { createMemory, type Memory, type Region } from '@memlayer/core'
import { createOS } from '@memlayer/os-windows'
import { bytesInState } from '@memlayer/witness'

const MiB = 2 ** 20
const n = 64 * MiB
const memory = createMemory(createOS())

/** A region with `n` bytes that a call on another thread is filling. */
function inFlight(size = n): { region: Region; filled: Promise<void> } {
  const region = memory.reserve(size, { name: 'in flight' })
  region.commit(0, n)
  const view = region.view(Uint8Array, 0, n)
  const filled = new Promise<void>((done) => randomFill(view, () => done()))
  return { region, filled }
}

function expectZeroes(from: Memory, v: number, size: number): void {
  assert.ok(
    from.view(Uint8Array, v, size).every((byte) => byte === 0),
    'new memory holds what a late call wrote',
  )
}

const worker = `
  import { parentPort } from 'node:worker_threads'
  import { createMemory } from '@memlayer/core'
  import { createOS } from '@memlayer/os-windows'
  const memory = createMemory(createOS())
  let view
  parentPort.on('message', (message) => {
    if (message === 'read') return parentPort.postMessage(view.length === 0 ? 'nothing' : view[0])
    view = memory.attach(message).view(Uint8Array, 0, 4096)
    parentPort.postMessage('attached')
  })
`

async function sharer(): Promise<{ region: Region; thread: Worker }> {
  const region = memory.reserve(MiB, { name: 'shared' })
  region.commit(0, MiB)
  const code = worker.replaceAll(/'(@memlayer\/[\w-]+)'/g, (_, name: string) => `'${import.meta.resolve(name)}'`)
  const thread = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`))
  thread.postMessage(region.share(thread, 0, MiB))
  assert.deepEqual(await once(thread, 'message'), ['attached'])
  return { region, thread }
}

const scenes: Record<string, () => Promise<void>> = {
  async 'a call in flight, free, and the same size anew'() {
    const { region, filled } = inFlight()
    region.free()
    const anew = memory.sysAlloc(n, null)
    await filled
    expectZeroes(memory, anew, n)
  },
  async 'a call in flight, and free of a region of which little is committed'() {
    const { region, filled } = inFlight(2 ** 32)
    region.free()
    await filled
  },
  async 'a call in flight, and unused'() {
    const { region, filled } = inFlight()
    region.unused(0, n)
    await filled
    assert.equal(memory.stats().lingering, n)
  },
  async 'a call in flight, unused, and used again'() {
    const { region, filled } = inFlight()
    for (let i = 0; i < 5; i++) {
      region.unused(0, n)
      region.used(0, n)
      region.view(Uint8Array, 0, n)
    }
    await filled
  },
  async 'a call in flight, and fault'() {
    const { region, filled } = inFlight()
    region.fault(0, n)
    await filled
  },
  async 'a call in flight, unused, and free'() {
    const { region, filled } = inFlight()
    region.unused(0, n / 2)
    region.free()
    await filled
  },
  async 'more than may stay committed is decommitted, the oldest first'() {
    const regions = Array.from({ length: 12 }, () => inFlight())
    await Promise.all(regions.map(({ filled }) => filled))
    for (const { region } of regions) region.unused(0, n)
    const committed = regions.map(({ region }) => bytesInState('COMMIT', region.address, n))
    const { lingering = 0 } = memory.stats()
    assert.ok(lingering > 0 && lingering <= 256 * MiB, `${lingering} bytes linger`)
    assert.equal(
      committed.reduce((sum, bytes) => sum + bytes, 0),
      lingering,
    )
    assert.deepEqual([committed[0], committed.at(-1)], [0, n])
  },
  async 'a BYOB reader that keeps the bytes'() {
    const region = memory.reserve(MiB)
    region.commit(0, MiB)
    const stream = new ReadableStream({
      type: 'bytes',
      pull({ byobRequest }) {
        byobRequest?.respond(1)
      },
    })
    const reader = stream.getReader({ mode: 'byob' })
    const { value } = await reader.read(region.view(Uint8Array, 0, 4096))
    try {
      region.free()
    } catch (error) {
      // The layer has seen that the bytes were moved.
      assert.equal((error as { code?: string }).code, 'ERR_MEMLAYER_VIEW')
    }
    assert.ok((value?.[0] ?? 0) === 0)
  },
  async 'a Deserializer that keeps the address'() {
    const region = memory.reserve(MiB)
    region.commit(0, MiB)
    const data = v8.serialize({ a: 'x'.repeat(1000) })
    const view = region.view(Uint8Array, 0, data.length)
    view.set(data)
    const deserializer = new v8.Deserializer(Buffer.from(view.buffer, 0, data.length))
    deserializer.readHeader()
    region.free()
    try {
      assert.equal((deserializer.readValue() as { a?: unknown } | null)?.a, undefined)
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error
    }
    await sleep(0)
  },
  async 'an exit that a worker did not make'() {
    const { region, thread } = await sharer()
    thread.emit('exit', 0)
    try {
      region.free()
    } catch (error) {
      assert.equal((error as { code?: string }).code, 'ERR_MEMLAYER_SHARED')
    }
    thread.postMessage('read')
    const [read] = (await once(thread, 'message')) as [unknown]
    assert.ok(read === 0 || read === 'nothing', `it reads ${String(read)}`)
    await thread.terminate()
  },
  async 'a view of a share whose SharedRegion is gone'() {
    const { region, thread } = await sharer()
    assert.throws(() => region.free(), { code: 'ERR_MEMLAYER_SHARED' })
    thread.postMessage('read')
    assert.deepEqual(await once(thread, 'message'), [0])
    await thread.terminate()
  },
}

const scene = process.argv[2] ?? ''
await scenes[scene]?.()
memory.check()
writeSync(1, `lives: ${scene}\n`)
process.exit(0)
