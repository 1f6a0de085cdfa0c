// What is taken for a worker whose end can be heard of: the host's own workers, and nothing that only looks like one.
import { Worker } from 'node:worker_threads'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { endOfWorker, type WorkerLike } from '../src/borrows/worker.js'
import { errorOf } from './errors-of.js'

afterEach(() => {
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

describe('the end of a worker', () => {
  it('is told by its event and by the host, of which thread it is, and of one that has ended no more', async () => {
    const worker = new Worker('', { eval: true })
    const end = endOfWorker(worker)
    expect([end.thread, end.hasEnded()]).toEqual([worker.threadId, false])
    await new Promise<void>((resolve) => end.listen(resolve))
    expect(end.hasEnded()).toBe(true)
    expect(errorOf(() => endOfWorker(worker))).toMatchObject({ code: 'ERR_MEMLAYER_SHARED', op: 'share' })
    expect(errorOf(() => endOfWorker(worker)).message).toContain('share: the worker has ended')
  })

  it.each<[string, unknown]>([
    ['an object with its methods', { once: () => undefined, threadId: 5 }],
    ['an event target', new EventTarget()],
    ['null', null],
    ['nothing', undefined],
    ['a number', 5],
  ])('is not told of %s', (_, worker) => {
    const error = errorOf(() => endOfWorker(worker as WorkerLike))
    expect(error).toMatchObject({ code: 'ERR_MEMLAYER_SHARED', op: 'share' })
    expect(error.message).toMatch(/^share: the worker is .*, and this host can't tell when it ends/)
  })

  it("is believed of an object of the host's class, where no host reads its thread", () => {
    class Plain {
      readonly threadId = 7
      once(_event: 'exit', listener: () => void): void {
        this.end = listener
      }
      end: () => void = () => undefined
    }
    vi.spyOn(process, 'getBuiltinModule').mockReturnValue({ Worker: Plain })
    vi.stubGlobal('Worker', undefined)
    const worker = new Plain()
    const end = endOfWorker(worker)
    const heard: string[] = []
    end.listen(() => heard.push('end'))
    worker.end()
    expect([end.thread, end.hasEnded(), heard]).toEqual([7, undefined, ['end']])
    expect(errorOf(() => endOfWorker({ once: () => undefined })).code).toBe('ERR_MEMLAYER_SHARED')
  })
})
