// Idle pages: a lazy sysUnused makes them, a sysUsed takes them back, and the scavenger gives back what is left. Giving
// back changes no state, so what a script leaves half way costs an advice and nothing else.
import type { Address } from '@memlayer/kernel'
import type { Operation } from '../account/observer.js'
import { categoryOf, nameOfState, PREPARED, READY, RESERVED, stateOf, type Packed } from '../ledger/states.js'
import { FatalError } from '../errors.js'
import { forgetRefusal } from '../retired/answers.js'
import { keepsCommitted } from '../retired/lingering.js'
import { bytesOf } from '../scavenge/idle.js'
import type { Scavenged } from '../scavenge/scavenger.js'
import { formatAddress } from '../text.js'
import { renew, unuse } from './give-back.js'
import type { Parts } from './parts.js'

/** A memory as its scavenger sees it. */
export function scavengedOf(
  parts: () => Parts,
  { idle, os, ledger }: Pick<Parts, 'idle' | 'os' | 'ledger'>,
): Scavenged {
  return {
    idle,
    pageSize: os.traits.pageSize,
    hugePageSize: os.traits.hugePageSize,
    ready: () => ledger.ready,
    near: () => parts().limit.nearBy,
    readyIn: (v, n) => ledger.readyIn(v, n),
    release: (pairs) => release(parts(), pairs),
  }
}

/** Gives the memory of idle ranges back, pairs of address and size. Returns the bytes that the OS took. */
export function release(parts: Parts, pairs: readonly number[]): number {
  const { os, idle, budget } = parts
  try {
    budget.unused('sysUnused', pairs[1] as number, pairs.length / 2)
  } catch {
    // There is no mapping to spare for it now.
    return 0
  }
  for (let i = 0; i < pairs.length; i += 2) idle.forget(pairs[i] as Address, pairs[i + 1] as number)
  let bytes = 0
  try {
    if (pairs.length > 2 && os.sysUnusedAllOS?.(Float64Array.from(pairs)) === true) return bytesOf(pairs)
    for (let i = 0; i < pairs.length; i += 2) {
      unuse(parts, pairs[i] as Address, pairs[i + 1] as number)
      if (os.refusal) renew(parts, pairs[i] as Address, pairs[i + 1] as number)
      else bytes += pairs[i + 1] as number
    }
  } catch {
    // They stay Prepared, and keep their memory.
    forgetRefusal(os)
  }
  return bytes
}

/**
 * Makes room under the limit for what of [v, v+n) is neither Ready nor idle. Reclaimers may operate on this memory.
 * `category` counts what is Reserved. The ledger has the range as `packed`.
 */
export function takeOfLimit(
  parts: Parts,
  op: Operation,
  v: Address,
  n: number,
  packed: Packed,
  category: number,
): void {
  const { limit, ledger, idle } = parts
  if (limit.hasBudgets) expectBudgets(parts, op, v, n, category)
  const bytes = n - ledger.readyOf(v, n, packed) - idle.bytesIn(v, n)
  if (bytes <= 0) return
  const hasChanged = limit.take(op, bytes, () => n - ledger.readyIn(v, n) - idle.bytesIn(v, n), category)
  if (hasChanged && limit.hasBudgets) expectBudgets(parts, op, v, n, category)
}

/** Makes room for `n` bytes of a new range. */
export function takeOfAlloc({ account, limit }: Parts, n: number, category: number): void {
  if (limit.hasBudgets) account.expectBudget('sysAlloc', n, category)
  const hasChanged = limit.take('sysAlloc', n, () => n, category)
  if (hasChanged && limit.hasBudgets) account.expectBudget('sysAlloc', n, category)
}

/** Makes room for `n` bytes of a buffer that is adopted. The process has their memory already. */
export function takeOfAdopt(parts: Parts, n: number, category: number): void {
  const { account, limit } = parts
  if (!limit.isOfProcess) return takeOfAlloc(parts, n, category)
  if (limit.hasBudgets) account.expectBudget('sysAlloc', n, category)
  limit.lookAnew()
}

/** @throws OutOfMemoryError when what of [v, v+n) is not Ready would pass the limit of a category. */
export function expectBudgets(
  { account, ledger }: Parts,
  op: Operation,
  v: Address,
  n: number,
  category: number,
): void {
  const bytes = new Map<number, number>()
  for (const { size, packed } of ledger.within(v, n)) {
    const state = stateOf(packed)
    const of = state === RESERVED ? category : categoryOf(packed)
    if (state !== READY) bytes.set(of, (bytes.get(of) ?? 0) + size)
  }
  for (const [of, more] of bytes) account.expectBudget(op, more, of)
}

/** [v, v+n) is about to be Reserved or None: no page of it is idle any more. */
export function endIdle(parts: Parts, v: Address, n: number): void {
  const { os, idle } = parts
  if (idle.bytes === 0) return
  // What is Prepared counts as decommitted where the OS charges what is committed.
  const pairs = keepsCommitted(os) ? idle.within(v, n) : []
  if (pairs.length > 0) release(parts, pairs)
  idle.forget(v, n)
}

/** @throws FatalError ERR_MEMLAYER_ACCOUNT when a page is idle that is not Prepared. */
export function checkIdle({ idle, ledger }: Parts): void {
  idle.walk(0, (v, n) => {
    const wrong = ledger.within(v, n).find(({ packed }) => stateOf(packed) !== PREPARED)
    if (wrong === undefined) return true
    const { address, size, packed } = wrong
    throw new FatalError(`check: ${formatAddress(address)}+${size} is idle and ${nameOfState(packed)}`, {
      code: 'ERR_MEMLAYER_ACCOUNT',
      op: 'check',
      address,
      size,
      hint: 'Report this, because the layer itself is wrong.',
    })
  })
}
