// Regions that were dropped and never given back: said once each, with the place where the
// region was made.
import type { Address } from '@memlayer/kernel'
import { formatAddress } from './errors.js'
import { warn } from './warning.js'

/** What is remembered of a region until it is disposed or collected. */
export interface Trace {
  readonly name: string
  readonly address: Address
  readonly size: number
  /** The stack of the place of creation, as text: an Error would keep all that was on it, and so the region itself. */
  readonly made: string
}

/** Warns of a region that was collected without having been disposed of. */
export function warnOfLeak({ name, address, size, made }: Trace): void {
  const message = `the region '${name}' of ${size} bytes at ${formatAddress(address)} was collected without being freed: it stays as it is, with the memory behind it, until the process ends`
  const detail = `${placeOf(made)}\nDeclare it with 'using', or call region.free(). What is left of this one goes by memory.sysFree(address, size, null).`
  warn('MEMLAYER_LEAK', message, detail)
}

/** Where a region was made: the first stack line outside of this package. */
export function placeOf(made: string): string {
  return made.split('\n').slice(1).join('\n')
}
