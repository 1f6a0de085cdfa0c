// Bytes that are used after their pages were given back, where the layer can't see it: in a moved buffer, in a native
// object, in a call in flight, in a callback of the engine. Such a use finds nothing, zeroes or an error. It changes
// nothing of the engine's, and the process goes on. Each kind runs in a process of its own, on three Nodes.
import { isLong, otherNode, runChild } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'

const opening = `
  import { createMemory } from '@memlayer/core'
  import { createOS } from '@memlayer/os-linux'
  const memory = createMemory(createOS())
  const MiB = 2 ** 20
  const turn = () => new Promise((resolve) => setImmediate(resolve))
  const collect = async () => { for (let i = 0; i < 10; i++) { globalThis.gc(); await turn() } }
  function ready(bytes = MiB, value = 7) {
    const region = memory.reserve(bytes, { name: 'stale' })
    region.commit(0, bytes)
    region.view(Uint8Array, 0, bytes).fill(value)
    return region
  }
  /** What the engine and the layer take next. Wherever it comes, a late write must not change it. */
  const taken = []
  function takeMore() {
    for (let i = 0; i < 64; i++) taken.push(new Uint8Array(MiB).fill(0x55))
    for (let i = 0; i < 8; i++) taken.push(ready(MiB, 0x55).view(Uint8Array, 0, MiB))
  }
  function end(read) {
    memory.check()
    const changed = taken.filter((bytes) => bytes.some((byte) => byte !== 0x55)).length
    console.log(JSON.stringify({ read, changed }))
  }
  const valueOr = (run) => { try { return run() ?? 'nothing' } catch { return 'an error' } }
`

