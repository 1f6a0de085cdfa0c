// Regions in worker threads: the same bytes, and an owner that can't take pages away from under a worker.
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { Memory, Region, ShareToken } from 'memlayer'
import { CHUNK, equal, freshMemory, thrownBy, type Case } from './case.js'

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

/** A worker, and a region of which it was offered the first MiB. `file`: the module that worker.ts became. */
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

/** Regions in workers. */
export function workerCases(file: URL): readonly Case[] {
  return [
    {
      title: "a worker has a region's bytes, and its atomic operations lose none of the owner's",
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
      title: 'while a worker holds pages its owner can take none of them, and afterwards the worker has nothing',
      run: () =>
        withWorker(file, async ({ memory, region, token, ask }) => {
          await ask('attach', token)
          await ask('count', 1)
          for (const attempt of [
            () => region.unused(0, CHUNK),
            () => region.free(),
            () => memory.sysFree(region.address, CHUNK, null),
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
      title: 'a worker that is ended lets go of what it held',
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
