// The result of the table as text: how many faults each backend has, how many are caught, by how many cases, and which
// survive.
import type { TableResult } from './command.js'
import { reasonFor } from './survivors.js'

/** The sums of a run. */
export interface Sums {
  readonly faults: number
  readonly caught: number
  /** Survivors with a reason. */
  readonly explained: number
  /** Survivors without one. */
  readonly missed: number
  /** Faults that were caught although a reason says that they can't be. */
  readonly stale: number
}

/** The sums of some results. */
export function sumsOf(results: readonly TableResult[]): Sums {
  let [faults, caught, explained, missed, stale] = [0, 0, 0, 0, 0]
  for (const { name, outcomes } of results) {
    for (const { fn, way, caughtBy } of outcomes) {
      const isExplained = reasonFor(name, { fn, way }) !== null
      faults += 1
      if (caughtBy.length > 0) caught += 1
      else if (isExplained) explained += 1
      else missed += 1
      if (caughtBy.length > 0 && isExplained) stale += 1
    }
  }
  return { faults, caught, explained, missed, stale }
}

/** The result for a terminal. `enough`: after so many cases a fault was done with. */
export function tableText(results: readonly TableResult[], enough: number): string {
  const lines = [`${'backend'.padEnd(24)} faults  caught  survive   by cases (${enough}: or more)`]
  for (const result of results) {
    const { faults, caught } = sumsOf([result])
    const by = Array.from({ length: enough }, (_, i) => {
      const count = result.outcomes.filter(({ caughtBy }) => caughtBy.length === i + 1).length
      return `${i + 1}: ${count}`
    })
    const numbers = [faults, caught, faults - caught].map((n) => String(n).padStart(6)).join('  ')
    lines.push(`${result.name.padEnd(24)} ${numbers}   ${by.join(', ')}`)
  }
  for (const { name, outcomes } of results) {
    for (const { fn, way, caughtBy } of outcomes) {
      const why = reasonFor(name, { fn, way })
      if (caughtBy.length > 0 && why !== null) lines.push(`${name}: ${fn} ${way}: CAUGHT by ${caughtBy.join()}: ${why}`)
      if (caughtBy.length === 0) lines.push(`${name}: ${fn} ${way}: ${why ?? 'NOT CAUGHT'}`)
    }
  }
  return lines.join('\n')
}
