// The last resorts of a backend: what it does where the kernel refuses the usual call. They are done to the last page,
// at sizes that are no multiple of any piece.
import { claimOutcome, same, thrownBy } from '../claim.js'
import { notRun, type Definition, type Verdict, type World } from '../definition.js'
import { errnosOf, NO_KERNEL } from '../errnos.js'
import type { Stage } from '../stage.js'
import { claimFaults, claimGuards, claimMarks, markAll, open, placeOf, type Place } from './place.js'
import { whileRefused } from './with-refusals.js'

/** How many kernel calls are refused, one after the other. */
const firstMax = 3

const MIB = 2 ** 20

/** Sizes beside and between those of pieces, in whole pages. */
function sizesOf(page: number): number[] {
  const bytes = [3 * page, 5 * 65536 + page, MIB - page, MIB + page, 1.5 * MIB, 2.5 * MIB + 3 * page]
  return [...new Set(bytes.map((n) => Math.ceil(n / page) * page))]
}

/** An operation on a place whose range is Ready and marked. Returns what its pages may hold then. */
type Resort = (stage: Stage, place: Place, refuse: <T>(run: () => T) => T) => readonly number[]

/** What pages hold that were given up. Without sysRenewOS, what the kernel does not take back stays as it is. */
function dropped({ os }: Stage): readonly number[] {
  return os.traits.unusedDropsContents && os.sysRenewOS !== undefined ? [0] : [0, 6]
}

/** An answer of true says that all pages read zero. */
function zeroedIf(answer: unknown): readonly number[] {
  return answer === true ? [0] : [0, 6]
}

const resorts: Readonly<Record<string, Resort>> = {
  'sysUnused and sysUsed': (stage, { v, n }, refuse) => {
    refuse(() => stage.memory.sysUnused(v, n))
    stage.memory.sysUsed(v, n)
    return dropped(stage)
  },
  'sysUnusedAll and sysUsed': (stage, { v, n }, refuse) => {
    refuse(() => stage.memory.sysUnusedAll([v, n]))
    stage.memory.sysUsed(v, n)
    return dropped(stage)
  },
  'sysUnused, and sysUsed refused': (stage, { v, n }, refuse) => {
    stage.memory.sysUnused(v, n)
    refuse(() => stage.memory.sysUsed(v, n))
    return stage.os.traits.unusedDropsContents ? [0] : [0, 6]
  },
  sysRenewOS: (stage, { v, n }, refuse) => {
    refuse(() => stage.os.sysRenewOS?.(v, n))
    return stage.os.sysRenewOS === undefined ? [6] : dropped(stage)
  },
  sysZeroOS: ({ os }, { v, n }, refuse) => zeroedIf(refuse(() => os.sysZeroOS?.(v, n))),
  'sysRetireOS of Ready memory': ({ os }, { v, n }, refuse) => zeroedIf(refuse(() => os.sysRetireOS?.(v, n, true))),
  'sysRetireOS of a mix': (stage, { v, n }, refuse) => {
    const { memory, os } = stage
    // The first page is given back, so that not all of it can be touched.
    memory.sysUnused(v, stage.pageSize)
    const answer = refuse(() => os.sysRetireOS?.(v, n, false))
    memory.sysUsed(v, stage.pageSize)
    return zeroedIf(answer)
  },
  sysPopulateOS: ({ os, witness }, { v, n }, refuse) => {
    if (refuse(() => os.sysPopulateOS?.(v, n)) === true && witness.resident !== undefined)
      same(witness.resident(v, n), n, `resident bytes of ${n} after sysPopulateOS said true`)
    return [6]
  },
  'sysFault, sysMap and sysUsed': (stage, place, refuse) => {
    const { memory, os } = stage
    refuse(() => memory.sysFault(place.v, place.n))
    if (os.traits.faultTraps) claimFaults(stage, place, true, 'sysFault that was done in spite of refused calls')
    memory.sysMap(place.v, place.n, null)
    memory.sysUsed(place.v, place.n)
    return [0, 6]
  },
  'sysFault, and sysMap refused': (stage, { v, n }, refuse) => {
    stage.memory.sysFault(v, n)
    refuse(() => stage.memory.sysMap(v, n, null))
    stage.memory.sysUsed(v, n)
    return [0, 6]
  },
}

/** Thrown by an operation that was refused: it says so, and other cases look at what it leaves. */
class WasRefused extends Error {}

function playResort(stage: Stage, n: number, name: string, run: Resort, refuse: <T>(run: () => T) => T): void {
  const place = placeOf(stage, n)
  open(stage, place)
  markAll(stage, place, 6)
  let allowed: readonly number[] = []
  const error = thrownBy(() => (allowed = run(stage, place, refuse)))
  stage.os.refusal = null
  if (error instanceof WasRefused) return
  if (error !== null) throw error
  claimFaults(stage, place, false, name)
  claimMarks(stage, place, allowed, name)
  claimGuards(stage, place, name)
}

function toTheLastPage(world: World): Verdict | undefined {
  const errnos = errnosOf(world.subject)
  if (errnos === null) return notRun(NO_KERNEL)
  for (const [name, run] of Object.entries(resorts))
    for (const errno of new Set([errnos[0] ?? NaN, errnos.at(-1) ?? NaN]))
      // How many calls are refused matters with one number as with another.
      for (let first = 1; first <= (errno === errnos[0] ? firstMax : 1); first++) {
        const plan = whileRefused(errno, (call) => call <= first)
        const what = `${name}, the first ${first} calls refused with ${errno},`
        const refuse = <T>(call: () => T): T => {
          let answer: T | undefined
          const error = plan.refuse(() => thrownBy(() => (answer = call())))
          if (error === null) return answer as T
          claimOutcome(error, ['FatalError', 'OutOfMemoryError'], what)
          throw new WasRefused()
        }
        world.play(
          (stage) => {
            for (const n of sizesOf(stage.pageSize)) playResort(stage, n, what, run, refuse)
          },
          { wrap: plan.wrap },
        )
      }
  return undefined
}

export const lastResortCases: readonly Definition[] = [
  {
    id: 'refusals/sizes',
    title: 'every function that is done in spite of refused calls is done to the last page, at odd sizes too',
    show: toTheLastPage,
  },
]
