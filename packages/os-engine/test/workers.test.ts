// Views in other threads, and buffers that the engine has collected. Each life has a process of its own.
import { runChild } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'

const worker = `
  import { parentPort } from 'node:worker_threads'
  parentPort.once('message', (words) => {
    Atomics.store(words, 1, 5)
    Atomics.notify(words, 1)
    // The owner frees meanwhile. Every read of this loop completes.
    let sum = 0
    for (let i = 0; Atomics.load(words, 2) !== 0 || i < 100; i++) {
      for (let at = 4096; at < words.length; at += 1024) sum += words[at]
    }
    const after = words.subarray(4096).every((word) => word === 0)
    parentPort.postMessage({ after, length: words.length })
  })
`

const taker = `
  import { parentPort } from 'node:worker_threads'
  import { createMemory } from '@memlayer/core'
  import { createOS } from '@memlayer/os-engine'
  const memory = createMemory(createOS())
  parentPort.on('message', (token) => {
    const share = memory.attach(token)
    const words = share.view(Int32Array)
    const seen = words[3]
    parentPort.postMessage({ name: share.name, size: share.size, isShared: words.buffer instanceof SharedArrayBuffer })
    const waited = Atomics.wait(words, 0, 0, 20_000)
    words[1] = seen + 1
    share.release()
    parentPort.postMessage({ isAwake: waited !== 'timed-out', lengthAfter: words.length })
  })
`

describe.skipIf(process.platform !== 'linux')('os-engine (needs Linux)', () => {
  it('shares a range with a worker: it stays Ready until the worker releases it, and Atomics.wait works there', () => {
    const child = runChild(
      `
      import { Worker } from 'node:worker_threads'
      import { createMemory } from '@memlayer/core'
      import { createOS } from '@memlayer/os-engine'
      const memory = createMemory(createOS())
      const page = memory.os.traits.pageSize
      using region = memory.reserve(64 * page, { name: 'lent' })
      region.commit()
      const words = region.view(Int32Array, 8 * page, page)
      words[3] = 41
      const worker = new Worker(${JSON.stringify(taker)}, { eval: true })
      const next = () => new Promise((resolve) => worker.once('message', resolve))
      worker.postMessage(region.share(worker, 8 * page, 4 * page))
      const taken = await next()
      const code = (call) => { try { call(); return null } catch (error) { return error.code } }
      const refused = [code(() => region.unused(10 * page, page)), code(() => region.free())]
      const holds = memory.holds().map(({ kind, region, offset, length }) => ({ kind, region, offset, length }))
      region.unused(0, 8 * page)
      words[0] = 1
      Atomics.notify(words, 0)
      const released = await next()
      region.unused(8 * page, 4 * page)
      await worker.terminate()
      console.log(JSON.stringify({ taken, refused, holds, released, sum: words[1], page }))
      `,
      { from: import.meta.dirname },
    )
    expect(child).toMatchObject({ code: 0, signal: null })
    const { page, ...told } = JSON.parse(child.stdout) as { page: number }
    expect(told).toEqual({
      taken: { name: 'lent', size: 4 * page, isShared: true },
      refused: ['ERR_MEMLAYER_SHARED', 'ERR_MEMLAYER_SHARED'],
      holds: [{ kind: 'share', region: 'lent', offset: 8 * page, length: 4 * page }],
      released: { isAwake: true, lengthAfter: page },
      sum: 0,
    })
  })

  it('a worker has the pages of a posted view, can be waited for, and reads zero when the owner has freed', () => {
    const child = runChild(
      `
      import { Worker } from 'node:worker_threads'
      import { createMemory } from '@memlayer/core'
      import { createOS } from '@memlayer/os-engine'
      const memory = createMemory(createOS())
      const region = memory.reserve(2 ** 24)
      region.commit(0, 2 ** 24)
      const words = region.view(Int32Array, 0, 2 ** 22).fill(3)
      words[1] = 0
      const worker = new Worker(${JSON.stringify(worker)}, { eval: true })
      worker.postMessage(words)
      const waited = Atomics.wait(words, 1, 0, 20_000)
      const seen = words[1]
      region.free()
      const answer = await new Promise((resolve) => worker.once('message', resolve))
      await worker.terminate()
      console.log(JSON.stringify({ waited, seen, answer, left: memory.stats().total.held }))
      `,
      { from: import.meta.dirname },
    )
    expect(child).toMatchObject({ code: 0, signal: null })
    expect(JSON.parse(child.stdout)).toEqual({
      waited: 'ok',
      seen: 5,
      answer: { after: true, length: 2 ** 22 },
      left: 0,
    })
  })

  it('what is freed has no address space once nobody has a view, however many were made in one job', () => {
    const child = runChild(
      `
      import { createMemory } from '@memlayer/core'
      import { createOS } from '@memlayer/os-engine'
      import { mappings } from '@memlayer/witness'
      const memory = createMemory(createOS())
      const size = () => mappings().reduce((sum, { start, end }) => sum + end - start, 0)
      const life = () => {
        const region = memory.reserve(2 ** 30)
        region.commit(0, 2 ** 16)
        region.view(Uint8Array, 0, 2 ** 16).fill(1)
        region.free()
      }
      for (let i = 0; i < 10; i++) life()
      gc()
      await new Promise((resolve) => setTimeout(resolve, 50))
      const [before, lines] = [size(), mappings().length]
      for (let i = 0; i < 20_000; i++) life()
      gc()
      await new Promise((resolve) => setTimeout(resolve, 200))
      gc()
      await new Promise((resolve) => setTimeout(resolve, 200))
      console.log(JSON.stringify({ grown: size() - before, lines: mappings().length - lines }))
      `,
      { from: import.meta.dirname, nodeArgs: ['--expose-gc'] },
    )
    expect(child).toMatchObject({ code: 0, signal: null })
    const { grown, lines } = JSON.parse(child.stdout) as { grown: number; lines: number }
    // The engine may keep the last few buffers, and its heap may have grown.
    expect(grown).toBeLessThan(64 * 2 ** 30)
    expect(lines).toBeLessThan(300)
  })
})
