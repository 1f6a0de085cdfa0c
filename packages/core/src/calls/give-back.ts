// What an operation does that takes pages away: it ends their borrows first. sysFree gives the addresses back, or
// retires them where JavaScript has seen them.
import type { Address } from '@memlayer/kernel'
import { NONE, RETIRED } from '../ledger/intent.js'
import { MIXED, PREPARED, READY, stateOf, type Packed } from '../ledger/states.js'
import type { OS } from '../os.js'
import type { Parts } from './parts.js'
import { keepsCommitted } from '../retired/lingering.js'
import { refused, takeRefusal } from './refusal.js'
import { expectOpen } from './settle.js'

/**
 * Ends the borrows of a range that is `packed`, in one of the `from` states. Code that runs meanwhile, as a kernel's
 * hooks do, may operate on this memory. Then the range is proved again. Returns what it is packed as.
 */
export function endBorrows(parts: Parts, op: string, v: Address, n: number, packed: Packed, from: number): Packed {
  return parts.borrows.isEmpty ? packed : endAndProve(parts, op, v, n, packed, from)
}

function endAndProve(
  { ledger, borrows }: Parts,
  op: string,
  v: Address,
  n: number,
  packed: Packed,
  from: number,
): Packed {
  let { version } = ledger
  borrows.end(op, v, n)
  while (version !== ledger.version) {
    packed = ledger.expect(op, v, n, from)
    version = ledger.version
    borrows.end(op, v, n)
  }
  return packed
}

/** Pays for a free. True: the addresses can be kept, because JavaScript has seen some of them. */
export function payForFree({ budget, retired }: Parts, v: Address, n: number): boolean {
  // A retired range goes on costing mappings. At their limit it is unmapped.
  if (retired.hasSeen(v, n) && retired.mayRetire(n) && budget.hasRoom()) return true
  budget.free(v, n)
  return false
}

/** sysFreeOS, or sysRetireOS where the addresses are kept. The intent says which, and stays open. */
export function giveBack(parts: Parts, v: Address, n: number, packed: Packed, isKept: boolean): void {
  const { os, intent, record } = parts
  takeRefusal(os)
  const lingered = parts.lingering.take(v, n)
  if (isKept && retire(parts, v, n, packed, lingered)) return
  intent.begin(NONE, v, n)
  record?.log.remove(v, n)
  os.sysFreeOS(v, n)
  if (os.refusal) {
    record?.log.add(v, n)
    throw refused(os, 'sysFree', v, n)
  }
  expectOpen(parts, NONE, 'sysFree', v, n)
}

/** sysRetireOS. False: the OS can't. */
function retire(
  parts: Parts,
  v: Address,
  n: number,
  packed: Packed,
  lingered: readonly (readonly [Address, number])[],
): boolean {
  const { os, intent, retired } = parts
  intent.begin(RETIRED, v, n)
  const isRetired = keepsCommitted(os)
    ? retired.retireCommitted(v, n, readyIn(parts, v, n), lingered)
    : retired.retire(v, n, isTouchable(os, packed))
  if (isRetired) expectOpen(parts, RETIRED, 'sysFree', v, n)
  return isRetired
}

/** sysUnusedOS. Where unused pages trap, those that JavaScript has seen stay committed for a while. */
export function unuse({ os, retired, lingering }: Parts, v: Address, n: number): void {
  if (retired.hasSeen(v, n) && lingering.reset(v, n)) return
  os.sysUnusedOS(v, n)
}

/** sysFaultOS, or the same for pages that JavaScript has seen. What lingers of the range goes on lingering. */
export function fault(parts: Parts, v: Address, n: number): void {
  const { os, retired, lingering } = parts
  if (!keepsCommitted(os) || !retired.hasSeen(v, n)) return os.sysFaultOS(v, n)
  for (const [at, size] of readyIn(parts, v, n)) {
    if (!lingering.reset(at, size)) os.sysFaultOS(at, size)
  }
}

/** The Ready parts of [v, v+n), as pairs of address and size. */
function readyIn({ ledger }: Parts, v: Address, n: number): [Address, number][] {
  return ledger
    .within(v, n)
    .filter(({ packed }) => stateOf(packed) === READY)
    .map(({ address, size }): [Address, number] => [address, size])
}

/** sysUnusedOS left a refusal: the kernel keeps [v, v+n). New pages take its place where the OS can. */
export function renew({ os, account }: Parts, v: Address, n: number): void {
  const refusal = takeRefusal(os)
  const isRenewed = os.sysRenewOS?.(v, n) === true
  if (!isRenewed && refusal !== null) account.kept(n, refusal)
}

/** Whether all of a range can be touched without a fault. */
function isTouchable(os: OS, packed: Packed): boolean {
  if (packed === MIXED) return false
  return stateOf(packed) === READY || (stateOf(packed) === PREPARED && !os.traits.unusedTraps)
}
