// Refuses the k-th kernel call of a life, for every k until a life ends without a refusal. Then every error path has
// run.
import type { Memory } from '@memlayer/core'
import { failCall } from '@memlayer/kernel'
import { claimBytes } from '../bytes.js'
import { claim, claimOutcome, isUnsettled, same, thrownBy } from '../claim.js'
import { absent, notRun, type Definition, type Verdict, type World } from '../definition.js'
import { errnosOf, NO_KERNEL } from '../errnos.js'
import type { Stage } from '../stage.js'
import { claimKernelAgrees, ownedBytes } from './account.js'
import { beyond32Bits, claimFaults, claimMarks, isSparse, markAll, open, placeOf } from './place.js'
import { ready } from './transitions.js'
import { refuseEach } from './with-refusals.js'

// A life has about a hundred calls.
const callsMax = 400

/** Runs every transition, on whole reservations and on parts. */
export function live(memory: Memory, unit: number): void {
  const stat = memory.stat('life')
  const { freesParts, pageSize } = memory.os.traits
  const a = memory.sysAlloc(4 * unit, stat)
  const v = memory.sysReserve(null, 32 * unit)
  const { address, size } = memory.sysReserveAligned(null, 3 * unit, 8 * unit)
  // A backend that frees only whole reservations gives all bytes back at once, so the category must have all of them.
  memory.sysMap(v, (freesParts ? 16 : 32) * unit, stat)
  memory.sysUsed(v, 8 * unit)
  memory.sysUnused(v + pageSize, 4 * unit)
  memory.sysUsed(v, 8 * unit)
  memory.sysHugePage(v, 8 * unit)
  memory.sysFault(v + unit, unit)
  // Its category still counts the faulted part. Mapping it without a category counts it once.
  memory.sysMap(v + unit, unit, null)
  if (freesParts) {
    memory.sysFree(v + 8 * unit, 4 * unit, stat)
    memory.sysFree(v, 8 * unit, stat)
    memory.sysFree(v + 12 * unit, 4 * unit, stat)
    memory.sysFree(v + 16 * unit, 16 * unit, null)
  } else memory.sysFree(v, 32 * unit, stat)
  memory.sysFree(a, 4 * unit, stat)
  memory.sysFree(address, size, null)
}

/** Does something with a memory, in whole units. */
export type Life = (memory: Memory, unit: number) => void

interface Armed {
  readonly wrap: (kernel: object) => object
  /** Starts to count calls. */
  arm(): void
  disarm(): void
  readonly met: boolean
}

/** A kernel that refuses the k-th call after `arm`. */
function armed(k: number, errno: number): Armed {
  let failing: { readonly kernel: object; readonly failed: boolean } | null = null
  let below: object = {}
  let isArmed = false
  return {
    wrap(kernel) {
      below = kernel
      const plan = failCall(kernel, k, errno)
      failing = plan
      // Calls before arm() and after disarm() bypass the counter.
      return new Proxy(plan.kernel, { get: (port, name) => Reflect.get(isArmed ? port : below, name) as unknown })
    },
    arm: () => void (isArmed = true),
    disarm: () => void (isArmed = false),
    get met() {
      return failing?.failed ?? false
    },
  }
}

/** Runs one life and refuses its k-th call. False: the life has fewer calls. */
export function liveRefused(world: World, k: number, errno: number, life: Life = live): boolean {
  const plan = armed(k, errno)
  const when = `when call ${k} is refused with ${errno}`
  return world.play(
    (stage) => {
      const { memory, os, unit, witness } = stage
      const charged = witness.charged?.()
      const kept = ready(stage, 3, 0x77)
      const start = witness.total?.() ?? 0
      plan.arm()
      const error = thrownBy(() => life(memory, unit))
      plan.disarm()
      if (error !== null) claimOutcome(error, ['OutOfMemoryError', 'FatalError'], `a life, ${when}`)
      if (!plan.met) claim(error === null, `a life without a refusal threw an error: ${String(error)}`)
      claimKernelAgrees(stage, when)
      claimBytes(os, kept, 3 * unit, 0x77, `memory outside the life, ${when}`)
      if (witness.total !== undefined && os.traits.reservedTraps) {
        same(witness.total() - start, ownedBytes(memory) - 3 * unit, `what the kernel holds, ${when}`)
      }
      stage.clear()
      same(ownedBytes(memory), 0, `what is owned after everything is freed, ${when}`)
      same(memory.stats().total.held, 0, `what is counted after everything is freed, ${when}`)
      if (charged !== undefined)
        same(witness.charged?.(), charged, `the bytes that the kernel has promised after everything is freed, ${when}`)
      return plan.met
    },
    { wrap: plan.wrap },
  )
}

