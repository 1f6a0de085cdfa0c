// region.zero: Ready pages read zero, and their memory goes back to the OS. They stay Ready, and their views stay. No
// state changes, so the ledger, the account and the observers have nothing to record.
import { alignDown, alignUp, writeZeroes, type Address } from '@memlayer/kernel'
import { FROM_READY } from '../ledger/states.js'
import type { OS } from '../os.js'
import type { Parts } from './parts.js'
import { takeRefusal } from './refusal.js'

const OP = 'zero'

/**
 * Makes [v, v+n) read zero. Whole pages in it give their memory back where the OS can; other bytes are written.
 *
 * @throws UsageError ERR_MEMLAYER_STATE unless all of it is Ready. ERR_MEMLAYER_SHARED while a worker or a hold has a
 * part of it: a kernel call in flight may have pinned the pages, and what it reads would be lost with them.
 */
export function zero(parts: Parts, v: Address, n: number): void {
  const { os, ledger, borrows, budget, hugePages } = parts
  if (n === 0) return
  // It may ask a worker, whose code may do anything. So nothing was proved before.
  if (borrows.shares.count > 0) void borrows.shares.expectOffers(OP, v, n)
  ledger.expect(OP, v, n, FROM_READY)
  const page = os.traits.pageSize
  const from = alignUp(v, page)
  const end = alignDown(v + n, page)
  if (from >= end) return fill(os, v, n)
  // The advice can cut kernel mappings, as that of sysUnused and sysUsed does.
  budget.unused(OP, end - from)
  budget.used(OP, end - from)
  if (os.sysZeroOS?.(from, end - from) !== true) fillAndOffer(parts, from, end - from)
  if (hugePages.inUse) hugePages.zeroed(from, end - from)
  if (from > v) fill(os, v, from - v)
  if (end < v + n) fill(os, end, v + n - end)
}

/** Writes the zeroes. Then the kernel may have the pages: it gives them back as they are, or zeroed. */
function fillAndOffer({ os, account }: Parts, v: Address, n: number): void {
  const refusal = os.sysZeroOS === undefined ? null : takeRefusal(os)
  fill(os, v, n)
  if (refusal !== null) account.kept(n, refusal)
  if (os.traits.unusedTraps || os.sysZeroOS !== undefined) return
  os.sysUnusedOS(v, n)
  os.sysUsedOS(v, n)
  // It was an offer. The pages read zero where the kernel declined.
  void takeRefusal(os)
}

function fill(os: OS, v: Address, n: number): void {
  const { host } = os
  writeZeroes(
    {
      view: (at, length) => os.view(at, length),
      ...(host?.write === undefined ? {} : { write: (at, bytes) => host.write?.(at, bytes) }),
    },
    v,
    n,
  )
}
