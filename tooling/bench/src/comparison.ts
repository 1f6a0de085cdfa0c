// What a benchmark says: lines, each of memlayer beside one other way, and the goal that is set for it.
import type { Spread } from './measure.js'

/** What a figure is: how it is written, and whether less of it is better. */
export type Unit = 'ns' | 'bytes' | 'percent' | 'count'

/** How two figures are compared. */
export type Measure =
  /** Ours over theirs: 1.00 is the same, less is better. */
  | 'times'
  /** Theirs over ours: how many times as fast. */
  | 'faster'
  /** Ours less theirs, in their unit. */
  | 'more'
  /** Our figure alone; theirs stands beside it. */
  | 'alone'

/** A goal. Where `value` does not meet it, the page says so; nothing fails. */
export interface Goal {
  readonly kind: 'most' | 'least' | 'within'
  readonly value: number
}

/** One line of the page. */
export interface Comparison {
  /** What is done. */
  readonly work: string
  readonly unit: Unit
  /** memlayer's figure. */
  readonly ours: Spread
  /** What stands beside it: `'C'`. */
  readonly beside: string
  /** Its figure; null: it can't be had here, for the reason in `note`. */
  readonly theirs: Spread | null
  readonly measure: Measure
  /** The comparison, made round by round; null where there is nothing beside. */
  readonly result: Spread | null
  readonly goal?: Goal
  /** What a reader has to know besides. */
  readonly note?: string
}

/** Whether a comparison meets its goal; null: it has none, or can't be made here. `within` is around 1. */
export function meets({ goal, result }: Comparison): boolean | null {
  if (goal === undefined || result === null || Number.isNaN(result.median)) return null
  if (goal.kind === 'most') return result.median <= goal.value
  if (goal.kind === 'least') return result.median >= goal.value
  return Math.abs(result.median - 1) <= goal.value
}
