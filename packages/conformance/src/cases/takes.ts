// Takes and gives of units, with a book of what is owned, as the cases of memory that grows at one end need them. A
// scene asks the backend itself, because core would ask for no address that it owns.
import type { OS } from '@memlayer/core'
import type { Address } from '@memlayer/kernel'
import { claim, rangeText, same } from '../claim.js'

/** More units than are ever free. */
export const UNITS_MAX = 64

export type Range = readonly [v: Address, n: number]

/** A backend in the middle of a history. */
export interface Scene {
  readonly os: OS
  readonly unit: number
  /** What is owned. */
  readonly owned: Set<Range>
  /** Each address at which a range ever began or ended. */
  readonly edges: Set<Address>
  /** Makes the kernel refuse all calls of `run`. */
  readonly refuse: <T>(run: () => T) => T
}

export function sceneOf(os: OS, unit: number, refuse: Scene['refuse']): Scene {
  return { os, unit, refuse, owned: new Set(), edges: new Set() }
}

/** Reserves. What is done leaves no refusal. */
export function reserve(os: OS, v: Address | null, n: number): Address | null {
  os.refusal = null
  const p = os.sysReserveOS(v, n)
  if (p !== null) same(os.refusal ?? null, null, `the refusal after sysReserveOS of ${rangeText(p, n)}, which was done`)
  return p
}

/** Takes `units` at an address that the backend chooses. */
export function take({ os, unit, owned, edges }: Scene, units: number): Range {
  const n = units * unit
  const v = reserve(os, null, n)
  claim(v !== null, `sysReserveOS refused ${n} bytes, and the kernel refused nothing`)
  os.sysMapOS(v, n)
  os.sysUsedOS(v, n)
  const range = [v, n] as const
  owned.add(range)
  edges.add(v).add(v + n)
  return range
}

export function give({ os, owned }: Scene, range: Range): void {
  os.sysFreeOS(...range)
  owned.delete(range)
}

/** Asks for `n` bytes, and gives them back if they are there. True: refused. */
export function isRefused({ os }: Scene, v: Address | null, n: number): boolean {
  const p = reserve(os, v, n)
  if (p !== null) os.sysFreeOS(p, n)
  return p === null
}
