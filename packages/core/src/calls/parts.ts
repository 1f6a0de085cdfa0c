// What the calls of one memory with a ledger work on.
import { Account } from '../account/account.js'
import { Borrows } from '../borrows/borrows.js'
import { RegionTable } from '../claims/region-table.js'
import { Intent } from '../ledger/intent.js'
import { Ledger } from '../ledger/ledger.js'
import { HugePages } from '../mappings/huge-pages.js'
import { MappingBudget } from '../mappings/mapping-budget.js'
import type { OS } from '../os.js'
import { Retired } from '../retired/retired.js'

/** The parts of one memory. */
export interface Parts {
  readonly os: OS
  readonly ledger: Ledger
  readonly account: Account
  readonly borrows: Borrows
  readonly hugePages: HugePages
  readonly budget: MappingBudget
  readonly claims: RegionTable
  readonly retired: Retired
  /** What an operation is about to do. */
  readonly intent: Intent
}

/** New parts over an operating system. */
export function makeParts(os: OS): Parts {
  const ledger = new Ledger(os.traits.freesParts, os.traits.pageSize)
  const hugePages = new HugePages(os, ledger)
  const retired = new Retired(os)
  return {
    os,
    ledger,
    account: new Account(os, ledger),
    borrows: new Borrows(os),
    hugePages,
    budget: new MappingBudget(os, ledger, hugePages, () => retired.release()),
    claims: new RegionTable(),
    retired,
    intent: new Intent(),
  }
}
