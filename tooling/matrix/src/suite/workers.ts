// Tests regions in worker threads. They share the owner's bytes, and the owner can't give back pages in use.
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { Memory, Region, ShareToken } from 'memlayer'
import { CHUNK_BYTES, equal, freshMemory, thrownBy, type Case } from './case.js'

const MiB = 2 ** 20

interface Answer {
  readonly value?: unknown
  readonly code?: string
}

interface Scene {
  readonly memory: Memory
  readonly region: Region
  readonly worker: Worker
  readonly token: ShareToken
  ask(task: string, argument?: unknown): Promise<Answer>
}

/** Starts a worker, and shares the first MiB of a region with it. `file` is the built module of worker.ts. */
async function withWorker(file: URL, run: (scene: Scene) => Promise<void>): Promise<void> {
  const memory = freshMemory()
  const region = memory.reserve(4 * MiB, { name: 'shared' })
  region.commit(0, MiB)
  const worker = new Worker(file)
  const token = region.share(worker, 0, MiB)
  const ask = async (task: string, argument?: unknown): Promise<Answer> => {
    worker.postMessage([task, argument])
    const [answer] = (await once(worker, 'message')) as [Answer]
    return answer
  }
  try {
    await run({ memory, region, worker, token, ask })
  } finally {
    await worker.terminate()
  }
}

/** Cases with regions in workers. */
export function workerCases(file: URL): readonly Case[] {
  return [
    {
      title: "a worker shares a region's bytes, and no atomic operation of worker or owner is lost",
      run: () =>
        withWorker(file, async ({ region, worker, token, ask }) => {
          equal(await ask('attach', token), { value: [MiB, 'shared'] }, 'attached')
          const own = region.view(Int32Array, 0, 16)
          worker.postMessage(['count', 100_000])
          for (let i = 0; i < 100_000; i++) Atomics.add(own, 3, 1)
          await once(worker, 'message')
          equal(own[3], 200_000, 'the count')
        }),
    },
    {
      title: 'while a worker has pages the owner can’t give them back, and the worker can’t read them after release',
      run: () =>
        withWorker(file, async ({ memory, region, token, ask }) => {
          await ask('attach', token)
          await ask('count', 1)
          for (const attempt of [
            () => region.unused(0, CHUNK_BYTES),
            () => region.free(),
            () => memory.sysFree(region.address, CHUNK_BYTES, null),
          ]) {
            equal(thrownBy(attempt, 'taking what a worker holds').code, 'ERR_MEMLAYER_SHARED', 'the code')
          }
          equal(await ask('release'), { value: 0 }, "the worker's view")
          equal(await ask('again'), { code: 'ERR_MEMLAYER_DISPOSED' }, 'another view')
          region.free()
          equal(await ask('look'), { value: 0 }, "the worker's view after free")
          memory.check()
        }),
    },
    {
      title: 'a terminated worker releases its pages',
      run: () =>
        withWorker(file, async ({ memory, region, worker, token, ask }) => {
          await ask('attach', token)
          equal(thrownBy(() => region.free(), 'free').code, 'ERR_MEMLAYER_SHARED', 'the code')
          await worker.terminate()
          region.free()
          equal(region.disposed, true, 'disposed')
          memory.check()
        }),
    },
  ]
}
