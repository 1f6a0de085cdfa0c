// What the calls of one memory with a ledger work on.
import type { Address } from '@memlayer/kernel'
import { Account } from '../account/account.js'
import { Borrows } from '../borrows/borrows.js'
import { RegionTable } from '../claims/region-table.js'
import { Intent } from '../ledger/intent.js'
import { Ledger } from '../ledger/ledger.js'
import { HugePages } from '../mappings/huge-pages.js'
import type { BudgetOptions } from '../mappings/headroom.js'
import { MappingBudget } from '../mappings/mapping-budget.js'
import { SpaceBudget } from '../mappings/space-budget.js'
import type { OS } from '../os.js'
import { enterProcess } from '../process/enter.js'
import { IDLE_UNITS, READY_UNITS } from '../process/layout.js'
import { bytesOfAll, memoriesOfAll, type ProcessRecord } from '../process/record.js'
import { trimHost } from '../residency/explain.js'
import { keepsCommitted, Lingering } from '../retired/lingering.js'
import { Retired } from '../retired/retired.js'
import { MemoryLimit } from '../limit/limit.js'
import { Pressure } from '../limit/pressure.js'
import { Reclaimers } from '../limit/reclaimers.js'
import { hostClock } from '../scavenge/clock.js'
import { Idle } from '../scavenge/idle.js'
import { Scavenger, type Scavenging } from '../scavenge/scavenger.js'
import { Charge } from './charge.js'
import { scavengedOf } from './scavenge.js'
import { settle } from './settle.js'

/** The parts of one memory. */
export interface Parts {
  readonly os: OS
  readonly ledger: Ledger
  readonly account: Account
  readonly borrows: Borrows
  readonly hugePages: HugePages
  readonly budget: MappingBudget
  readonly space: SpaceBudget
  readonly charge: Charge
  readonly claims: RegionTable
  readonly retired: Retired
  readonly lingering: Lingering
  /** Prepared pages that still have their memory. */
  readonly idle: Idle
  /** Whether sysUnused only makes pages idle. */
  readonly isLazy: boolean
  readonly scavenger: Scavenger
  readonly reclaimers: Reclaimers
  readonly limit: MemoryLimit
  readonly pressure: Pressure
  /** What an operation is about to do. */
  readonly intent: Intent
  /** What other threads know of it; null: they know nothing. */
  readonly record: ProcessRecord | null
}

/** New parts over an operating system. */
export function makeParts(os: OS, options: BudgetOptions, scavenging: Scavenging): Parts {
  const ledger = new Ledger(os.traits.freesParts, os.traits.pageSize)
  const hugePages = new HugePages(os, ledger)
  const owned: Owned = { ledger, retired: null }
  const record = enterProcess(os, listOf(owned))
  const retired = new Retired(os, record)
  owned.retired = retired
  const lingering = new Lingering(os)
  const idle = new Idle()
  const reclaimers = new Reclaimers()
  const parts: Parts = {
    os,
    ledger,
    account: new Account(os, ledger, () => parts.limit.budgeted()),
    borrows: new Borrows(os, record),
    hugePages,
    budget: new MappingBudget(os, ledger, hugePages, () => retired.release(), record, options),
    space: new SpaceBudget(os, options),
    ...boundsOf(() => parts, { os, ledger, idle, record, reclaimers, retired, lingering }, options),
    claims: new RegionTable(),
    retired,
    lingering,
    idle,
    isLazy: scavenging.lazy,
    scavenger: new Scavenger(
      scavengedOf(() => parts, { os, ledger, idle }),
      scavenging,
    ),
    reclaimers,
    intent: new Intent(),
    record,
  }
  if (record !== null) {
    ledger.gauge.publishTo(record.table.words, record.at + READY_UNITS)
    idle.gauge.publishTo(record.table.words, record.at + IDLE_UNITS)
  }
  return parts
}

/** What the bounds of a memory are made of. */
type Bounded = Pick<Parts, 'os' | 'ledger' | 'idle' | 'record' | 'reclaimers' | 'retired' | 'lingering'>

/** What bounds the bytes of a memory: the OS's limit on committed memory, the program's own, and pressure. */
function boundsOf(
  parts: () => Parts,
  { os, ledger, idle, record, reclaimers, retired, lingering }: Bounded,
  options: BudgetOptions,
): Pick<Parts, 'charge' | 'limit' | 'pressure'> {
  const { now, after } = hostClock()
  const own = (): number => ledger.ready + idle.bytes
  const all = (): number => (record === null ? own() : bytesOfAll(record.table))
  const scavenge = (bytes: number): number => parts().scavenger.scavenge(bytes)
  const uncommit = (): boolean => [lingering.decommit(), retired.uncommit()].includes(true)
  const giveBack = (): boolean => [scavenge(Infinity) > 0, uncommit()].includes(true)
  const decommit = (): void => {
    // Elsewhere what is kept has no memory, and must not trap.
    if (!keepsCommitted(os)) return
    if (parts().intent.isOpen) settle(parts())
    uncommit()
  }
  const memories = (): number => (record === null ? 0 : memoriesOfAll(record.table) - 1)
  const shared = { host: os.host, reclaimers, own, scavenge, now }
  return {
    charge: new Charge(os, options, giveBack, { memories, allBytes: all }),
    limit: new MemoryLimit({ ...shared, all, idle: () => idle.bytes, trim: () => trimHost(os) }),
    pressure: new Pressure({ ...shared, limit: () => parts().limit.use, decommit, after }),
  }
}

/** What a memory owns. */
interface Owned {
  readonly ledger: Ledger
  retired: Retired | null
}

/** Lists it. It is a function of its own, because a closure keeps all that its neighbours use. */
function listOf(owned: Owned): () => [Address, number][] {
  return () => [...rangesOf(owned.ledger), ...pairsIn(owned.retired?.ranges() ?? [])]
}

const rangesOf = (ledger: Ledger): [Address, number][] =>
  Array.from(ledger.ranges(), ({ address, size }): [Address, number] => [address, size])

function pairsIn(list: readonly number[]): [Address, number][] {
  return Array.from({ length: list.length / 2 }, (_, i) => [list[2 * i] as Address, list[2 * i + 1] as number])
}
