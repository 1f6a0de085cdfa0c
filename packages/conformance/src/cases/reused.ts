// Memory that is handed out again after the kernel refused something while it was given up. It reads zero all the same,
// at every size and at every reuse.
import type { Address } from '@memlayer/kernel'
import { claimOutcome, thrownBy } from '../claim.js'
import { notRun, type Definition, type Verdict, type World } from '../definition.js'
import { errnosOf, NO_KERNEL } from '../errnos.js'
import type { Stage } from '../stage.js'
import { claimMarks, markAll, placeIn } from './place.js'
import { whileRefused } from './with-refusals.js'

/** The calls that are refused, from the first that an operation makes. */
const plans: readonly (readonly number[])[] = [[1], [2], [1, 2], [1, 3], [1, 2, 3]]

/** How often memory is given up and handed out again. */
const TIMES = 2

/** Runs an operation whose calls are refused by the plan. True: it was done. */
type Refuse = (run: () => unknown) => boolean

/** How a Ready range is given up. The last of it is a sysFree, which is repeated until it is done. */
const givings: Readonly<Record<string, (stage: Stage, v: Address, n: number, refuse: Refuse) => void>> = {
  sysFree: (stage, v, n, refuse) => free(stage, v, n, refuse),
  'sysUnused, refused, and sysFree': (stage, v, n, refuse) => {
    refuse(() => stage.memory.sysUnused(v, n))
    free(stage, v, n, (run) => runs(run))
  },
  'sysUnused and sysFree, both refused': (stage, v, n, refuse) => {
    refuse(() => stage.memory.sysUnused(v, n))
    free(stage, v, n, refuse)
  },
  'sysUnused, refused, sysUsed, a write and sysFree': (stage, v, n, refuse) => {
    const { memory, pageSize } = stage
    if (refuse(() => memory.sysUnused(v, n))) memory.sysUsed(v, n)
    markAll(stage, placeIn(v, n, pageSize), 8)
    free(stage, v, n, (run) => runs(run))
  },
  'sysFault, refused, and sysFree': (stage, v, n, refuse) => {
    refuse(() => stage.memory.sysFault(v, n))
    free(stage, v, n, (run) => runs(run))
  },
  'sysFault and sysFree, both refused': (stage, v, n, refuse) => {
    refuse(() => stage.memory.sysFault(v, n))
    free(stage, v, n, refuse)
  },
  'sysFree in two parts': (stage, v, n, refuse) => {
    if (!stage.os.traits.freesParts || n === stage.unit) return free(stage, v, n, refuse)
    free(stage, v + stage.unit, n - stage.unit, refuse)
    free(stage, v, stage.unit, refuse)
  },
  'sysFree of memory with a view': (stage, v, n, refuse) => {
    stage.memory.view(Uint8Array, v, n)
    free(stage, v, n, refuse)
  },
}

/** Runs without refusals. */
function runs(run: () => unknown): boolean {
  run()
  return true
}

/** Frees a range. Where a refusal left it owned, it is freed without one. */
function free({ memory }: Stage, v: Address, n: number, refuse: Refuse): void {
  if (!refuse(() => memory.sysFree(v, n, null))) memory.sysFree(v, n, null)
}

/** How memory is obtained. */
const obtainings: Readonly<Record<string, (stage: Stage, n: number) => Address>> = {
  sysAlloc: ({ memory }, n) => memory.sysAlloc(n, null),
  'sysReserve, sysMap and sysUsed': ({ memory }, n) => {
    const v = memory.sysReserve(null, n)
    memory.sysMap(v, n, null)
    memory.sysUsed(v, n)
    return v
  },
}

/** Gives ranges up, obtains others in their place, and fails unless they read zero. */
function playReuse(stage: Stage, units: number, giving: string, refuse: Refuse, what: string): void {
  const { memory, os, pageSize, unit } = stage
  const n = units * unit
  let v = memory.sysAlloc(n, null)
  // A large range is handed out again once. It is there for its size.
  for (let times = 1; times <= (units > 8 ? 1 : TIMES); times++) {
    for (const [name, obtain] of Object.entries(obtainings)) {
      markAll(stage, placeIn(v, n, pageSize), 7)
      givings[giving]?.(stage, v, n, refuse)
      os.refusal = null
      // Less, the rest of it, as much, and more than was given up.
      const sizes = [Math.max(1, units >> 1), Math.max(1, units - (units >> 1)), units, 2 * units]
      const taken = sizes.map((count): [Address, number] => [obtain(stage, count * unit), count * unit])
      for (const [w, m] of taken)
        claimMarks(stage, placeIn(w, m, pageSize), [0], `${name} after ${what}, time ${times},`)
      const [first = [NaN, 0] as const, ...others] = taken
      for (const range of [first, ...others]) {
        markAll(stage, placeIn(...range, pageSize), 7)
        free(stage, ...range, refuse)
      }
      v = memory.sysAlloc(n, null)
      claimMarks(stage, placeIn(v, n, pageSize), [0], `sysAlloc after ${what}, time ${times},`)
    }
  }
}

/** Small sizes, and where only the first call is refused a size that is no multiple of a piece. */
function unitsOf(world: World, refused: readonly number[]): number[] {
  const unit = world.play((stage) => stage.unit)
  return refused.length > 1 || refused[0] !== 1 ? [1, 5] : [1, 5, Math.ceil((2.5 * 2 ** 20) / unit) + 1]
}

function reused(world: World): Verdict | undefined {
  const errnos = errnosOf(world.subject)
  if (errnos === null) return notRun(NO_KERNEL)
  for (const giving of Object.keys(givings))
    for (const refused of plans)
      for (const errno of new Set([errnos[0] ?? NaN, refused.length > 1 ? (errnos[0] ?? NaN) : (errnos.at(-1) ?? NaN)]))
        for (const units of unitsOf(world, refused)) {
          const plan = whileRefused(errno, (call) => refused.includes(call))
          const what = `${giving} of ${units} units, of whose calls ${refused.join(', ')} were refused with ${errno}`
          const refuse: Refuse = (run) => {
            const error = plan.refuse(() => thrownBy(run))
            if (error !== null) claimOutcome(error, ['FatalError', 'OutOfMemoryError'], what)
            return error === null
          }
          world.play((stage) => playReuse(stage, units, giving, refuse, what), { wrap: plan.wrap })
        }
  return undefined
}

export const reusedCases: readonly Definition[] = [
  {
    id: 'refusals/reused',
    title: 'memory that is handed out again reads zero, whichever calls were refused while it was given up',
    show: reused,
  },
]
