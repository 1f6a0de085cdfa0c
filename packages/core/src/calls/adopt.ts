// Adoption: the whole pages of a buffer that other code allocated become a region, Ready from the start. It answers to
// nothing in Go. Observers and the account hear of it as of sysAlloc, which makes the same transition.
import { bufferLength } from '@memlayer/kernel'
import type { SysMemStat } from '../account/mem-stat.js'
import type { RegionRecord } from '../claims/region-record.js'
import { UsageError, type OutOfMemoryError } from '../errors.js'
import { AS_IS } from '../ledger/intent.js'
import { READY } from '../ledger/states.js'
import type { AdoptedPages } from '../os.js'
import { freeParts } from './free-parts.js'
import type { Parts } from './parts.js'
import { outOfMemory, takeRefusal } from './refusal.js'
import { failed, settle } from './settle.js'
import type { Wrappers } from './wrappers.js'

/** None to Ready: the pages of a buffer, with their contents. They have memory already, so no limit refuses them. */
export function adopt(
  parts: Parts,
  ops: Wrappers,
  region: RegionRecord,
  bufferNow: () => ArrayBufferLike,
  stat: SysMemStat,
): void {
  const { ledger, account, budget, claims, intent } = parts
  if (intent.isOpen) settle(parts)
  const category = account.categoryOf('sysAlloc', stat)
  let pages = ask(parts, category, bufferNow)
  if ((pages === null || !isFree(parts, pages)) && forgetGone(parts, ops)) pages = ask(parts, category, bufferNow)
  if (pages === null) throw failed(parts, 'sysAlloc', null, NaN, category, refusal(parts, bufferNow))
  const { address: v, size: n } = pages
  if (!isFree(parts, pages)) adoptedBefore(region.name)
  intent.begin(AS_IS, NaN, 0)
  ledger.enter('sysAlloc', v, n, READY, category)
  budget.obtained(v, n)
  budget.mapped()
  account.add(n, category)
  region.isThere = pages.isThere
  claims.enter(region, v, n)
  intent.end()
  account.done('sysAlloc', v, n, category)
}

/** The pages of the buffer, by the OS. Null: refused. */
function ask(parts: Parts, category: number, bufferNow: () => ArrayBufferLike): AdoptedPages | null {
  const { os } = parts
  if (os.sysAdoptOS === undefined) notEngine(os.name)
  takeRefusal(os)
  try {
    const pages = os.sysAdoptOS(bufferNow)
    if (pages !== null) parts.account.expectRoom('sysAlloc', pages.size, category)
    return pages
  } catch (error) {
    throw failed(parts, 'sysAlloc', null, NaN, category, error)
  }
}

function refusal({ os }: Parts, bufferNow: () => ArrayBufferLike): OutOfMemoryError {
  return outOfMemory(os, 'sysAlloc', null, bufferLength(bufferNow()) ?? 0)
}

const isFree = ({ ledger }: Parts, { address, size }: AdoptedPages): boolean =>
  ledger.within(address, size).every(({ packed }) => packed === 0)

/** Frees the regions whose buffers have lost their pages. Another buffer may lie there by now. False: there is none. */
function forgetGone(parts: Parts, ops: Wrappers): boolean {
  const lost = parts.claims.list().filter(({ isThere }) => isThere?.() === false)
  for (const record of lost) freeParts(parts, ops, record)
  return lost.length > 0
}

/** @throws UsageError ERR_MEMLAYER_OPTION always. */
function notEngine(name: string): never {
  const message = `adopt: memory of ${name} takes no buffer of the engine`
  const hint = "Use the memory of 'memlayer/engine', or of a createMemory() over @memlayer/os-engine."
  throw new UsageError('ERR_MEMLAYER_OPTION', message, { op: 'adopt', hint })
}

/** @throws UsageError ERR_MEMLAYER_OPTION always. */
function adoptedBefore(name: string): never {
  const message = `adopt: a region of this memory has pages of the buffer for '${name}' already`
  const hint = 'Use that region, or release all of it first.'
  throw new UsageError('ERR_MEMLAYER_OPTION', message, { op: 'adopt', region: name, hint })
}

/** @throws UsageError ERR_MEMLAYER_DISPOSED always. */
export function gone(op: string, name: string): never {
  const message = `${op}: the buffer of the region '${name}' was detached, has shrunk or has moved`
  const hint = 'Adopt the buffer that has the bytes now.'
  throw new UsageError('ERR_MEMLAYER_DISPOSED', message, { op, region: name, hint })
}
