// The intent: what an operation is about to do to a range. It is written before the kernel is asked, and cleared when
// the account has it. A script can end between the two: its host stops it, or its stack is full, and no catch and no
// finally need run. The next operation finds the intent, and settles the range to the safe side (calls/settle.ts).
import type { Address } from '@memlayer/kernel'

/** The state that a settled range goes to, besides PREPARED and RESERVED. None: the range may be gone. */
export const NONE = 0
/** Every part of the range is safe in the state that the ledger has for it. */
export const AS_IS = 4
/** None, and the addresses are kept: see retired/retired.ts. */
export const RETIRED = 5

/** At most one operation of a memory is between the kernel and the account. */
export class Intent {
  /** Whether an operation is under way, or was left. */
  isOpen = false
  /** The state that a range which was left goes to. */
  state: number = AS_IS
  /** Where the range begins. */
  address: Address = NaN
  /** Its bytes. */
  size = 0
  /** Several ranges in place of one, as pairs of address and size; null: it is one. */
  pairs: ArrayLike<number> | null = null

  /** The kernel is asked next. */
  begin(state: number, v: Address, n: number): void {
    this.state = state
    this.address = v
    this.size = n
    this.pairs = null
    this.isOpen = true
  }

  /** The kernel is asked next, about many ranges. */
  beginAll(state: number, pairs: ArrayLike<number>): void {
    this.state = state
    this.pairs = pairs
    this.isOpen = true
  }

  /** The account has it, or nothing has changed. */
  end(): void {
    this.isOpen = false
    this.pairs = null
  }
}
