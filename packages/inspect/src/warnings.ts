// Says alerts as process warnings, so that they reach a log while no page is open. Each is said once, and
// again only after it has been gone for a minute.
import type { Memory } from '@memlayer/core'
import { alertsOf, type Alert } from './alerts.js'
import type { Log } from './log.js'
import type { Moment } from './snapshot.js'
import type { Snapshots } from './take-snapshot.js'

/** Milliseconds from one look to the next, and how many times longer than the last one took it waits at least. */
const [lookMilliseconds, pauseRatio] = [5000, 1000]
/** An alert that was not there for so long may be said again. One near its threshold comes and goes. */
const clearMilliseconds = 60_000

/** The code of each kind, and what to do. Core warns of a leaked region itself, by MEMLAYER_LEAK. */
const kinds: Readonly<Record<Alert['code'], { readonly code: string; readonly detail: string } | null>> = {
  'near-limit': {
    code: 'MEMLAYER_ALERT_NEAR_LIMIT',
    detail: 'Free what is not needed, add a reclaimer, or raise the limit.',
  },
  'near-mappings': {
    code: 'MEMLAYER_ALERT_NEAR_MAPPINGS',
    detail: 'Raise vm.max_map_count with sysctl, or keep pages of one state side by side.',
  },
  refused: {
    code: 'MEMLAYER_ALERT_REFUSED',
    detail: 'Look at the operations of the inspector: they have what the kernel answered.',
  },
  growth: {
    code: 'MEMLAYER_ALERT_GROWTH',
    detail: 'Look at the places of the inspector, which are sorted by growth.',
  },
  leaked: null,
  pinned: { code: 'MEMLAYER_ALERT_PINNED', detail: 'Give each moved buffer to region.reclaim.' },
  'old-hold': {
    code: 'MEMLAYER_ALERT_OLD_HOLD',
    detail: 'Release it, or look at the holds of the inspector for its place.',
  },
}

/** The warnings of each memory. The first of them speaks, so that two inspectors do not say all twice. */
const speaking = new WeakMap<Memory, Set<Warnings>>()

/** What warnings look at. */
export interface Watched {
  /** The memory. */
  readonly memory: Memory
  /** What takes its figures. */
  readonly snapshots: Snapshots
  /** Its last operations. */
  readonly log: Log
  /** Its moments. */
  history(): readonly Moment[]
}

/** Looks at a memory every few seconds, until `end`. It keeps no process alive. */
export class Warnings {
  readonly #watched: Watched
  /** What was said, and when it was last seen. */
  readonly #said = new Map<string, number>()
  readonly #all: Set<Warnings>
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(watched: Watched, every: number = lookMilliseconds) {
    this.#watched = watched
    this.#all = speaking.get(watched.memory) ?? new Set()
    speaking.set(watched.memory, this.#all.add(this))
    this.#wait(every)
  }

  /** Says nothing more. */
  end(): void {
    this.#all.delete(this)
    clearTimeout(this.#timer)
  }

  #wait(every: number): void {
    this.#timer = setTimeout(() => {
      const start = performance.now()
      this.look(Date.now())
      if (this.#all.has(this)) this.#wait(Math.max(every, pauseRatio * (performance.now() - start)))
    }, every).unref()
  }

  /** Looks once. `now` is the time. */
  look(now: number): void {
    if (this.#all.values().next().value !== this) return
    const { snapshots, log, history } = this.#watched
    const alerts = new Map(
      alertsOf(snapshots.alerted(log), history()).map((one) => [`${one.code} ${one.of ?? ''}`, one]),
    )
    for (const [key, at] of this.#said) if (!alerts.has(key) && now - at > clearMilliseconds) this.#said.delete(key)
    for (const [key, alert] of alerts) {
      if (!this.#said.has(key)) warn(alert)
      this.#said.set(key, now)
    }
  }
}

function warn({ code, says }: Alert): void {
  const kind = kinds[code]
  if (kind !== null) process.emitWarning(says, { type: 'MemlayerWarning', ...kind })
}
