// Workers: which thread this is, and when another has ended. An event can be emitted by anybody, so it is a call to
// look and no proof. The proof is the host's own word about the thread.
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

type Getter = (() => unknown) | undefined
type WorkerClass = { readonly prototype: object } | undefined

interface Host {
  readonly process?: { getBuiltinModule?(id: string): { readonly threadId?: unknown; readonly Worker?: WorkerClass } }
  readonly Worker?: WorkerClass
}

const host = globalThis as Host

/** This thread's number, which its `Worker` has as `threadId`; 0: the main thread. */
export function threadId(): number {
  const id = host.process?.getBuiltinModule?.('node:worker_threads').threadId
  return typeof id === 'number' ? id : UNKNOWN_THREAD
}

/** The end of one worker. */
export interface WorkerEnd {
  /** Its thread's number. */
  readonly thread: number | undefined
  /** Calls `listener` when the worker may have ended. */
  listen(listener: () => void): void
  /** Whether its thread has ended; undefined: this host does not tell, and the worker's event has to be believed. */
  hasEnded(): boolean | undefined
}

/**
 * How to learn of a worker's end.
 *
 * @throws UsageError ERR_MEMLAYER_SHARED for what is no worker, when the host does not tell of its end, or it has
 * ended.
 */
export function endOfWorker(worker: WorkerLike): WorkerEnd {
  const getter = getterOf(worker)
  const { threadId: thread, once, addEventListener }: WorkerLike = isWorker(worker, getter) ? worker : {}
  const threadNow = (): unknown => (getter === undefined ? thread : getter.call(worker))
  if (threadNow() === -1) {
    const hint = 'Start another worker, and share the region with that one.'
    throw new UsageError('ERR_MEMLAYER_SHARED', 'share: the worker has ended', { op: 'share', hint })
  }
  const hasEnded = (): boolean | undefined => (getter === undefined ? undefined : threadNow() === -1)
  if (typeof once === 'function') {
    return { thread, hasEnded, listen: (listener) => void once.call(worker, 'exit', listener) }
  }
  // Several hosts have addEventListener. Only Bun's tells of a worker that was terminated.
  if (typeof addEventListener === 'function' && 'Bun' in globalThis) {
    return { thread, hasEnded, listen: (listener) => void addEventListener.call(worker, 'close', listener) }
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

const classes = (): WorkerClass[] => [host.process?.getBuiltinModule?.('node:worker_threads').Worker, host.Worker]

/** What reads the number of this worker's thread. Node's and Bun's read what no other code can write. */
function getterOf(worker: WorkerLike): Getter {
  return classes()
    .map((type): Getter => type && Object.getOwnPropertyDescriptor(type.prototype, 'threadId')?.get)
    .find((getter) => getter !== undefined && reads(getter, worker))
}

/** Whether a getter takes this object for a worker. It throws for what only looks like one. */
function reads(getter: () => unknown, worker: WorkerLike): boolean {
  try {
    return typeof getter.call(worker) === 'number'
  } catch {
    return false
  }
}

/** Whether it is a worker. Where no class has a getter, as in Deno, the object's class has to do. */
function isWorker(worker: WorkerLike, getter: Getter): boolean {
  if (getter !== undefined) return true
  return classes().some(
    (type) => type !== undefined && isWithoutGetter(type) && isPrototypeOf.call(type.prototype, worker),
  )
}

const { isPrototypeOf } = Object.prototype
const isWithoutGetter = (type: NonNullable<WorkerClass>): boolean =>
  Object.getOwnPropertyDescriptor(type.prototype, 'threadId')?.get === undefined
