// Workers: which thread this is, and how to hear of the end of another.
import { UsageError } from '../errors.js'
import { show } from '../text.js'

/** A worker, as far as its end can be heard of: the `Worker` of `node:worker_threads`, and Bun's. */
export interface WorkerLike {
  /** Node's: calls the listener once when the thread has ended. */
  once?(event: 'exit', listener: () => void): unknown
  /** Bun's: calls the listener when the thread has ended. */
  addEventListener?(event: 'close', listener: () => void): unknown
  /** Which thread it is; -1: it has ended. */
  readonly threadId?: number
}

/** In place of a thread's number: the host does not tell. */
export const UNKNOWN_THREAD = -1

interface Host {
  readonly process?: { getBuiltinModule?(id: string): { readonly threadId?: unknown } | undefined }
}

/** This thread's number, which its `Worker` has as `threadId`; 0: the main thread. */
export function threadId(): number {
  const id = (globalThis as Host).process?.getBuiltinModule?.('node:worker_threads')?.threadId
  return typeof id === 'number' ? id : UNKNOWN_THREAD
}

/**
 * How to hear of a worker's end: call what it returns with a listener.
 *
 * @throws UsageError ERR_MEMLAYER_SHARED when the host does not tell of the worker's end, or it has ended.
 */
export function endOfWorker(worker: WorkerLike): (listener: () => void) => void {
  const isObject = typeof worker === 'object' && worker !== null
  if (isObject && worker.threadId === -1) {
    const hint = 'Start another worker, and share the region with that one.'
    throw new UsageError('ERR_MEMLAYER_SHARED', 'share: the worker has ended', { op: 'share', hint })
  }
  // A port has a `once` as well, but does not tell of its thread's end.
  const { MessagePort } = globalThis as { MessagePort?: new () => object }
  const isPort = MessagePort !== undefined && worker instanceof MessagePort
  const { once, addEventListener }: WorkerLike = isObject && !isPort ? worker : {}
  if (typeof once === 'function') return (listener) => void once.call(worker, 'exit', listener)
  // Several hosts have addEventListener. Only Bun's tells of a worker that was terminated.
  if (typeof addEventListener === 'function' && 'Bun' in globalThis) {
    return (listener) => void addEventListener.call(worker, 'close', listener)
  }
  throw new UsageError(
    'ERR_MEMLAYER_SHARED',
    `share: the worker is ${show(worker)}, and this host can't tell when it ends`,
    {
      op: 'share',
      hint: 'Pass the Worker of node:worker_threads that you post the token to. The share ends with that worker.',
    },
  )
}
