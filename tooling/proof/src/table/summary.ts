// Formats the trials of a backend for a terminal: figures by function, how many cases catch a fault, and the survivors.
import { nameOf } from './fault.js'
import { reasonOf } from './survivors.js'
import type { Same } from './table.js'
import type { Trial } from './trial.js'

/** The figures of one backend. */
export interface Figures {
  readonly backend: string
  readonly faults: number
  readonly caught: number
  /** Survivors that a case should catch. */
  readonly unexplained: number
}

/** Counts the trials of a backend. */
export function figuresOf(backend: string, trials: readonly Trial[]): Figures {
  const survivors = trials.filter(({ caughtBy }) => caughtBy.length === 0)
  const unexplained = survivors.filter(({ fault }) => reasonOf(backend, fault) === null).length
  return { backend, faults: trials.length, caught: trials.length - survivors.length, unexplained }
}

/** The trials of a backend as text. `all`: every case was run, so the counts of cases mean something. */
export function summaryOf(backend: string, trials: readonly Trial[], all: boolean): string {
  const { faults, caught, unexplained } = figuresOf(backend, trials)
  const share = ((100 * (faults - caught)) / Math.max(faults, 1)).toFixed(1)
  const lines = [`${backend}: ${faults} faults, ${caught} caught, ${faults - caught} survive (${share} %)`]
  for (const [fn, own] of byFunction(trials)) {
    const alive = own.filter(({ caughtBy }) => caughtBy.length === 0).length
    const counts = own.map(({ caughtBy }) => caughtBy.length)
    const cases = all ? `, by ${Math.min(...counts)} to ${Math.max(...counts)} cases` : ''
    lines.push(`  ${fn.padEnd(18)} ${String(own.length - alive).padStart(3)} of ${own.length} caught${cases}`)
  }
  if (all) lines.push(...trials.map(({ fault, caughtBy }) => `  ${nameOf(fault)}: ${caughtBy.length} cases`))
  if (caught < faults) lines.push(`survivors, ${unexplained} of them without a reason:`)
  for (const { fault, caughtBy } of trials) {
    if (caughtBy.length === 0) lines.push(`  ${nameOf(fault)}: ${reasonOf(backend, fault) ?? 'a case is missing'}`)
  }
  return lines.join('\n')
}

function byFunction(trials: readonly Trial[]): Map<string, Trial[]> {
  const found = new Map<string, Trial[]>()
  for (const trial of trials) found.set(trial.fault.fn, [...(found.get(trial.fault.fn) ?? []), trial])
  return found
}

/** The rows that are no faults, by reason. */
export function sameText(same: readonly Same[]): string {
  const by = new Map<string, number>()
  for (const { fault, reason } of same) {
    const words = `${fault.fn}: ${reason}`
    by.set(words, (by.get(words) ?? 0) + 1)
  }
  const lines = [...by].map(([words, count]) => `  ${String(count).padStart(3)} of ${words}`)
  return [`${same.length} rows of the table are no faults on this backend`, ...lines].join('\n')
}
