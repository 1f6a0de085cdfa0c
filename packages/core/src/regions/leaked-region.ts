// A leaked region, as `memory.leaks()` tells of it. regions.ts makes them.
import type { Address } from '@memlayer/kernel'

/** A region that was collected without being freed. Nothing can free it but `memory.sysFree` with its parts. */
export interface LeakedRegion {
  /** The number that it had. */
  readonly id: number
  /** The name that it had. */
  readonly name: string
  /** Where it begins. */
  readonly address: Address
  /** Its bytes. */
  readonly size: number
  /** The category that counts it. */
  readonly category: string
  /** The stack of the place where it was reserved. */
  readonly made: string
  /** What of it is still owned: pairs of address and size, in order. */
  readonly parts: readonly (readonly [address: Address, size: number])[]
}
