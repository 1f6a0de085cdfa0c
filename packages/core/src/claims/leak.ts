// Regions that were dropped and never freed: one warning each, with the place where the region was reserved.
import { formatAddress } from '../text.js'
import { warn } from '../warning.js'
import type { RegionRecord } from './region-record.js'

/** A warning names at most this many parts of a region. */
const callsMax = 8

const leaks = /* @__PURE__ */ new FinalizationRegistry<RegionRecord>(warnOfLeak)

/** Warns if `region` is collected before `forget(record)`. */
export function watch(region: object, record: RegionRecord): void {
  leaks.register(region, record, record)
}

/** The region was freed. */
export function forget(record: RegionRecord): void {
  leaks.unregister(record)
}

function warnOfLeak(record: RegionRecord): void {
  const { name, address, size, made } = record
  const region = `the region '${name}' of ${size} bytes at ${formatAddress(address)}`
  const message = `${region} was collected without being freed. Its address space and memory stay in use`
  const advice = `Declare regions with 'using', or call region.free(). ${waysToFree(record)}`
  warn('MEMLAYER_LEAK', message, `${placeOf(made)}\n${advice}`)
}

/** The calls that free what is left of a region. */
function waysToFree(record: RegionRecord): string {
  const calls = Array.from(record.owned(), ([v, n]) => `memory.sysFree(${formatAddress(v)}, ${n}, null)`)
  const left = calls.length > callsMax ? `, and free ${calls.length - callsMax} more parts` : ''
  const what = record.isPartFreed ? 'what is left of this one' : 'this one'
  return `To free ${what}, call ${calls.slice(0, callsMax).join(' and ')}${left}.`
}

/** The stack lines below the first, which is the error's own text. */
function placeOf(made: string): string {
  return made.split('\n').slice(1).join('\n')
}
