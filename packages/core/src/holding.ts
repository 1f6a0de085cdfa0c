// What keeps pages Ready besides their owner, as people read it: in `memory.holds()` and in ERR_MEMLAYER_SHARED.
import type { Address } from '@memlayer/kernel'
import { formatAddress, lineOf } from './text.js'

/** One thing that keeps pages Ready. */
export interface Holding {
  /** What it is: the method that made it, or `'moved'`: a view whose bytes are in another buffer. */
  readonly kind:
    'hold' | 'lend' | 'lendAll' | 'readFrom' | 'stream' | 'toReadable' | 'readFile' | 'writeFile' | 'share' | 'moved'
  /** The region's name. */
  readonly region: string
  /** Where it begins in the region. */
  readonly offset: number
  /** Its bytes. */
  readonly length: number
  /** Where it begins. */
  readonly address: Address
  /** The stack of the place where it was made. Of a moved view: where its region was reserved. */
  readonly made: string
  /** The number of the worker that has it; null: this thread has. */
  readonly worker: number | null
  /** Milliseconds since it was made. Of a moved view: since it was found. */
  readonly age: number
}

/** Who made a hold or a share, and when. */
export interface Maker {
  readonly kind: Holding['kind']
  readonly region: string
  readonly offset: number
  readonly made: string
  /** By `now()`. */
  readonly since: number
}

interface Host {
  readonly performance?: { now(): number }
}

const host = globalThis as Host

/** Milliseconds, for ages. */
export function now(): number {
  return host.performance?.now() ?? Date.now()
}

/** One holding in a message: `region.lend() keeps the 4096 bytes at 0x… Ready (2 ms old, made at file.js:1:5)`. */
export function tell({ kind, length, address, made, worker, age }: Holding): string {
  const bytes = `the ${length} bytes at ${formatAddress(address)}`
  const place = lineOf(made)
  const since = `${Math.round(age)} ms old${place === '' ? '' : `, made at ${place}`}`
  if (kind !== 'share') return `region.${kind}() keeps ${bytes} Ready (${since})`
  return `a worker uses ${bytes} (${worker === null ? '' : `thread ${worker}, `}${since})`
}
