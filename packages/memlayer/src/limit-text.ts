// The types and the words that findings about limits share: limits.ts, process-limits.ts, host-limits.ts.
import { formatBytes, type OS } from '@memlayer/core'

export type Limits = NonNullable<ReturnType<NonNullable<NonNullable<OS['host']>['limits']>>>
export type WindowsLimits = Extract<Limits, { readonly commitAvailable: number }>
export type PosixLimits = Exclude<Limits, WindowsLimits>

/** Room for one whole region. A limit that leaves less gives a warning. */
export const roomBytesMin: number = 2 ** 30
/** Room for reservations. A limit that leaves less address space gives a warning. */
export const addressRoomBytesMin: number = 64 * roomBytesMin

/** An amount in words. */
export function bytes(n: number): string {
  return Number.isNaN(n) ? 'an unknown amount' : formatBytes(n)
}

/** A limit that `ulimit` of the shell sets. */
export function limitText(what: string, limit: number, option: '-v' | '-l' | '-d'): string {
  if (Number.isNaN(limit)) return `The limit on ${what} is not known (ulimit ${option}).`
  if (limit === Infinity) return `There is no limit on ${what} (ulimit ${option}).`
  return `The limit on ${what} is ${formatBytes(limit)} (ulimit ${option}).`
}