function everyCall(world: World): Verdict | undefined {
  const errnos = errnosOf(world.subject)
  if (errnos === null) return notRun(NO_KERNEL)
  for (const errno of errnos) {
    const count = refuseEach('a life', callsMax, (k) => liveRefused(world, k, errno))
    claim(count > 0, 'a whole life made no kernel call')
  }
  return undefined
}

/** Refuses every call without a ledger. There are no ranges to compare, but the category's count must be right. */
function everyCallUnchecked(world: World): Verdict | undefined {
  const errnos = errnosOf(world.subject)
  if (errnos === null) return notRun(NO_KERNEL)
  for (const errno of errnos) {
    refuseEach('a life', callsMax, (k) => {
      const plan = armed(k, errno)
      return world.play(
        ({ memory, unit }: Stage) => {
          let expected = 0
          memory.observe(({ op, size, category, outcome }) => {
            if (outcome !== 'done' || category === null) return
            if (op === 'sysAlloc' || op === 'sysMap') expected += size
            if (op === 'sysFree') expected -= size
          })
          plan.arm()
          const error = thrownBy(() => live(memory, unit))
          plan.disarm()
          if (error !== null) claimOutcome(error, ['OutOfMemoryError', 'FatalError'], `call ${k} refused with ${errno}`)
          same(
            memory.stat('life').load(),
            expected,
            `what the category counts, when call ${k} is refused with ${errno}`,
          )
          return plan.met
        },
        { wrap: plan.wrap, ledger: false },
      )
    })
  }
  return undefined
}

/** The transitions of a large range, in the order of a life, and what a page of it does when each is done. */
const largeLife = [
  ['sysMap', null],
  ['sysUsed', false],
  ['sysFault', true],
  ['sysMap', null],
  ['sysUsed', false],
  ['sysUnused', null],
  ['sysUsed', false],
  ['sysFree', null],
] as const

/** Runs `step`, which may be refused. Returns the error; null: it was done. */
function refusedBy(step: () => void, what: string): unknown {
  const error = thrownBy(step)
  if (error !== null) claimOutcome(error, ['OutOfMemoryError', 'FatalError'], what)
  return error
}

/** Allocates and frees a range that a backend may work on in pieces, and refuses the k-th call. */
function allocLargeRefused(world: World, k: number, errno: number, bytes: number): boolean {
  const plan = armed(k, errno)
  return world.play(
    (stage) => {
      const { memory, unit } = stage
      const n = Math.ceil(bytes / unit) * unit
      let v = NaN
      plan.arm()
      const what = `of ${n} bytes, when call ${k} is refused with ${errno}`
      if (refusedBy(() => (v = memory.sysAlloc(n, null)), `sysAlloc ${what}`) === null)
        void refusedBy(() => memory.sysFree(v, n, null), `sysFree ${what}`)
      plan.disarm()
      claimKernelAgrees(stage, `when sysAlloc and sysFree ${what}`)
      return plan.met
    },
    { wrap: plan.wrap },
  )
}

