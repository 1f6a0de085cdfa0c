// Regions in worker threads: the same bytes, views of the worker's own, and an owner that can't take the pages away
// from the worker.
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { createMemory, UsageError, type Region, type ShareToken } from '@memlayer/core'
import { createOS } from '@memlayer/os-linux'
import { posixKernel } from '@memlayer/ffi'
import { setFlagsFromString } from 'node:v8'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

// For the workers that are told to collect garbage.
setFlagsFromString('--expose-gc')

const onLinux = process.platform === 'linux'
const page = onLinux ? posixKernel().pageSize : 4096
const MiB = 2 ** 20

// The worker: it does a task and answers the result.
const code = `
  import { parentPort } from 'node:worker_threads'
  import { createMemory } from '@memlayer/core'
  import { createOS } from '@memlayer/os-linux'
  const memory = createMemory(createOS())
  let region, view
  const tasks = {
    attach: (token) => { region = memory.attach(token); return [region.size, region.name] },
    count: (times) => {
      view = region.view(Int32Array, 0, 16)
      for (let i = 0; i < times; i++) Atomics.add(view, 3, 1)
      return view[3]
    },
    look: () => [view.length, view[3] ?? null],
    outside: () => region.view(Uint8Array, region.size, 1),
    release: () => { region.release(); region.release(); return view?.length ?? null },
    again: () => region.view(Uint8Array, 0, 1),
    viewAt: (text) => region.view(...(0, eval)(text)),
    drop: () => { region = view = undefined },
    dropShare: () => { region = undefined },
    collect: () => { (0, eval)('gc')(); return new Promise((done) => setTimeout(done, 5)).then(() => {}) },
    free: (token) => memory.sysFree(token.address, token.size, null),
  }
  parentPort.on('message', async ([task, argument]) => {
    try { parentPort.postMessage({ value: await tasks[task](argument) }) }
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
    const resolved = code.replaceAll(/'(@memlayer\/[\w-]+)'/g, (_, name: string) => `'${import.meta.resolve(name)}'`)
    const url = new URL(`data:text/javascript,${encodeURIComponent(resolved)}`)
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

  it('has the same bytes, and atomic operations of both threads all count', async () => {
    expect(await ask('attach', token)).toEqual({ value: [MiB, 'shared'] })
    const own = region.view(Int32Array, 0, 16)
    worker.postMessage(['count', 200_000])
    for (let i = 0; i < 200_000; i++) Atomics.add(own, 3, 1)
    await once(worker, 'message')
    expect(own[3]).toBe(400_000)
  })

  it('keeps the owner from taking the pages until the worker releases them and its views are empty', async () => {
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
    // The owner may take pages that the worker did not get.
    region.commit(MiB, MiB)
    region.unused(MiB, MiB)

    expect(await ask('release')).toEqual({ value: 0 })
    expect(await ask('again')).toMatchObject({ code: 'ERR_MEMLAYER_DISPOSED' })
    region.free()
    expect(view.length).toBe(0)
    expect(await ask('look')).toEqual({ value: [0, null] })
  })

  it('lets go of the pages when its thread is ended from outside', async () => {
    await ask('attach', token)
    expect(() => region.free()).toThrow(/a worker uses the 1048576 bytes/)
    await worker.terminate()
    region.free()
    expect(region.disposed).toBe(true)
  })

  it('can’t be attached after the owner has taken the pages', async () => {
    region.unused(0, page)
    expect(await ask('attach', token)).toMatchObject({
      code: 'ERR_MEMLAYER_SHARED',
      message: expect.stringMatching(/was revoked/) as string,
    })
  })

  it('can be attached once, by a valid token, to memory of the same kind', async () => {
    await ask('attach', token)
    expect(await ask('attach', token)).toMatchObject({ message: expect.stringMatching(/attached already/) as string })
    expect(await ask('attach', { ...token, os: 'js' })).toMatchObject({
      message: expect.stringMatching(/memory of js, but this memory is of linux/) as string,
    })
    expect(await ask('attach', { address: 1 })).toMatchObject({ code: 'ERR_MEMLAYER_SHARED' })
    expect(await ask('attach', null)).toMatchObject({ code: 'ERR_MEMLAYER_SHARED' })
    expect(await ask('outside')).toMatchObject({ code: 'ERR_MEMLAYER_RANGE' })
    expect(await ask('free', token)).toMatchObject({ code: 'ERR_MEMLAYER_NOT_OWNED' })
  })

  it('is read from the shared buffer, so a changed or forged token attaches nothing else', async () => {
    const forged = (...words: number[]): SharedArrayBuffer => {
      const hold = new SharedArrayBuffer(8 * words.length)
      new Float64Array(hold).set(words)
      return hold
    }
    const mutants: unknown[] = [
      { ...token, hold: new SharedArrayBuffer(32) },
      { ...token, hold: new SharedArrayBuffer(4) },
      { ...token, hold: new SharedArrayBuffer(0) },
      { ...token, hold: new SharedArrayBuffer(3) },
      { ...token, hold: new ArrayBuffer(32) },
      { ...token, hold: forged(0, 0, NaN, 4096) },
      { ...token, hold: forged(0, 0, 4096, Infinity, 0) },
      { ...token, memlayer: 'region' },
      { ...token, os: 5 },
      [token],
      token.hold,
    ]
    for (const mutant of mutants)
      expect(await ask('attach', mutant), JSON.stringify(mutant)).toMatchObject({ code: 'ERR_MEMLAYER_SHARED' })
    expect(await ask('attach', { ...token, address: 4096, size: 2 ** 40, name: 5 })).toEqual({ value: [MiB, 'region'] })
    expect(await ask('count', 1)).toEqual({ value: 1 })
    expect(region.view(Int32Array, 0, 16)[3]).toBe(1)
  })

  it('refuses a wrong offset or type', async () => {
    await ask('attach', token)
    for (const offset of ['1n', 'Symbol()', 'NaN', '-1', '"0"', '{}', 'null', '2 ** 53', '0.5']) {
      expect(await ask('viewAt', `[Uint8Array, ${offset}, 1]`), offset).toMatchObject({ code: 'ERR_MEMLAYER_RANGE' })
    }
    for (const type of [
      'Object.create(Uint8Array)',
      '5',
      'null',
      'undefined',
      'class { static BYTES_PER_ELEMENT = -1 }',
    ]) {
      expect(await ask('viewAt', `[${type}, 0, 1]`), type).toMatchObject({ code: 'ERR_MEMLAYER_VIEW' })
    }
  })

  it('belongs to the thread that it was shared with, so that the end of that thread ends it', async () => {
    expect(() => memory.attach(token)).toThrow(expect.objectContaining({ code: 'ERR_MEMLAYER_SHARED' }))
    expect(() => memory.attach(token)).toThrow(/is for thread \d+, and this is thread \d+/)
    const other = startWorker()
    other.postMessage(['attach', token])
    const [answer] = (await once(other, 'message')) as [{ code?: string }]
    expect(answer.code).toBe('ERR_MEMLAYER_SHARED')
    await other.terminate()
    // Nothing has attached it yet, so the worker that it is for still can.
    expect(await ask('attach', token)).toEqual({ value: [MiB, 'shared'] })
    expect(() => region.free()).toThrow(/a worker uses/)
  })

  it('can’t be attached after its worker has ended', async () => {
    const ended = startWorker()
    const unused = region.share(ended, 0, page)
    await ended.terminate()
    expect(new Int32Array(unused.hold)[0]).toBe(3)
    expect(() => region.share(ended, 0, page)).toThrow(/the worker has ended/)
  })

  it('costs the worker one listener in all, and the owner nothing once it is released', async () => {
    const warnings: unknown[] = []
    const hear = (warning: unknown): void => void warnings.push(warning)
    process.on('warning', hear)
    for (let i = 0; i < 50; i++) {
      const again = region.share(worker, 0, page)
      await ask('attach', again)
      await ask('release')
    }
    const many = Array.from({ length: 16 }, (_, i) => region.share(worker, i * page, page))
    await ask('attach', many[7])
    await worker.terminate()
    region.free()
    process.off('warning', hear)
    expect(warnings).toEqual([])
    expect(worker.listenerCount('exit')).toBe(0)
    expect(many.map(({ hold }) => new Int32Array(hold)[0])).toEqual(many.map((_, i) => (i === 7 ? 2 : 3)))
  })

  it('is kept by a view alone, when the worker has dropped the rest', async () => {
    await ask('attach', token)
    await ask('count', 1)
    await ask('dropShare')
    for (let i = 0; i < 5; i++) await ask('collect')
    expect(() => region.free()).toThrow(expect.objectContaining({ code: 'ERR_MEMLAYER_SHARED' }))
    expect((await ask('look')).value).toEqual([16, 1])
  })

  it('is given up when the worker drops it and all of its views', async () => {
    await ask('attach', token)
    await ask('count', 1)
    await ask('drop')
    // The engine collects at any time. The worker is told to collect until the owner learns of it.
    await vi.waitFor(async () => {
      await ask('collect')
      region.free()
    }, 20_000)
    expect(region.disposed).toBe(true)
  })

  it('shares Ready pages only, with a worker only', () => {
    expect(() => region.share(worker)).toThrow(/has to be Ready, and is Reserved/)
    const { port1, port2 } = new MessageChannel()
    for (const other of [{}, port1]) {
      expect(() => region.share(other, 0, MiB)).toThrow(
        /the worker is an object, and this host can't tell when it ends/,
      )
    }
    port1.close()
    port2.close()
    // This comes before any check of the range, because the argument may be the offset.
    expect(() => region.share(0 as never, MiB)).toThrow(/the worker is 0, and this host can't tell when it ends/)
    for (const nobody of [
      null,
      undefined,
      5,
      { once: 5 },
      { addEventListener: 5 },
      { addEventListener: () => {} },
      { once: null },
    ]) {
      expect(() => region.share(nobody as never, 0, MiB)).toThrow(
        expect.objectContaining({ code: 'ERR_MEMLAYER_SHARED' }),
      )
    }
    // None of them left anything behind. Only the first worker, which may still come, has a claim on the pages.
    region.free()
  })
})
