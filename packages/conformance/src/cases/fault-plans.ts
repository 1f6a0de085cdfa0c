// Fault plans of several refused calls with calls between them that succeed. A function that makes several calls tries
// another way after a refusal, or undoes what it did, and that may be refused as well. A plan of one call misses it.
import { claim, claimOutcome, isUnsettled, same, thrownBy } from '../claim.js'
import { notRun, type Definition, type Verdict, type World } from '../definition.js'
import { errnosOf, NO_KERNEL } from '../errnos.js'
import type { Stage } from '../stage.js'
import { claimKernelAgrees, ownedBytes } from './account.js'
import { claimFaults, claimGuards, claimMarks, markAll, open, placeOf, type Place } from './place.js'
import { whileRefused } from './with-refusals.js'

/** How many calls of a plan are refused. */
const refusedMax = 3

/** Only the first calls of an operation are refused. */
const callsMax = 12

/** What the pages of the range hold before. */
const INSIDE = 6

/** An operation on a place, whose range is Ready unless `before` says otherwise. */
interface Operation {
  /** Brings the range into the state that it takes, where the kernel refuses nothing. */
  before?(stage: Stage, place: Place): void
  run(stage: Stage, place: Place): unknown
  /** What the pages of the range that are Ready afterwards may hold. */
  readonly holds: readonly number[]
}

const operations: Readonly<Record<string, Operation>> = {
  sysAlloc: { run: ({ memory }, { n }) => memory.sysAlloc(n, null), holds: [INSIDE] },
  sysReserve: { run: ({ memory }, { n }) => memory.sysReserve(null, n), holds: [INSIDE] },
  sysReserveAligned: {
    run: ({ memory, unit }, { n }) => memory.sysReserveAligned(null, n, 64 * unit),
    holds: [INSIDE],
  },
  sysMap: {
    before: ({ memory }, { v, n }) => memory.sysFault(v, n),
    run: ({ memory }, { v, n }) => memory.sysMap(v, n, null),
    holds: [0, INSIDE],
  },
  sysUsed: {
    before: ({ memory }, { v, n }) => memory.sysUnused(v, n),
    run: ({ memory }, { v, n }) => memory.sysUsed(v, n),
    holds: [0, INSIDE],
  },
  sysUnused: { run: ({ memory }, { v, n }) => memory.sysUnused(v, n), holds: [0, INSIDE] },
  sysUnusedAll: { run: ({ memory }, { v, n }) => memory.sysUnusedAll([v, n]), holds: [0, INSIDE] },
  sysFault: { run: ({ memory }, { v, n }) => memory.sysFault(v, n), holds: [0, INSIDE] },
  sysHugePage: { run: ({ memory }, { v, n }) => memory.sysHugePage(v, n), holds: [INSIDE] },
  'sysFree of all': { run: ({ memory }, { whole, size }) => memory.sysFree(whole, size, null), holds: [INSIDE] },
  'sysFree of a part': {
    run: ({ memory, os }, { v, n }) => (os.traits.freesParts ? memory.sysFree(v, n, null) : null),
    holds: [INSIDE],
  },
  'sysFree of memory with a view': {
    before: ({ memory }, { whole, size }) => void memory.view(Uint8Array, whole, size),
    run: ({ memory }, { whole, size }) => memory.sysFree(whole, size, null),
    holds: [0, INSIDE],
  },
  sysZeroOS: { run: ({ os }, { v, n }) => os.sysZeroOS?.(v, n), holds: [0, INSIDE] },
  sysPopulateOS: { run: ({ os }, { v, n }) => os.sysPopulateOS?.(v, n), holds: [INSIDE] },
}

/** The offsets of the probes that are in a state, to the account. */
function inState({ memory }: Stage, { v, probes }: Place, wanted: string): number[] {
  const ranges = memory.ranges().filter(({ state }) => state === wanted)
  return probes.filter((at) => ranges.some(({ address, size }) => v + at >= address && v + at < address + size))
}

