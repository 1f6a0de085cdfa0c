// What a worker leaves that has ended: its ranges are given back, by the next thread that looks. Runs in Node for
// Windows.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { Worker } from 'node:worker_threads'
import { createMemory } from '@memlayer/core'
import { windowsKernel } from '@memlayer/ffi'
import { createOS } from '@memlayer/os-windows'
import { bytesInState } from '@memlayer/witness'

const MiB = 2 ** 20
const size = 32 * MiB
const memory = createMemory(createOS())

const opening = `
  import { parentPort } from 'node:worker_threads'
  import { createMemory } from '@memlayer/core'
  import { createOS } from '@memlayer/os-windows'
  const memory = createMemory(createOS())
  const MiB = 2 ** 20
`

/** Starts a worker that runs this code, with a memory of its own. */
function begin(code: string): Worker {
  const text = (opening + code).replaceAll(
    /'(@memlayer\/[\w-]+)'/g,
    (_, name: string) => `'${import.meta.resolve(name)}'`,
  )
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(text)}`))
  worker.on('error', () => undefined)
  return worker
}

const leaving = (way: string): string => `
  const region = memory.reserve(${size}, { name: 'left' })
  region.commit(0, ${size})
  region.view(Uint8Array, 0, ${size}).fill(1)
  // Of some other states, and one that is retired.
  const alloc = memory.sysAlloc(MiB, null)
  const reserved = memory.sysReserve(null, 4 * MiB)
  const seen = memory.reserve(MiB)
  seen.commit(0, MiB)
  const retired = seen.address
  seen.view(Uint8Array, 0, MiB).fill(1)
  seen.free()
  region.unused(MiB, MiB)
  parentPort.on('message', () => { ${way} })
  parentPort.postMessage([region.address, alloc, reserved, retired])
`

/** Ends a worker, and waits until it has ended. */
async function end(worker: Worker, way: string): Promise<void> {
  // Not by once(), which rejects when the worker has an error.
  const ended = new Promise((resolve) => worker.once('exit', resolve))
  if (way === 'terminate') await worker.terminate()
  else worker.postMessage('end')
  await ended
}

describe('a worker that has ended', () => {
  for (const [title, way] of [
    ['by terminate()', 'terminate'],
    ['by process.exit()', 'process.exit(3)'],
    ['by an error', "throw new Error('on purpose')"],
    ['by itself', 'parentPort.close()'],
  ] as const)
    it(`leaves no range, ten times of 32 MiB: ${title}`, async () => {
      const before = process.memoryUsage.rss()
      for (let i = 0; i < 10; i++) {
        const worker = begin(leaving(way))
        const [addresses] = (await once(worker, 'message')) as [number[]]
        assert.equal(bytesInState('COMMIT', addresses[0] as number, size), size)
        await end(worker, way)
        // Of each reservation: its first page belongs to no one, or to what was obtained after it.
        const [region = 0, alloc = 0] = addresses
        assert.equal(bytesInState('COMMIT', region + size / 2, size / 4), 0)
        assert.equal(bytesInState('COMMIT', alloc, MiB), 0)
      }
      const grown = process.memoryUsage.rss() - before
      // Of 320 MiB. The engine keeps some memory of each worker.
      assert.ok(grown < 96 * MiB, `${grown / MiB} MiB more are resident`)
      memory.check()
    })

  it('is known as soon as it has ended, and not before', async () => {
    const table = memory.os.host?.processTable?.()
    assert.ok(table)
    assert.ok(table.isThread(table.thread))
    assert.ok(!table.isThread(0x7fff_fffc))
    const worker = begin(`
      parentPort.on('message', () => parentPort.close())
      parentPort.postMessage(memory.os.host.processTable().thread)
    `)
    const [thread] = (await once(worker, 'message')) as [number]
    assert.notEqual(thread, table.thread)
    assert.ok(table.isThread(thread))
    await end(worker, '')
    assert.ok(!table.isThread(thread))
  })

  it('leaves reservations side by side, and parts: the parts are decommitted', () => {
    const kernel = windowsKernel()
    const table = kernel.processTable?.()
    assert.ok(table)
    const [RESERVE_AND_COMMIT, RESERVE, RELEASE, READWRITE] = [0x3000, 0x2000, 0x8000, 4]
    // A place for both, which are obtained apart.
    const place = kernel.virtualAlloc(0, 2 * MiB, RESERVE, READWRITE)
    assert.equal(kernel.virtualFree(place, 0, RELEASE), 0)
    for (const v of [place, place + MiB]) assert.equal(kernel.virtualAlloc(v, MiB, RESERVE_AND_COMMIT, READWRITE), v)
    assert.ok(table.unmap(place + MiB / 2, MiB))
    assert.equal(bytesInState('COMMIT', place, 2 * MiB), MiB)
    assert.equal(bytesInState('RESERVE', place, 2 * MiB), MiB)
    assert.ok(table.unmap(place, 2 * MiB))
    assert.equal(bytesInState('FREE', place, 2 * MiB), 2 * MiB)
    assert.ok(!table.unmap(place, 2 * MiB))
  })
})
