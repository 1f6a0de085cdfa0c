// Makes a memory: looks at the backend and the engine, and puts the parts together.
import { canDetach, isPowerOfTwo } from '@memlayer/kernel'
import { Account } from './account/account.js'
import type { MemoryStats } from './account/stats.js'
import { Hold } from './borrows/hold.js'
import { pinnedBytes } from './borrows/reclaim.js'
import { SharedRegion } from './borrows/shared-region.js'
import { GoWrappers, needsLedger } from './calls/go-wrappers.js'
import { holdsOf } from './calls/holds.js'
import { makeParts, type Parts } from './calls/parts.js'
import { RegionCalls } from './calls/region-calls.js'
import { checkIdle } from './calls/scavenge.js'
import { settle } from './calls/settle.js'
import { Wrappers } from './calls/wrappers.js'
import { warnOfCopies } from './copies.js'
import { ownValue, UsageError } from './errors.js'
import { hostLimits } from './limit/host-limit.js'
import type { BudgetOptions } from './mappings/headroom.js'
import { mappingUse } from './mappings/mapping-use.js'
import type { Memory, MemoryOptions } from './memory.js'
import { checkOptions, isOwnOrOfClass } from './options.js'
import type { OS } from './os.js'
import { leaveWithMemory } from './process/record.js'
import { AdoptedRegion } from './regions/adopted-region.js'
import { GrowableBuffer } from './regions/growable-buffer.js'
import { Region, type RegionOptions } from './regions/region.js'
import { Regions } from './regions/regions.js'
import { explainProcess, trimHost } from './residency/explain.js'
import { remember } from './residency/memories.js'
import { residencyOf } from './residency/residency.js'
import { bytesToScavenge, scavengingOf } from './scavenge/options.js'
import type { Scavenging } from './scavenge/scavenger.js'
import { formatBytes, printByText, show, type Caller } from './text.js'

/**
 * Makes a memory over one operating system, with an account of its own. Warns once, MEMLAYER_TWO_CORES, where several
 * copies of this package are loaded.
 *
 * @throws UsageError ERR_MEMLAYER_OPTION when `os` is not a backend, or an option is wrong. ERR_MEMLAYER_VIEW when this
 * engine can't detach views, which would then outlive their pages.
 */
export function createMemory(os: OS, options: MemoryOptions = {}): Memory {
  checkBackend(os)
  const { ledger = true, engineHeap, scavenge = {} } = checkOptions('createMemory', options, known)
  if (typeof ledger !== 'boolean') wrong('the option ledger is', ledger, 'Pass true or false.')
  if (engineHeap !== undefined && !(typeof engineHeap === 'number' && engineHeap >= 0))
    wrong('the option engineHeap is', engineHeap, 'Pass a number of bytes, 0 or more.')
  const scavenging = scavengingOf(scavenge)
  shield(os)
  if (ledger && os.detach === undefined && !canDetach) cannotDetach(os.name)
  warnOfCopies()
  const memory = ledger ? checkedMemory(os, { engineHeap }, scavenging) : goMemory(os)
  remember(memory)
  // Here and not beside the classes, so that a bundler can leave out a class that a program does not use.
  for (const { prototype } of [Region, AdoptedRegion, GrowableBuffer, Hold, SharedRegion]) printByText(prototype)
  printByText(memory)
  return memory
}

// The operations are methods, because a call through a bound function costs up to 10 ns where a program has several
// memories. Everything else is a property of its own, which works without its memory in front.

const known = ['ledger', 'engineHeap', 'scavenge'] as const

function checkedMemory(os: OS, options: BudgetOptions, scavenging: Scavenging): Memory {
  const parts = makeParts(os, options, scavenging)
  const { account, ledger, borrows, intent, retired, lingering, record, idle, scavenger } = parts
  const ops = new Wrappers(parts)
  const regions = new Regions(new RegionCalls(parts, ops), parts.claims)
  /** A report on what is settled. */
  const settled =
    <T>(report: () => T): (() => T) =>
    () => {
      if (intent.isOpen) settle(parts)
      return report()
    }
  const memory: Memory = Object.assign(ops, {
    ...reportsOf(os, account),
    reserve: reserveIn(regions, () => memory),
    adopt: ((buffer, given) => regions.adopt(memory, buffer, given)) satisfies Memory['adopt'],
    attach: ((token) => new SharedRegion(os, token)) satisfies Memory['attach'],
    stats: settled(() => withOthers(account.stats(retired.bytes, lingering.bytes, idle.bytes), parts)),
    reclaimer: ((given, reclaim) => {
      const remove = parts.reclaimers.add(given, reclaim)
      parts.pressure.wake()
      return remove
    }) satisfies Memory['reclaimer'],
    onPressure: ((listener) => parts.pressure.listen(listener)) satisfies Memory['onPressure'],
    scavenge: ((given) => {
      const bytes = bytesToScavenge(given)
      if (intent.isOpen) settle(parts)
      return scavenger.scavenge(bytes)
    }) satisfies Memory['scavenge'],
    check: settled(() => {
      account.check()
      checkIdle(parts)
    }),
    regions: settled(() => regions.list()),
    leaks: settled(() => regions.leaks()),
    holds: settled(() => holdsOf(parts)),
    ranges: settled(() => ledger.list(account.nameOf)),
    mappings: settled(() => mappingUse(os, ledger, retired)),
    explain: settled(() => explainProcess(memory, borrows.views.bytes, retired.ranges())),
    toString: () => lineOf(memory),
  })
  borrows.views.keepAlive(memory)
  if (record !== null) leaveWithMemory(memory, record, emptyIn(parts))
  return memory
}

