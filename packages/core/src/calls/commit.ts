// Commit, of regions: maps what is Reserved and takes back what is Prepared, as one operation. If the OS refuses a
// part, the parts before it are put back, and the account is as it was.
import type { Address } from '@memlayer/kernel'
import type { SysMemStat } from '../account/mem-stat.js'
import { checkRange } from '../check.js'
import { AS_IS } from '../ledger/intent.js'
import { FROM_OWNED, PREPARED, READY, RESERVED, stateOf, type LedgerRange } from '../ledger/states.js'
import type { Parts } from './parts.js'
import { noMemoryToMap, noMemoryToUse, putBack } from './refusal.js'
import { takeOfLimit } from './scavenge.js'
import { expectOpen, failed } from './settle.js'

type Range = Pick<LedgerRange, 'address' | 'size'>

/** Reserved or Prepared to Ready. Ready pages stay as they are. */
export function commit(parts: Parts, v: Address, n: number, stat: SysMemStat): void {
  const { os, ledger, account, intent } = parts
  checkRange('sysUsed', v, n, 0, os.traits.pageSize)
  if (n === 0) return
  const found = ledger.expect('sysUsed', v, n, FROM_OWNED)
  const own = ledger.categoryOf(found, v)
  const category = account.categoryOf('sysMap', stat)
  try {
    if (parts.limit.isSet) {
      takeOfLimit(parts, 'sysUsed', v, n, found, category)
      ledger.expect('sysUsed', v, n, FROM_OWNED)
    }
  } catch (error) {
    throw failed(parts, 'sysUsed', v, n, own, error)
  }
  parts.idle.forget(v, n)
  const ranges = ledger.within(v, n)
  const toMap = ranges.filter(({ packed }) => stateOf(packed) === RESERVED)
  const sum = toMap.reduce((bytes, { size }) => bytes + size, 0)
  if (sum > 0) account.expectRoom('sysMap', sum, category)
  // Where sysUsed changes permissions it may map anew, and Ready pages would lose their bytes.
  const toUse = os.traits.unusedTraps
    ? ranges.filter(({ packed }) => stateOf(packed) !== READY)
    : [{ address: v, size: n }]
  tryAll(parts, toMap, toUse, category)
  for (const { address, size, packed } of toMap) {
    account.uncount(address, size, packed)
    ledger.assign(address, size, PREPARED, category, packed)
  }
  account.add(sum, category)
  parts.lingering.take(v, n)
  ledger.move(v, n, READY)
  intent.end()
  if (parts.hugePages.inUse) for (const { address, size } of toUse) parts.hugePages.used(address, size)
  account.together(() => {
    for (const { address, size } of toMap) account.done('sysMap', address, size, category)
    for (const { address, size } of toUse) account.done('sysUsed', address, size, toMap.length > 0 ? category : own)
  })
}

/** Asks the OS for all of it. If that fails, nothing has changed. The intent stays open. */
function tryAll(parts: Parts, toMap: readonly Range[], toUse: readonly Range[], category: number): void {
  const { os, budget, space, charge, intent } = parts
  const done: Range[] = []
  let mapped = 0
  try {
    for (const { address, size } of toMap) {
      done.push({ address, size })
      budget.cut('sysMap', size)
      space.take('sysMap', 0, size)
      intent.begin(AS_IS, address, size)
      os.sysMapOS(address, size)
      expectOpen(parts, RESERVED, 'sysMap', address, size)
      mapped += 1
    }
    if (mapped > 0) budget.mapped()
    for (const { address, size } of toUse) {
      done.push({ address, size })
      budget.used('sysUsed', size)
      if (os.traits.unusedTraps) space.take('sysUsed', 0, size)
      charge.take('sysUsed', address, size)
      intent.begin(AS_IS, address, size)
      os.sysUsedOS(address, size)
      expectOpen(parts, PREPARED, 'sysUsed', address, size)
    }
  } catch (error) {
    throw undone(parts, toMap, done, category, error)
  }
}

/** Puts back what was done. The last of `done` is what failed. Returns the error for the caller. */
function undone(
  parts: Parts,
  toMap: readonly Range[],
  done: readonly Range[],
  category: number,
  error: unknown,
): unknown {
  const { os } = parts
  const { address, size } = done.at(-1) as Range
  const isMapping = done.length <= toMap.length
  const failure = isMapping
    ? noMemoryToMap(os, address, size, error)
    : noMemoryToUse(os, address, size, error, () => {
        // Where sysUsed only advises, there is nothing to undo.
        if (!os.traits.unusedTraps) return
        if (isOneOf(toMap, address)) os.sysFaultOS(address, size)
        else os.sysUnusedOS(address, size)
      })
  const others = done.slice(0, -1)
  for (const { address: at, size: bytes } of others.slice(toMap.length)) {
    if (!isOneOf(toMap, at)) putBack(os, () => os.sysUnusedOS(at, bytes))
  }
  // What can't be put back stays mapped. It is Reserved to the account, and is mapped anew when it is used again.
  for (const { address: at, size: bytes } of others.slice(0, toMap.length)) putBack(os, () => os.sysFaultOS(at, bytes))
  return failed(parts, isMapping ? 'sysMap' : 'sysUsed', address, size, category, failure)
}

function isOneOf(ranges: readonly Range[], v: Address): boolean {
  return ranges.some(({ address }) => address === v)
}
