// Takes snapshots, and keeps the log that goes with them. server.ts and the terminal call it.
import type { Memory, MemoryEvent } from '@memlayer/core'
import { states, type LogEntry, type ProcessFigures, type Snapshot } from './snapshot.js'

/** A snapshot of `memory` now. `explain`: where all resident memory is, which is slow. */
export function takeSnapshot(memory: Memory, options: { readonly explain?: boolean; readonly log?: readonly LogEntry[] } = {}): Snapshot {
  const stats = memory.stats()
  const categories = ['', ...Object.keys(stats.categories)]
  const places = new Map(categories.map((name, place) => [name, place]))
  const ranges: number[] = []
  for (const { address, size, state, category } of memory.ranges()) {
    ranges.push(address, size, states.indexOf(state), places.get(category ?? '') ?? 0)
  }
  return {
    format: 'memlayer-snapshot',
    version: 1,
    at: Date.now(),
    os: memory.os.name,
    pageSize: memory.os.traits.pageSize,
    stats,
    categories,
    ranges,
    regions: memory.regions().map(({ name, address, size, stat, made }) => ({ name, address, size, category: stat.name, made: placeOf(made) })),
    process: processFigures(),
    mappings: options.explain === true ? memory.mappings() : null,
    explanation: options.explain === true ? memory.explain() : null,
    log: options.log ?? [],
  }
}

/** Keeps the last operations of a memory; `end` stops it. */
export class Log {
  readonly #entries: LogEntry[] = []
  readonly #most: number
  /** Ends the log. */
  readonly end: () => void

  constructor(memory: Memory, most: number = 1000) {
    this.#most = most
    this.end = memory.observe((event) => this.#add(event))
  }

  /** The last operations, the oldest first. */
  entries(): readonly LogEntry[] {
    return this.#entries.slice(-this.#most)
  }

  #add({ op, address, size, category, outcome, error }: MemoryEvent): void {
    this.#entries.push({ at: Date.now(), op, address, size, category, outcome, answer: answerOf(error) })
    // Trimmed by halves: shifting an array at each operation would cost more than the operation.
    if (this.#entries.length >= 2 * this.#most) this.#entries.splice(0, this.#entries.length - this.#most)
  }
}

function answerOf(error: Error | undefined): string {
  if (error === undefined) return 'done'
  const { syscall, errnoName } = error as { syscall?: unknown; errnoName?: unknown }
  return typeof syscall === 'string' && typeof errnoName === 'string' ? `${syscall} answered ${errnoName}` : error.message
}

function processFigures(): ProcessFigures {
  const { rss, heapUsed, external } = process.memoryUsage()
  const limit = process.constrainedMemory()
  // 2^63 less a page is how a control group without a limit answers.
  return { resident: rss, heapUsed, external, limit: limit > 0 && limit < 2 ** 53 ? limit : null }
}

/** The first line of a stack that is the user's own. */
function placeOf(stack: string): string {
  const lines = stack.split('\n').slice(1).map((line) => line.trim().replace(/^at /, ''))
  return lines.find((line) => !/@memlayer|\/packages\/core\//.test(line)) ?? ''
}
