// The worker of workers.ts. It runs the tasks that it receives, and posts the result or the error's code.
import { parentPort } from 'node:worker_threads'
import { memory, type SharedRegion, type ShareToken } from 'memlayer'

let region: SharedRegion | undefined
let view: Int32Array | undefined

const tasks: Readonly<Record<string, (argument: never) => unknown>> = {
  attach(token: ShareToken) {
    region = memory.attach(token)
    return [region.size, region.name]
  },
  count(times: number) {
    view = region?.view(Int32Array, 0, 16)
    for (let i = 0; i < times; i++) if (view !== undefined) Atomics.add(view, 3, 1)
    return view?.[3]
  },
  look: () => view?.length,
  release() {
    region?.release()
    return view?.length
  },
  again: () => region?.view(Uint8Array, 0, 1).length,
}

parentPort?.on('message', ([task, argument]: [string, never]) => {
  try {
    parentPort?.postMessage({ value: tasks[task]?.(argument) })
  } catch (error) {
    parentPort?.postMessage({ code: (error as { code?: string }).code })
  }
})