/** Fails unless each page is in its state, with what it may hold. */
function claimPages(stage: Stage, place: Place, allowed: readonly number[], what: string): void {
  const { reservedTraps, faultTraps } = stage.os.traits
  const probes = inState(stage, place, 'Ready')
  claimFaults(stage, { ...place, probes }, false, what)
  claimMarks(stage, { ...place, probes }, allowed, what)
  if (reservedTraps && faultTraps)
    claimFaults(stage, { ...place, probes: inState(stage, place, 'Reserved') }, true, what)
  // The guards go with the range where all of it was freed.
  const areReady = inState(stage, { ...place, probes: [-stage.pageSize, place.n] }, 'Ready').length === 2
  if (areReady) claimGuards(stage, place, what)
}

interface Plan {
  readonly name: string
  readonly operation: Operation
  readonly units: number
  readonly errno: number
  /** Which of its calls are refused, from 1. */
  readonly refused: readonly number[]
}

/** Fails unless the kernel holds what is owned. A page that a backend tried something with may be refused to end. */
function claimHeld({ pageSize }: Stage, surplus: number, refused: number, what: string): void {
  claim(
    surplus >= 0 && surplus <= refused * pageSize,
    `after ${what} the kernel holds ${Math.abs(surplus)} bytes ${surplus < 0 ? 'less' : 'more'} than are owned`,
  )
}

/** Plays one plan, and returns how many calls the operation has made. */
function playPlan(world: World, { name, operation, units, errno, refused }: Plan): number {
  const plan = whileRefused(errno, (call) => refused.includes(call))
  return world.play(
    (stage) => {
      const { memory, os, unit, witness } = stage
      const start = witness.total?.()
      const place = placeOf(stage, units * unit)
      open(stage, place)
      markAll(stage, place, INSIDE)
      operation.before?.(stage, place)
      const error = plan.refuse(() => thrownBy(() => operation.run(stage, place)))
      os.refusal = null
      const what = `${name} whose calls ${refused.join(', ')} were refused with ${errno}`
      if (error !== null) claimOutcome(error, ['OutOfMemoryError', 'FatalError'], what)
      if (!isUnsettled(error)) {
        claimKernelAgrees(stage, `after ${what}`)
        claimPages(stage, place, operation.holds, what)
        const owned = ownedBytes(memory) + memory.stats().retired
        if (start !== undefined && os.traits.reservedTraps)
          claimHeld(stage, (witness.total?.() ?? NaN) - start - owned, refused.length, what)
      }
      stage.clear()
      // Where only whole reservations are freed, one that core could not give back has no owner that frees it.
      if (os.traits.freesParts) same(ownedBytes(memory), 0, `what is owned when all is freed after ${what}`)
      return plan.calls
    },
    { wrap: plan.wrap },
  )
}

/** Plays a plan, and every plan that refuses one more of the calls that it has made, up to `most`. */
function playPlans(world: World, plan: Plan, most: number): void {
  const calls = Math.min(playPlan(world, plan), callsMax)
  const { refused } = plan
  if (refused.length === most) return
  for (let k = (refused.at(-1) ?? 0) + 1; k <= calls; k++) playPlans(world, { ...plan, refused: [...refused, k] }, most)
}

function several(world: World): Verdict | undefined {
  const errnos = errnosOf(world.subject)
  if (errnos === null) return notRun(NO_KERNEL)
  for (const [name, operation] of Object.entries(operations))
    for (const [i, errno] of errnos.entries()) {
      // What the number changes shows with two, and what the size changes with one number.
      playPlans(world, { name, operation, units: 2, errno, refused: [] }, i === 0 ? refusedMax : 2)
      if (i === 0) playPlans(world, { name, operation, units: 65, errno, refused: [] }, 2)
    }
  return undefined
}

export const faultPlanCases: readonly Definition[] = [
  {
    id: 'refusals/several',
    title: `for any ${refusedMax} refused calls of a function with others between, each page is in its state`,
    show: several,
  },
]
