// Regions in worker threads: the same bytes, views of the worker's own, and an owner that can't
// take pages away from under it.
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { createMemory, UsageError, type Region, type ShareToken } from '@memlayer/core'
import { createOS } from '@memlayer/os-linux'
import { posixKernel } from '@memlayer/ffi'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const onLinux = process.platform === 'linux'
const page = onLinux ? posixKernel().pageSize : 4096
const MiB = 2 ** 20

// Does what it is told and answers what came of it.
const code = `
  import { parentPort } from 'node:worker_threads'
  import { createMemory } from '@memlayer/core'
  import { createOS } from '@memlayer/os-linux'
  const memory = createMemory(createOS())
  let region, view
  const tasks = {
    attach: (token) => { region = memory.attach(token); return [region.size, region.name] },
    count: (times) => { view = region.view(Int32Array, 0, 16); for (let i = 0; i < times; i++) Atomics.add(view, 3, 1); return view[3] },
    look: () => [view.length, view[3] ?? null],
    outside: () => region.view(Uint8Array, region.size, 1),
    release: () => { region.release(); region.release(); return view?.length ?? null },
    again: () => region.view(Uint8Array, 0, 1),
    free: (token) => memory.sysFree(token.address, token.size, null),
  }
  parentPort.on('message', ([task, argument]) => {
    try { parentPort.postMessage({ value: tasks[task](argument) }) }
    catch (error) { parentPort.postMessage({ code: error.code, message: error.message }) }
  })
`

describe.skipIf(!onLinux)('a region in a worker (needs Linux)', () => {
  const memory = createMemory(createOS())
  let region: Region
  let worker: Worker
  let token: ShareToken

  async function ask(task: string, argument?: unknown): Promise<{ value?: unknown; code?: string; message?: string }> {
    worker.postMessage([task, argument])
    const [answer] = (await once(worker, 'message')) as [{ value?: unknown; code?: string; message?: string }]
    return answer
  }

  function startWorker(): Worker {
    const url = new URL(`data:text/javascript,${encodeURIComponent(code.replaceAll(/'@memlayer\/([\w-]+)'/g, (_, name: string) => `'${import.meta.resolve(`@memlayer/${name}`)}'`))}`)
    return new Worker(url)
  }

  beforeEach(() => {
    region = memory.reserve(4 * MiB, { name: 'shared' })
    region.commit(0, MiB)
    worker = startWorker()
    token = region.share(worker, 0, MiB)
  })
  afterEach(async () => {
    await worker.terminate()
    region[Symbol.dispose]()
    memory.check()
  })

  it('has the same bytes, and its atomic operations lose none of the owner\'s', async () => {
    expect(await ask('attach', token)).toEqual({ value: [MiB, 'shared'] })
    const own = region.view(Int32Array, 0, 16)
    worker.postMessage(['count', 200_000])
    for (let i = 0; i < 200_000; i++) Atomics.add(own, 3, 1)
    await once(worker, 'message')
    expect(own[3]).toBe(400_000)
  })

  it('keeps its owner from taking the pages, until it releases them and its views are empty', async () => {
    await ask('attach', token)
    await ask('count', 1)
    const view = region.view(Uint8Array, 0, page)
    const attempts: (() => void)[] = [
      () => region.unused(0, page),
      () => region.unusedAll([2 * MiB - MiB - page, page]),
      () => region.fault(page, page),
      () => region.free(),
      () => memory.sysFree(region.address, page, null),
      () => region[Symbol.dispose](),
    ]
    for (const attempt of attempts) {
      expect(attempt).toThrow(expect.objectContaining({ code: 'ERR_MEMLAYER_SHARED' }))
      expect(attempt).toThrow(UsageError)
    }
    memory.check()
    expect(memory.stats().total.ready).toBe(MiB)
    expect(view.length).toBe(page)
    // What was not handed to the worker is free to go.
    region.commit(MiB, MiB)
    region.unused(MiB, MiB)

    expect(await ask('release')).toEqual({ value: 0 })
    expect(await ask('again')).toMatchObject({ code: 'ERR_MEMLAYER_DISPOSED' })
    region.free()
    expect(view.length).toBe(0)
    expect(await ask('look')).toEqual({ value: [0, null] })
  })

  it('lets go when its thread is ended from outside', async () => {
    await ask('attach', token)
    expect(() => region.free()).toThrow(/a worker holds the 1048576 bytes/)
    await worker.terminate()
    region.free()
    expect(region.disposed).toBe(true)
  })

  it('comes too late when the owner has taken the pages before it attached', async () => {
    region.unused(0, page)
    expect(await ask('attach', token)).toMatchObject({ code: 'ERR_MEMLAYER_SHARED', message: expect.stringMatching(/has been revoked/) as string })
  })

  it('is attached once, by a token that is one, to memory of the same kind', async () => {
    await ask('attach', token)
    expect(await ask('attach', token)).toMatchObject({ message: expect.stringMatching(/attached already/) as string })
    expect(await ask('attach', { ...token, os: 'js' })).toMatchObject({ message: expect.stringMatching(/js memory/) as string })
    expect(await ask('attach', { address: 1 })).toMatchObject({ code: 'ERR_MEMLAYER_SHARED' })
    expect(await ask('attach', null)).toMatchObject({ code: 'ERR_MEMLAYER_SHARED' })
    expect(await ask('outside')).toMatchObject({ code: 'ERR_MEMLAYER_RANGE' })
    expect(await ask('free', token)).toMatchObject({ code: 'ERR_MEMLAYER_NOT_OWNED' })
  })

  it('shares Ready pages only, with a worker only', () => {
    expect(() => region.share(worker)).toThrow(/has to be Ready, and is Reserved/)
    expect(() => region.share({}, 0, MiB)).toThrow(/the worker is an object/)
  })
})