/** Each: what it reads late, as JSON. It writes late as well where it can. */
const kinds: Readonly<Record<string, string>> = {
  'a buffer that transfer.call made, when the original was collected': `
    const region = ready()
    const moved = await (async () => {
      const view = region.view(Uint8Array, 0, MiB)
      await turn()
      return ArrayBuffer.prototype.transfer.call(view.buffer)
    })()
    await collect()
    region.free()
    takeMore()
    const bytes = new Uint8Array(moved)
    const read = valueOr(() => bytes[5])
    bytes.fill(0xff)
    end(read)
  `,
  'a clone that took the bytes, when the original was collected': `
    const region = ready()
    const moved = await (async () => {
      const view = region.view(Uint8Array, 0, MiB)
      await turn()
      return structuredClone(view, { transfer: [view.buffer] })
    })()
    await collect()
    region.free()
    takeMore()
    const read = valueOr(() => moved[5])
    moved.fill(0xff)
    end(read)
  `,
  'what a reader of a byte stream returned': `
    const region = ready()
    const read1 = async () => {
      const pull = ({ byobRequest }) => { byobRequest.view[0] = 9; byobRequest.respond(1) }
      const stream = new ReadableStream({ type: 'bytes', pull })
      const view = region.view(Uint8Array, 0, 4096)
      await turn()
      return (await stream.getReader({ mode: 'byob' }).read(view)).value
    }
    const value = await read1()
    await collect()
    region.free()
    takeMore()
    const read = valueOr(() => value[0])
    value.fill(0xff)
    end(read)
  `,
  'a deserializer over the bytes': `
    const { default: v8 } = await import('node:v8')
    const region = ready()
    const data = v8.serialize({ a: 'x'.repeat(1000), b: [1, 2, 3] })
    const view = region.view(Uint8Array, 0, data.length)
    view.set(data)
    const deserializer = new v8.Deserializer(Buffer.from(view.buffer, 0, data.length))
    deserializer.readHeader()
    region.free()
    takeMore()
    end(valueOr(() => typeof deserializer.readValue()?.a))
  `,
  'a comparator that frees while the engine sorts': `
    const region = ready()
    const view = region.view(Float64Array, 0, 4096)
    for (let i = 0; i < view.length; i++) view[i] = 4096 - i
    let times = 0
    view.sort((a, b) => { if (++times === 100) { region.free(); takeMore() } return a - b })
    end(valueOr(() => view[0]))
  `,
  'a valueOf that frees while the engine fills, sets and copies': `
    const frees = (region, value) => ({
      valueOf() {
        if (!region.disposed) { region.free(); takeMore() }
        return value
      },
    })
    const reads = []
    for (const use of [
      (view, value) => view.fill(value),
      (view, value) => view.set([value, value, value]),
      (view, value) => view.subarray(value, 8).fill(1),
      (view, value) => view.slice(value).length,
      (view, value) => view.copyWithin(value, 8),
      (view, value) => Atomics.store(view, 0, value),
      (view, value) => new DataView(view.buffer).setUint8(0, value),
      (view, value) => view.with(0, value).length,
      (view, value) => Buffer.from(view.buffer).fill(value),
    ]) {
      const region = ready()
      const view = region.view(Uint8Array, 0, 4096)
      valueOr(() => use(view, frees(region, 3)))
      reads.push(valueOr(() => view[0]))
    }
    end(reads.every((read) => read === 'nothing') ? 'nothing' : reads)
  `,
  'calls in flight on other threads': `
    const { randomFill, subtle } = await import('node:crypto')
    const { gzip } = await import('node:zlib')
    const { open, read } = await import('node:fs')
    const file = await new Promise((resolve, reject) => open(process.execPath, (e, fd) => e ? reject(e) : resolve(fd)))
    const calls = [
      (view, done) => randomFill(view, done),
      (view, done) => gzip(view, done),
      (view, done) => read(file, view, 0, view.length, 0, done),
      (view, done) => void subtle.digest('SHA-512', view).then(done, done),
    ]
    const ends = []
    for (let round = 0; round < 8; round++) {
      for (const call of calls) {
        const region = ready(4 * MiB)
        ends.push(new Promise((resolve) => call(region.view(Uint8Array, 0, 4 * MiB), () => resolve())))
        region.free()
      }
      for (let i = 0; i < 8; i++) taken.push(new Uint8Array(MiB).fill(0x55))
    }
    await Promise.all(ends)
    end('nothing')
  `,
  'a buffer that was marked untransferable': `
    const { markAsUntransferable } = await import('node:worker_threads')
    const region = ready()
    const view = region.view(Uint8Array, 0, 4096)
    markAsUntransferable(view.buffer)
    const freed = valueOr(() => region.free())
    takeMore()
    // Where the mark keeps the layer from detaching, the pages stay.
    end(view.length === 0 ? 'nothing' : freed === 'an error' && view[0] === 7 ? 'its own bytes' : view[0])
  `,
  'a buffer that was marked untransferable in a worker that ends': `
    const { Worker } = await import('node:worker_threads')
    const code = \`
      const { parentPort, markAsUntransferable } = process.getBuiltinModule('node:worker_threads')
      const packages = Promise.all([import('@memlayer/core'), import('@memlayer/os-linux')])
      void packages.then(([{ createMemory }, { createOS }]) => {
        const region = createMemory(createOS()).reserve(2 ** 20)
        region.commit(0, 2 ** 20)
        const view = region.view(Uint8Array, 0, 4096)
        markAsUntransferable(view.buffer)
        globalThis.kept = view
        parentPort.postMessage(view.length)
      })
    \`
    for (let i = 0; i < 4; i++) {
      const worker = new Worker(code, { eval: true })
      const ended = new Promise((resolve) => worker.once('exit', resolve))
      await new Promise((resolve) => worker.once('message', resolve))
      if (i % 2 === 0) await worker.terminate()
      else await ended
    }
    end('nothing')
  `,
}

const right = ['nothing', 0, 'an error', 'its own bytes', 'undefined']

describe.skipIf(process.platform !== 'linux').each(isLong ? ['node22', 'this Node', 'node26'] : ['this Node'])(
  'a late use of bytes, on %s (needs Linux)',
  (name) => {
    it.for(Object.entries(kinds))('finds nothing and changes nothing: %s', ([, program], context) => {
      const child = runChild(opening + program, {
        from: import.meta.dirname,
        nodeArgs: ['--expose-gc'],
        node: name === 'this Node' ? process.execPath : otherNode(name, import.meta.url, context),
      })
      expect(child).toMatchObject({ code: 0, signal: null, stderr: '' })
      const { read, changed } = JSON.parse(child.stdout) as { read: unknown; changed: number }
      expect(right).toContain(read)
      expect(changed).toBe(0)
    })
  },
)
