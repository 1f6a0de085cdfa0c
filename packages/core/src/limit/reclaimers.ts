// Reclaimers: what can give memory back when it is short. Caches, pools and buffers that can shrink.
import { UsageError } from '../errors.js'
import { checkOptions } from '../options.js'
import { show, thrownText } from '../text.js'
import { run, warn } from '../warning.js'

/** What a reclaimer is asked for. */
export interface ReclaimRequest {
  /** Bytes that are needed. */
  readonly want: number
  /**
   * `'near'`: memory is short on the host, or a limit is near. `'over'`: an operation is refused unless so much is
   * given back.
   */
  readonly level: 'near' | 'over'
}

/**
 * Gives memory back, by `idle`, `unused`, `zero` or `free` of what it can spare. It may return how many bytes that
 * were, for reports: the layer counts for itself whether there is room.
 */
export type Reclaimer = (request: ReclaimRequest) => number | void

/** How a reclaimer is known. */
export interface ReclaimerOptions {
  /** What people call it. */
  readonly name: string
  /** Those with a lower number are asked first. Default 0. */
  readonly priority?: number | undefined
}

/** What a reclaimer gave in a round. */
export interface Given {
  /** The reclaimer's name, or `'the scavenger'`. */
  readonly name: string
  /** Bytes by which the layer's own count fell, or more where it said so: what was zeroed stays Ready. */
  readonly bytes: number
}

const hintOfOptions = "Pass an object, { name: 'cache' }, and then the function."

interface Entry {
  readonly name: string
  readonly priority: number
  readonly reclaim: Reclaimer
  hasWarned: boolean
}

/** Reclaimers that are still to be asked. */
export type Pending = Entry[]

/** The reclaimers of one memory. */
export class Reclaimers {
  #entries: readonly Entry[] = []
  #isRunning = false
  /** The place of the first one that the next round asks. 0: the one of the lowest number. */
  #next = 0

  /** Adds one. The function returned takes it away. */
  add(options: ReclaimerOptions, reclaim: Reclaimer): () => void {
    const op = 'reclaimer'
    const { name, priority = 0 } = checkOptions(op, options, ['name', 'priority'], hintOfOptions)
    if (typeof name !== 'string' || name === '') wrong(`the name is ${show(name)}`, 'Pass a name that is not empty.')
    if (typeof priority !== 'number' || Number.isNaN(priority))
      wrong(`the priority is ${show(priority)}`, 'Pass a number.')
    if (typeof reclaim !== 'function') wrong(`the reclaimer is ${show(reclaim)}`, 'Pass a function.')
    const entry: Entry = { name, priority, reclaim, hasWarned: false }
    this.#entries = [...this.#entries, entry].sort((a, b) => a.priority - b.priority)
    return () => {
      this.#entries = this.#entries.filter((one) => one !== entry)
    }
  }

  /** Whether there is one. */
  get hasAny(): boolean {
    return this.#entries.length > 0
  }

  /** Whether a reclaimer is at work. What it does to the memory asks no other one. */
  get isRunning(): boolean {
    return this.#isRunning
  }

  /** Those that a round has to ask, in order. After a round that was too late for some, the next begins with these. */
  pending(): Pending {
    const first = this.#next
    this.#next = 0
    return [...this.#entries.slice(first), ...this.#entries.slice(0, first)]
  }

  /**
   * Asks each of `pending` once, and takes it off, until `missing` is 0 or less or `isLate`. One is always asked,
   * however late it is. Returns what each gave, by the count of `missing`.
   */
  round(
    level: ReclaimRequest['level'],
    missing: () => number,
    isLate: () => boolean,
    pending: Pending = this.pending(),
  ): Given[] {
    const given: Given[] = []
    this.#isRunning = true
    try {
      for (let want = missing(); want > 0 && pending.length > 0; want = missing()) {
        if (given.length > 0 && isLate()) {
          this.#next = Math.max(0, this.#entries.indexOf(pending[0] as Entry))
          break
        }
        const entry = pending.shift() as Entry
        // One that was asked before may have taken it away.
        if (!this.#entries.includes(entry)) continue
        const said = this.#ask(entry, { want, level })
        given.push({ name: entry.name, bytes: Math.max(said, want - missing()) })
      }
    } finally {
      this.#isRunning = false
    }
    return given
  }

  /** Returns the bytes that it says it gave; 0: it says nothing. What it throws harms no other. */
  #ask(entry: Entry, request: ReclaimRequest): number {
    let said = 0
    run(
      () => {
        const answer = entry.reclaim(request)
        if (Number.isFinite(answer)) said = Math.max(0, answer as number)
        return answer
      },
      (error) => {
        if (entry.hasWarned) return
        entry.hasWarned = true
        const text = thrownText(error)
        warn('MEMLAYER_RECLAIMER', `The reclaimer '${entry.name}' threw ${text}.`, 'Others were asked in its place.')
      },
    )
    return said
  }
}

function wrong(what: string, hint: string): never {
  throw new UsageError('ERR_MEMLAYER_OPTION', `reclaimer: ${what}`, { op: 'reclaimer', hint })
}
