// The ends of workers, as their events tell. A worker has one listener of this module, however many heaps it was given,
// because Node warns of more than ten. It goes when the last heap is destroyed.
import type { WorkerLike } from '@memlayer/core'

/** A worker whose listeners can be removed: Node's and Bun's. */
interface Removable extends WorkerLike {
  off?(event: 'exit', listener: () => void): unknown
  removeEventListener?(event: 'close', listener: () => void): unknown
}

interface Watched {
  readonly listeners: Set<() => void>
  /** Takes the listener from the worker. */
  readonly end: () => void
}

const watched = /* @__PURE__ */ new WeakMap<WorkerLike, Watched>()

/** Calls `listener` when the worker has ended. Returns what takes that back. */
export function onWorkerEnd(worker: WorkerLike, listener: () => void): () => void {
  const { listeners, end } = watched.get(worker) ?? watch(worker)
  listeners.add(listener)
  return () => {
    listeners.delete(listener)
    if (listeners.size > 0 || watched.get(worker)?.listeners !== listeners) return
    watched.delete(worker)
    end()
  }
}

function watch(worker: Removable): Watched {
  const listeners = new Set<() => void>()
  const tell = (): void => {
    for (const listener of [...listeners]) listener()
  }
  if (worker.once) worker.once('exit', tell)
  else worker.addEventListener?.('close', tell)
  const end = (): void => {
    worker.off?.('exit', tell)
    worker.removeEventListener?.('close', tell)
  }
  const made = { listeners, end }
  watched.set(worker, made)
  return made
}
