// When a thread may have ended, as the engine tells. linux-table.ts and windows-table.ts ask.

/** Where the process object says that somebody listens. Copies of this package have the same table, so one will do. */
const LISTENS: unique symbol = Symbol.for('memlayer.listensForThreads.1')

interface Ending {
  once(event: 'exit', listener: () => void): void
}

interface Telling {
  [LISTENS]?: boolean
  on?(event: 'worker', listener: (worker: Ending) => void): void
}

/** Node tells of each new worker. Elsewhere nobody calls. */
export function onThreadEnd(listener: () => void): void {
  const host = process as Telling
  if (host[LISTENS] === true) return
  host[LISTENS] = true
  host.on?.('worker', (worker) => worker.once('exit', listener))
}
