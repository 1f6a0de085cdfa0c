// What is passed about scavenging, checked.
import { UsageError } from '../errors.js'
import { checkOptions } from '../options.js'
import { show } from '../text.js'
import { scavenging, type ScavengeOptions, type Scavenging } from './scavenger.js'

/** How much `memory.scavenge` gives back. */
export interface ScavengeRequest {
  /** Bytes. Default: all that is idle. */
  readonly bytes?: number | undefined
}

/** @throws UsageError ERR_MEMLAYER_OPTION for an option that is not known or has a wrong value. */
export function scavengingOf(given: ScavengeOptions): Scavenging {
  const op = 'createMemory'
  const { lazy, retain, decay, share } = checkOptions(op, given, ['lazy', 'retain', 'decay', 'share'])
  if (lazy !== undefined && typeof lazy !== 'boolean') wrong(op, 'scavenge.lazy', lazy, 'Pass true or false.')
  return {
    lazy: lazy ?? scavenging.lazy,
    retain: numberOf(op, 'scavenge.retain', retain ?? scavenging.retain, Infinity, 'Pass a part of what is Ready.'),
    decay: numberOf(op, 'scavenge.decay', decay ?? scavenging.decay, Infinity, 'Pass milliseconds, 0 or more.'),
    share: numberOf(op, 'scavenge.share', share ?? scavenging.share, 1, "Pass a part of the thread's time, 0 to 1."),
  }
}

/** @throws UsageError ERR_MEMLAYER_OPTION as above. */
export function bytesToScavenge(given: ScavengeRequest = {}): number {
  const { bytes = Infinity } = checkOptions('scavenge', given, ['bytes'])
  return numberOf('scavenge', 'bytes', bytes, Infinity, 'Pass a number of bytes, 0 or more.')
}

function numberOf(op: string, name: string, value: unknown, most: number, hint: string): number {
  if (typeof value === 'number' && value >= 0 && value <= most) return value
  return wrong(op, name, value, hint)
}

function wrong(op: string, name: string, value: unknown, hint: string): never {
  throw new UsageError('ERR_MEMLAYER_OPTION', `${op}: the option ${name} is ${show(value)}`, { op, hint })
}
