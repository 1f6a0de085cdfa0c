// The states of a range, and how the ledger writes a state and a category down as one number.
import type { Address } from '@memlayer/kernel'

/** The states that a range is in. None: the layer does not own it. */
export type RegionState = 'None' | 'Reserved' | 'Prepared' | 'Ready'

/** A range as `memory.ranges()` tells of it. */
export interface OwnedRange {
  /** Its first byte. */
  readonly address: Address
  /** Its bytes. */
  readonly size: number
  /** The one state that all of it is in. */
  readonly state: RegionState
  /** The category that counts it; `null` for a range that was only reserved. */
  readonly category: string | null
}

export const RESERVED = 1
export const PREPARED = 2
export const READY = 3

/** Sets of states, for `Ledger.expect`. The bit of a state is 1 << state. */
export const FROM_RESERVED: number = 1 << RESERVED
export const FROM_READY: number = 1 << READY
export const FROM_MAPPED: number = (1 << PREPARED) | (1 << READY)
export const FROM_OWNED: number = (1 << RESERVED) | (1 << PREPARED) | (1 << READY)

const stateNames: readonly RegionState[] = ['None', 'Reserved', 'Prepared', 'Ready']

/** A state and a category in one number: category * 4 + state. Category 0 counts nothing. */
export type Packed = number
/** The range is of several states or categories. */
export const MIXED: Packed = -1

export const pack = (state: number, category: number): Packed => category * 4 + state
export const stateOf = (packed: Packed): number => packed & 3
export const categoryOf = (packed: Packed): number => packed >> 2
export const nameOfState = (packed: Packed): RegionState => stateNames[stateOf(packed)] ?? 'None'

/** Whether all of a range is Prepared or Ready. False for MIXED, which does not tell. */
export const isMapped = (packed: Packed): boolean => packed !== MIXED && stateOf(packed) >= PREPARED

/** The names of a set of states, for a message. */
export function namesOfStates(states: number): string {
  return stateNames.filter((_, state) => (states >> state) & 1).join(' or ')
}