/**
 * `memory.reserve`. A function that stands before it, as memlayer's first call does, passes itself as the third
 * argument, so that the region's stack begins below it.
 */
function reserveIn(regions: Regions, memory: () => Memory): Memory['reserve'] {
  return (...given: [number, RegionOptions?, Caller?]) => {
    const [size, options, from] = given
    return regions.reserve(memory(), size, options, typeof from === 'function' ? from : undefined)
  }
}

/** The account, with what other parts count. What is 0 is left out. */
function withOthers(stats: MemoryStats, { borrows, os, scavenger }: Parts): MemoryStats {
  const others = {
    pinned: pinnedBytes(borrows.views.pinned(), os.traits.pageSize),
    scavenged: scavenger.released,
    scavengeMilliseconds: scavenger.worked,
  }
  const counted = Object.entries(others).filter(([, value]) => value > 0)
  return counted.length === 0 ? stats : { ...stats, ...Object.fromEntries(counted) }
}

/** Whether a memory owns nothing. It is a function of its own, because a closure keeps all that its neighbours use. */
function emptyIn({ ledger, retired }: Parts): () => boolean {
  return () => retired.bytes === 0 && ledger.ranges().next().done === true
}

/** Without a ledger: Go's wrappers, and no regions. */
function goMemory(os: OS): Memory {
  const account = new Account(os, null, () => needsLedger('stat'))
  const memory: Memory = Object.assign(new GoWrappers(os, account), {
    ...reportsOf(os, account),
    reserve: () => needsLedger('reserve'),
    adopt: () => needsLedger('adopt'),
    attach: ((token) => new SharedRegion(os, token)) satisfies Memory['attach'],
    stats: () => account.stats(),
    reclaimer: () => needsLedger('reclaimer'),
    onPressure: () => needsLedger('onPressure'),
    scavenge: ((given) => {
      bytesToScavenge(given)
      return 0
    }) satisfies Memory['scavenge'],
    check: () => account.check(),
    regions: () => [],
    leaks: () => [],
    holds: () => [],
    ranges: () => [],
    mappings: () => mappingUse(os, null, null),
    explain: () => explainProcess(memory, 0, []),
    toString: () => lineOf(memory),
  })
  return memory
}

/** What console.log prints of a memory. */
function lineOf(memory: Memory): string {
  const { reserved, prepared, ready } = memory.stats().total
  if (Number.isNaN(ready)) return `Memory of ${memory.os.name}, without a ledger`
  const states = `${formatBytes(reserved)} Reserved, ${formatBytes(prepared)} Prepared, ${formatBytes(ready)} Ready`
  return `Memory of ${memory.os.name}: ${states}`
}

type Reports = 'stat' | 'residency' | 'trimHost' | 'hostLimits' | 'observe'

function reportsOf(os: OS, account: Account): Pick<Memory, Reports> {
  return {
    stat: (name) => account.stat(name),
    residency: (v, n) => residencyOf(os, v, n),
    trimHost: () => trimHost(os),
    hostLimits: () => hostLimits(os.host),
    observe: (observer, given) => account.observe(observer, given),
  }
}

/** The functions of a backend, in mem.go's order. */
const functions = [
  'sysAllocOS',
  'sysUnusedOS',
  'sysUsedOS',
  'sysHugePageOS',
  'sysFreeOS',
  'sysFaultOS',
  'sysReserveOS',
  'sysMapOS',
  'view',
] as const

function checkBackend(os: OS): void {
  const hint = "Pass what a backend's createOS() returns."
  if (os === null || typeof os !== 'object') wrong('the backend is', os, hint)
  const missing = functions.find((name) => typeof os[name] !== 'function')
  if (missing !== undefined) wrong(`the backend's ${missing} is`, os[missing], hint, ', not a function')
  const { traits } = os
  if (traits === null || typeof traits !== 'object') wrong("the backend's traits are", traits, hint)
  // Every check uses the page size. Go also refuses to start when it is not a power of two.
  if (!isPowerOfTwo(traits.pageSize)) {
    wrong("the backend's page size is", traits.pageSize, 'Make the backend with a page size that is a power of two.')
  }
}

/** The members that a backend may lack. */
const optional = [
  'sysUnusedAllOS',
  'sysPopulateOS',
  'sysZeroOS',
  'sysNoHugePageOS',
  'sysAdoptOS',
  'sysRenewOS',
  'sysRetireOS',
  'sysRoomOS',
  'usedKeepsReady',
  'quarantine',
  'host',
  'detach',
] as const

/** What a backend lacks it has as undefined from now on, and not what any code writes to Object.prototype. */
function shield(os: OS): void {
  for (const name of optional) {
    if (isOwnOrOfClass(os, name)) continue
    if (Object.isExtensible(os)) Object.defineProperty(os, name, ownValue(undefined, true))
    else if (os[name] !== undefined) {
      const hint = `Delete Object.prototype.${name}, or give the backend a member of that name that is undefined.`
      wrong(`the backend can't be extended, and its ${name} is that of Object.prototype:`, os[name], hint)
    }
  }
}

function cannotDetach(name: string): never {
  const outlive = `views of ${name} memory would outlive their pages`
  const message = `createMemory: this engine cannot detach an ArrayBuffer, so ${outlive}`
  const hint = 'Run on Node 22.12 or later, on Bun or on Deno 2.'
  throw new UsageError('ERR_MEMLAYER_VIEW', message, { op: 'createMemory', hint })
}

function wrong(what: string, value: unknown, hint: string, not = ''): never {
  throw new UsageError('ERR_MEMLAYER_OPTION', `createMemory: ${what} ${show(value)}${not}`, {
    op: 'createMemory',
    hint,
  })
}
