// The clock and the timer of a scavenger: the host's. Tests have another one.

/** What a scavenger knows of time. */
export interface Clock {
  /** Milliseconds. */
  now(): number
  /** Milliseconds that the thread was on a processor, or that passed where the engine does not tell. */
  worked(): number
  /** Calls `run` once, later. It keeps no process alive. */
  after(milliseconds: number, run: () => void): void
  /** The part of the time since the last call in which the thread was at work; NaN: the engine does not tell. */
  busy(): number
}

interface Utilization {
  readonly utilization: number
}

/** What the engine has of it. Node alone tells how busy the thread is, and from 23.9 on its processor time. */
interface Host {
  readonly process?: { threadCpuUsage?(): { readonly user: number; readonly system: number } }
  readonly performance?: {
    now(): number
    eventLoopUtilization?(now?: Utilization, before?: Utilization): Utilization
  }
  setTimeout(run: () => void, milliseconds: number): number | { unref?(): void }
}

/** The host's clock, for one scavenger. */
export function hostClock(): Clock {
  const { performance, process, setTimeout } = globalThis as unknown as Host
  let last: Utilization | undefined
  return {
    now: () => performance?.now() ?? Date.now(),
    worked() {
      const usage = process?.threadCpuUsage?.()
      return usage === undefined ? this.now() : (usage.user + usage.system) / 1000
    },
    after(milliseconds, run) {
      const timer = setTimeout(run, milliseconds)
      if (typeof timer === 'object') timer.unref?.()
    },
    busy() {
      const now = performance?.eventLoopUtilization?.()
      const since = last === undefined ? now : performance?.eventLoopUtilization?.(now, last)
      last = now
      return since?.utilization ?? NaN
    },
  }
}
