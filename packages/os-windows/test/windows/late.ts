// Accesses that come after the pages were given back: a call in flight, and what an engine keeps. Each scene is a
// process of its own, which has to live. The argument names it. Runs in Node for Windows.
import assert from 'node:assert/strict'
import { randomFill } from 'node:crypto'
import { once } from 'node:events'
import { writeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import v8 from 'node:v8'
import vm from 'node:vm'
import { markAsUntransferable, Worker } from 'node:worker_threads'
import { createMemory, GrowableBuffer, type Memory, type Region } from '@memlayer/core'
import { createOS } from '@memlayer/os-windows'
import { bytesInState } from '@memlayer/witness'

const MiB = 2 ** 20
const n = 64 * MiB
v8.setFlagsFromString('--expose-gc')
const collect = vm.runInNewContext('gc') as () => void
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
  async 'a view that was enqueued to a stream of bytes'() {
    const region = memory.reserve(MiB)
    region.commit(0, MiB)
    const body = new ReadableStream({
      type: 'bytes',
      start(controller) {
        controller.enqueue(region.view(Uint8Array, 0, MiB).fill(7))
        controller.close()
      },
    })
    collect()
    await sleep(20)
    assert.throws(() => region.free(), { code: 'ERR_MEMLAYER_VIEW' })
    const bytes = new Uint8Array(await new Response(body).arrayBuffer())
    assert.deepEqual([bytes.length, bytes[0], bytes.at(-1)], [MiB, 7, 7])
  },
  async 'a view whose buffer can not be detached'() {
    const region = memory.reserve(MiB)
    region.commit(0, MiB)
    const view = region.view(Uint8Array, 0, 4096)
    view[0] = 7
    markAsUntransferable(view.buffer)
    try {
      region.free()
      assert.equal(view.length, 0)
    } catch (error) {
      assert.equal((error as { code?: string }).code, 'ERR_MEMLAYER_VIEW')
      assert.equal(view[0], 7)
    }
    await sleep(0)
  },
  async 'an observer that frees the buffer that grows'() {
    for (const op of ['sysMap', 'sysUsed', 'sysUnused']) {
      for (const act of ['grow', 'shrink', 'discard']) {
        const buffer = new GrowableBuffer(memory, { maximum: 2 ** 24, length: act === 'grow' ? 0 : 3 * MiB })
        const end = memory.observe((event) => {
          if (event.op !== op) return
          end()
          buffer.free()
        })
        try {
          if (act === 'discard') buffer.discard(0, MiB)
          else buffer.resize(act === 'grow' ? 100_000 : 10)
        } catch (error) {
          assert.match(String((error as { code?: string }).code), /^ERR_MEMLAYER_/)
        }
        end()
        if (buffer.region.disposed) assert.deepEqual([buffer.length, buffer.capacity], [0, 0])
        else buffer.free()
      }
    }
    assert.equal(memory.stats().total.reserved, 0)
    await sleep(0)
  },
  async 'Error.prepareStackTrace that throws'() {
    Error.prepareStackTrace = () => {
      throw new Error('mine')
    }
    memory.reserve(MiB).free()
    Reflect.deleteProperty(Error, 'prepareStackTrace')
    assert.equal(memory.stats().total.reserved, 0)
    await sleep(0)
  },
  async 'scripts that end anywhere'() {
    const page = memory.os.traits.pageSize
    const size = memory.os.traits.granularity ?? page
    const script = new vm.Script(`for (;;) {
      const v = memory.sysAlloc(size, stat)
      bases.push(v)
      views.push([v, memory.view(Bytes, v, page)])
      memory.sysUnused(v, 4 * page)
      memory.sysUsed(v, 4 * page)
      if (bases.length > 8) memory.sysFree(bases.shift(), size, stat)
    }`)
    let ended = 0
    for (let i = 0; i < 200; i++) {
      const own = createMemory(createOS())
      const context = { memory: own, size, page, stat: own.stat('x'), bases: [], views: [], Bytes: Uint8Array }
      try {
        script.runInNewContext(context, { timeout: 1 + (i % 3) })
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'ERR_SCRIPT_EXECUTION_TIMEOUT')
        ended += 1
      }
      own.check()
      const ranges = own.ranges()
      for (const { address, size: bytes, state } of ranges)
        if (state === 'Ready') assert.equal(bytesInState('COMMIT', address, bytes), bytes)
      const isReady = (v: number): boolean =>
        ranges.some((one) => one.state === 'Ready' && one.address <= v && v + page <= one.address + one.size)
      for (const [v, view] of context.views as [number, Uint8Array][])
        assert.ok(view.length === 0 || isReady(v), 'a live view lies over what is not Ready')
      for (const v of new Set(ranges.map((one) => one.address - (one.address % size)))) own.sysFree(v, size, null)
    }
    assert.equal(ended, 200)
    await sleep(0)
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
