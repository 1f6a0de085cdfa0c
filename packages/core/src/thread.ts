// Which thread this is, where the host tells: Node, Bun and Deno have one way of asking.

interface Host {
  readonly process?: { getBuiltinModule?(id: string): { readonly threadId?: unknown } | undefined }
}

/** In place of a thread's number: the host does not tell. */
export const UNKNOWN_THREAD = -1

/** This thread's number, which its `Worker` has as `threadId`; 0: the main thread. */
export function threadId(): number {
  const id = (globalThis as Host).process?.getBuiltinModule?.('node:worker_threads')?.threadId
  return typeof id === 'number' ? id : UNKNOWN_THREAD
}
