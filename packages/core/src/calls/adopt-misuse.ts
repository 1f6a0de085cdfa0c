// Errors of adoption, and of regions whose buffer has lost its pages.
import type { Address } from '@memlayer/kernel'
import { UsageError } from '../errors.js'
import { formatAddress } from '../text.js'

/** The region that has pages of a buffer. */
export interface Owner {
  readonly name: string
  /** Whether it was made by `adopt`. */
  readonly isAdopted: boolean
  /** Whether the program dropped it without a release. */
  readonly isCollected: boolean
}

/** @throws UsageError ERR_MEMLAYER_OPTION always. */
export function notEngine(name: string): never {
  const message = `adopt: memory of ${name} takes no buffer of the engine`
  const hint = "Use the memory of 'memlayer/engine', or of a createMemory() over @memlayer/os-engine."
  throw new UsageError('ERR_MEMLAYER_OPTION', message, { op: 'adopt', hint })
}

/**
 * This memory has the page at `v` already. `owner` null: no region has it.
 *
 * @throws UsageError ERR_MEMLAYER_OPTION always.
 */
export function adoptedBefore(v: Address, owner: Owner | null): never {
  const has =
    owner === null ? `this memory has the page at ${formatAddress(v)}` : `the region '${owner.name}' has pages`
  const message = `adopt: ${has} of this buffer already`
  throw new UsageError('ERR_MEMLAYER_OPTION', message, { op: 'adopt', hint: hintOf(v, owner) })
}

function hintOf(v: Address, owner: Owner | null): string {
  if (owner === null) return `Use the range at ${formatAddress(v)}, or free it first: memory.sysFree(v, n, null).`
  if (!owner.isCollected) return `Use that region, or call its ${owner.isAdopted ? 'release' : 'free'}() first.`
  return 'It was collected without being freed: free its parts in memory.leaks() first, by memory.sysFree(v, n, null).'
}

/** A buffer of `length` bytes, of which no page is whole. */
export function noWholePage(length: number, page: number): UsageError {
  const what = length === 0 ? 'has no bytes: it is empty, or was detached' : `of ${length} bytes has no whole page`
  const hint = `Adopt a buffer of at least two pages of ${page} bytes. One of them lies whole in it.`
  return new UsageError('ERR_MEMLAYER_SIZE', `adopt: the buffer ${what}`, { op: 'adopt', hint })
}

/** What has become of a buffer that has lost its pages. */
const LOST = 'was detached, has shrunk or has moved'

/** @throws UsageError ERR_MEMLAYER_DISPOSED always. */
export function gone(op: string, name: string): never {
  const message = `${op}: the buffer of the region '${name}' ${LOST}`
  const hint = 'Adopt the buffer that has the bytes now.'
  throw new UsageError('ERR_MEMLAYER_DISPOSED', message, { op, region: name, hint })
}

/** A view was lent whose bytes are elsewhere now. @throws UsageError ERR_MEMLAYER_VIEW always. */
export function goneWhileLent(op: string, name: string): never {
  const message = `${op}: the view's bytes are gone, because the buffer of the region '${name}' ${LOST}`
  const hint = 'Adopt the buffer that has the bytes now. Transfer a buffer after what lend() returned has settled.'
  throw new UsageError('ERR_MEMLAYER_VIEW', message, { op, region: name, hint })
}
