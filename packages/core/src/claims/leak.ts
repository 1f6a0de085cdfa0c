// Regions that were dropped and never freed: one warning each, with the place where the region was reserved.
import { formatAddress } from '../text.js'
import { warn } from '../warning.js'
import type { RegionRecord } from './region-record.js'

const leaks = new FinalizationRegistry<RegionRecord>(warnOfLeak)

/** Warns if `region` is collected before `forget(record)`. */
export function watch(region: object, record: RegionRecord): void {
  leaks.register(region, record, record)
}

/** The region was freed. */
export function forget(record: RegionRecord): void {
  leaks.unregister(record)
}

function warnOfLeak({ name, address, size, made }: RegionRecord): void {
  const region = `the region '${name}' of ${size} bytes at ${formatAddress(address)}`
  const message =
    `${region} was collected without being freed: ` +
    `it stays as it is, with the memory behind it, until the process ends`
  const advice =
    "Declare it with 'using', or call region.free(). " +
    'To free what is left of this one, call memory.sysFree(address, size, null).'
  warn('MEMLAYER_LEAK', message, `${placeOf(made)}\n${advice}`)
}

/** The stack lines below the first, which is the error's own text. */
function placeOf(made: string): string {
  return made.split('\n').slice(1).join('\n')
}
