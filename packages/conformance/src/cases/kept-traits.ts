// A trait that a refusal turns. unusedReturnsMemory is false once the kernel was seen to refuse. It stays so whatever
// succeeds later, and no other trait moves.
import type { Traits } from '@memlayer/core'
import type { Address } from '@memlayer/kernel'
import { same, thrownBy } from '../claim.js'
import { absent, notRun, type Definition, type Verdict, type World } from '../definition.js'
import { errnosOf, NO_KERNEL } from '../errnos.js'
import type { Stage } from '../stage.js'
import { ready } from './transitions.js'
import { whileRefused } from './with-refusals.js'

/** How many kernel calls of an operation are refused, one after the other. It may have another way then. */
const firstMax = 4

/** Runs an operation whose first kernel calls are refused. */
type Refuse = (first: number, run: () => unknown) => unknown

/** What gives a Ready range back, as core does it. */
const givings: Readonly<Record<string, (stage: Stage, v: Address, n: number) => void>> = {
  sysUnused: ({ memory }, v, n) => memory.sysUnused(v, n),
  sysUnusedAll: ({ memory }, v, n) => memory.sysUnusedAll([v, n]),
}

/** What may succeed later, on a range that is Ready before and after. */
const later: Readonly<Record<string, (stage: Stage, v: Address, n: number, refuse: Refuse) => void>> = {
  'sysUnused and sysUsed': ({ memory }, v, n) => {
    memory.sysUnused(v, n)
    memory.sysUsed(v, n)
  },
  'sysUnused, refused again, and sysUsed': ({ memory }, v, n, refuse) => {
    for (let first = 1; first <= firstMax; first++) {
      if (refuse(first, () => memory.sysUnused(v, n)) === null) memory.sysUsed(v, n)
    }
  },
  sysRenewOS: ({ os }, v, n) => void os.sysRenewOS?.(v, n),
  sysZeroOS: ({ os }, v, n) => void os.sysZeroOS?.(v, n),
  sysUnusedAllOS: ({ os, memory }, v, n) => {
    if (os.sysUnusedAllOS?.([v, n]) === true) memory.sysUsed(v, n)
  },
  sysPopulateOS: ({ os }, v, n) => void os.sysPopulateOS?.(v, n),
  sysHugePage: ({ memory }, v, n) => memory.sysHugePage(v, n),
  sysNoHugePageOS: ({ os }, v, n) => os.sysNoHugePageOS?.(v, n),
  'sysFault, sysMap and sysUsed': ({ memory }, v, n) => {
    memory.sysFault(v, n)
    memory.sysMap(v, n, null)
    memory.sysUsed(v, n)
  },
  'sysAlloc and sysFree': ({ memory }, _v, n) => memory.sysFree(memory.sysAlloc(n, null), n, null),
  'sysFree of memory with a view': (stage, _v, n) => {
    const v = ready(stage, n / stage.unit, 5)
    stage.memory.view(Uint8Array, v, n)
    stage.memory.sysFree(v, n, null)
  },
}

/** Operations that give no memory back. Their refusal tells nothing of sysUnused. */
const others: Readonly<Record<string, (stage: Stage, v: Address, n: number) => unknown>> = {
  sysAlloc: ({ memory }, _v, n) => memory.sysAlloc(n, null),
  sysReserve: ({ memory }, _v, n) => memory.sysReserve(null, n),
  sysHugePage: ({ memory }, v, n) => memory.sysHugePage(v, n),
  sysPopulateOS: ({ os }, v, n) => os.sysPopulateOS?.(v, n),
}

function textOf({ unusedReturnsMemory: _, ...rest }: Traits): string {
  return JSON.stringify(rest)
}

/** Fails unless the trait is as expected, and the other traits are as they were. */
function claimTraits({ os }: Stage, returns: boolean, rest: string, after: string): void {
  same(os.traits.unusedReturnsMemory, returns, `the trait unusedReturnsMemory after ${after}`)
  same(textOf(os.traits), rest, `the other traits after ${after}`)
}

/** Plays all that may come later on a range that is Ready, each twice. */
function playLater(stage: Stage, v: Address, n: number, refuse: Refuse, look: (after: string) => void): void {
  for (const [name, run] of Object.entries(later)) {
    for (let times = 1; times <= 2; times++) {
      run(stage, v, n, refuse)
      stage.os.refusal = null
      look(name)
    }
  }
}

/** Plays a refusal and what comes later. True: the kernel was seen to keep memory. */
function playTurned(stage: Stage, giving: string, first: number, refuse: Refuse): boolean {
  const { memory, os, unit } = stage
  const n = 2 * unit
  const rest = textOf(os.traits)
  const [v, w] = [ready(stage, 2, 1), ready(stage, 2, 1)]
  for (const [name, run] of Object.entries(others)) {
    void refuse(first, () => run(stage, w, n))
    os.refusal = null
    claimTraits(stage, true, rest, `${name}, whose first ${first} calls were refused,`)
  }
  const before = memory.stats().kept
  const error = refuse(first, () => givings[giving]?.(stage, v, n))
  // The backend may have found another way. What was given back before was given back in the old one, so no trait may
  // promise more from now on.
  const tried = `${giving}, whose first ${first} calls were refused,`
  same(textOf(os.traits), rest, `the other traits after ${tried}`)
  // Core counts what a kernel was seen to keep.
  if (error !== null || memory.stats().kept === before) {
    playLater(stage, w, n, refuse, (after) =>
      same(textOf(os.traits), rest, `the other traits after ${tried} and ${after}`),
    )
    return false
  }
  const refused = `${giving}, whose first ${first} calls were refused, so that ${n} bytes were kept,`
  claimTraits(stage, false, rest, refused)
  playLater(stage, w, n, refuse, (after) => claimTraits(stage, false, rest, `${refused} and then ${after}`))
  return true
}

function turned(world: World): Verdict | undefined {
  const errnos = errnosOf(world.subject)
  if (errnos === null) return notRun(NO_KERNEL)
  if (world.play(({ os }) => !os.traits.unusedReturnsMemory)) return absent('unusedReturnsMemory')
  let isTurned = false
  for (const errno of errnos)
    for (const giving of Object.keys(givings))
      for (let first = 1; first <= firstMax; first++) {
        let most = 0
        const plan = whileRefused(errno, (call) => call <= most)
        const refuse: Refuse = (count, run) => {
          most = count
          return plan.refuse(() => thrownBy(run))
        }
        if (world.play((stage) => playTurned(stage, giving, first, refuse), { wrap: plan.wrap })) isTurned = true
      }
  return isTurned ? undefined : absent('a refusal that keeps memory and is no error')
}

export const keptTraitCases: readonly Definition[] = [
  {
    id: 'traits/refused',
    title: 'unusedReturnsMemory is false once sysUnused was seen to be refused, stays so, and no other trait changes',
    show: turned,
  },
]
