// A benchmark returns lines. Each line compares memlayer with one other way, and may set a goal.
import type { Spread } from './measure.js'

/** The unit of a figure. It decides how the page prints it. */
export type Unit = 'ns' | 'bytes' | 'percent' | 'count'

/** How a line compares two figures. */
export type Measure =
  /** Ours divided by theirs. 1.00 means equal, and less is better. */
  | 'times'
  /** Theirs divided by ours: how many times as fast ours is. */
  | 'faster'
  /** Ours minus theirs, in their unit. */
  | 'more'
  /** Our figure alone. Theirs stands beside it. */
  | 'alone'

/** A goal. The page marks a result that misses it, and the run still succeeds. */
export interface Goal {
  readonly kind: 'most' | 'least' | 'within'
  readonly value: number
}

/** One line of the page. */
export interface Comparison {
  /** The title of the work. */
  readonly work: string
  readonly unit: Unit
  /** memlayer's figure. */
  readonly ours: Spread
  /** The other way: `'C'`. */
  readonly beside: string
  /** The other way's figure, or null if this machine can't measure it. `note` then gives the reason. */
  readonly theirs: Spread | null
  readonly measure: Measure
  /** The comparison, made round by round. Null without another way. */
  readonly result: Spread | null
  readonly goal?: Goal
  /** What else a reader has to know. */
  readonly note?: string
}

/** Whether a comparison meets its goal. Null without a goal or a result. `within` is the distance from 1. */
export function meets({ goal, result }: Comparison): boolean | null {
  if (goal === undefined || result === null || Number.isNaN(result.median)) return null
  if (goal.kind === 'most') return result.median <= goal.value
  if (goal.kind === 'least') return result.median >= goal.value
  return Math.abs(result.median - 1) <= goal.value
}
