// Regions that were dropped and never given back: said once each, with the place where the
// region was made.
import { warn } from './warning.js'

/** What is remembered of a region until it is disposed or collected. */
export interface Trace {
  readonly name: string
  readonly size: number
  /** Holds the stack of the place of creation; formatted only if it is asked for. */
  readonly made: Error
}

/** Warns of a region that was collected without having been disposed of. */
export function warnOfLeak({ name, size, made }: Trace): void {
  const message = `the region '${name}' of ${size} bytes was collected without being freed: its address space is lost until the process ends`
  const detail = `${placeOf(made)}\nDeclare it with 'using', or call region.free().`
  warn('MEMLAYER_LEAK', message, detail)
}

/** Where a region was made: the first stack line outside of this package. */
export function placeOf(made: Error): string {
  return (made.stack ?? '').split('\n').slice(1).join('\n')
}