/** Runs the life of a range that a backend may work on in pieces, and refuses the k-th call. */
function liveLargeRefused(world: World, k: number, errno: number, bytes: number): boolean {
  const plan = armed(k, errno)
  return world.play(
    (stage) => {
      const { memory, os } = stage
      const place = placeOf(stage, bytes)
      const { whole: v, size: n } = place
      let isReady = false
      plan.arm()
      for (const [op, faults] of largeLife) {
        const after = `${op}, whose call ${k} was refused with ${errno},`
        const takesNull = op === 'sysMap' || op === 'sysFree'
        const error = refusedBy(() => (takesNull ? memory[op](v, n, null) : memory[op](v, n)), after)
        if (error !== null) {
          if (isReady && !isUnsettled(error)) claimFaults(stage, place, false, `${after} and left Ready`)
          break
        }
        isReady = faults === false
        if (faults !== null && (!faults || os.traits.faultTraps)) claimFaults(stage, place, faults, after)
      }
      plan.disarm()
      claimKernelAgrees(stage, `when call ${k} of a large range's life is refused with ${errno}`)
      return plan.met
    },
    { wrap: plan.wrap },
  )
}

function everyCallOfLarge(world: World): Verdict | undefined {
  const errno = errnosOf(world.subject)?.[0]
  if (errno === undefined) return notRun(NO_KERNEL)
  // A real kernel that commits memory would commit 4 GiB anew for each call.
  const [page, isVast] = world.play(({ os, pageSize, witness }) => [
    pageSize,
    isSparse(os) && os.traits.reservedTraps && (!os.traits.unusedTraps || witness.setLimits !== undefined),
  ])
  const sizes = [8 * 2 ** 20 + page, ...(isVast ? [beyond32Bits(page)] : [])]
  const counts = sizes.map((bytes) => refuseEach('a life', callsMax, (k) => liveLargeRefused(world, k, errno, bytes)))
  for (const bytes of sizes) refuseEach('sysAlloc', callsMax, (k) => allocLargeRefused(world, k, errno, bytes))
  for (const fn of ['sysZeroOS', 'sysRetireOS', 'sysPopulateOS'] as const) askLargeRefused(world, fn, errno)
  return counts.some((count) => count > 0) ? undefined : absent('a kernel call of a transition')
}

/** Asks an optional function for a large range, and refuses its k-th call. Where it says done, it is done whole. */
function askLargeRefused(world: World, fn: 'sysZeroOS' | 'sysRetireOS' | 'sysPopulateOS', errno: number): void {
  refuseEach(fn, callsMax, (k) => {
    const plan = armed(k, errno)
    return world.play(
      (stage) => {
        const { os, witness } = stage
        if (os[fn] === undefined) return false
        const place = placeOf(stage, 8 * 2 ** 20 + stage.pageSize)
        open(stage, place)
        if (fn !== 'sysPopulateOS') markAll(stage, place, 6)
        const what = `${fn}, whose call ${k} was refused with ${errno}`
        let answer: boolean | null = null
        plan.arm()
        const error = thrownBy(() => (answer = os[fn]?.(place.v, place.n, true) ?? null))
        plan.disarm()
        os.refusal = null
        if (error !== null) claimOutcome(error, ['FatalError', 'OutOfMemoryError'], what)
        if (answer !== true) return plan.met
        if (fn !== 'sysPopulateOS') claimMarks(stage, place, [0], what)
        else if (witness.resident !== undefined)
          same(witness.resident(place.v, place.n), place.n, `resident after ${what}`)
        return plan.met
      },
      { wrap: plan.wrap },
    )
  })
}

export const kthCallCases: readonly Definition[] = [
  {
    id: 'k-th-call/ledger',
    title: 'for any refused kernel call of a life, the account is right, the kernel agrees, and all can be freed',
    show: everyCall,
  },
  {
    id: 'k-th-call/no-ledger',
    title: 'for any refused kernel call of a life without a ledger, categories count what was done',
    show: everyCallUnchecked,
  },
  {
    id: 'k-th-call/large',
    title:
      'for any refused kernel call of a range of 8 MiB or 4 GiB and a page, a transition is done whole or not at all',
    show: everyCallOfLarge,
  },
]
