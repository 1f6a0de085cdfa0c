// Kernels that map another place than they were told. A sandbox, or an emulator of a kernel, may do so. What a backend
// says was done must have been done at the range.
import type { Address } from '@memlayer/kernel'
import { claimOutcome, rangeText, thrownBy } from '../claim.js'
import { absent, notRun, type Definition, type Verdict, type World } from '../definition.js'
import { NO_KERNEL } from '../errnos.js'
import { changeCalls } from '../intercept.js'
import type { Stage } from '../stage.js'
import { claimFaults, claimMarks, markAll, placeIn } from './place.js'
import { ready } from './transitions.js'

/** A function of a range, and what is so when it says that it was done. */
interface Way {
  readonly start: 'Reserved' | 'Prepared' | 'Ready'
  readonly run: (stage: Stage, v: Address, n: number) => unknown
  readonly look: (stage: Stage, v: Address, n: number, what: string) => void
}

function claimUsable(stage: Stage, v: Address, n: number, what: string): void {
  const place = placeIn(v, n, stage.pageSize)
  claimFaults(stage, place, false, what)
  markAll(stage, place, 5)
  claimMarks(stage, place, [5], what)
}

function claimZeroes(stage: Stage, v: Address, n: number, what: string): void {
  claimMarks(stage, placeIn(v, n, stage.pageSize), [0], what)
}

/** The functions that may map memory at the place of a range. */
const ways: Readonly<Record<string, Way>> = {
  'sysMapOS and sysUsedOS': {
    start: 'Reserved',
    run: ({ os }, v, n) => {
      os.sysMapOS(v, n)
      os.sysUsedOS(v, n)
    },
    look: claimUsable,
  },
  sysUsedOS: { start: 'Prepared', run: ({ os }, v, n) => os.sysUsedOS(v, n), look: claimUsable },
  sysUnusedOS: {
    start: 'Ready',
    run: ({ os }, v, n) => os.sysUnusedOS(v, n),
    look: (stage, v, n, what) => {
      const { unusedTraps } = stage.os.traits
      if (unusedTraps) claimFaults(stage, placeIn(v, n, stage.pageSize), true, what)
    },
  },
  sysFaultOS: {
    start: 'Ready',
    run: ({ os }, v, n) => os.sysFaultOS(v, n),
    look: (stage, v, n, what) => {
      if (stage.os.traits.faultTraps) claimFaults(stage, placeIn(v, n, stage.pageSize), true, what)
    },
  },
  sysZeroOS: { start: 'Ready', run: ({ os }, v, n) => os.sysZeroOS?.(v, n) ?? false, look: claimZeroes },
  sysRenewOS: { start: 'Ready', run: ({ os }, v, n) => os.sysRenewOS?.(v, n) ?? false, look: claimZeroes },
  sysRetireOS: {
    start: 'Ready',
    run: ({ os }, v, n) => os.sysRetireOS?.(v, n, true) ?? false,
    look: claimZeroes,
  },
  'sysRetireOS of memory that is not mapped': {
    start: 'Ready',
    run: ({ os }, v, n) => os.sysRetireOS?.(v, n, false) ?? false,
    look: claimZeroes,
  },
}

/** Runs a way over a kernel that maps elsewhere meanwhile. */
function play(world: World, name: string, way: Way): void {
  // By how much an address that is asked for is changed; null: not now.
  let shift: number | null = null
  const wrap = (kernel: object): object =>
    changeCalls(kernel, (fn, call) => {
      if (fn !== 'mmap') return null
      return (v, ...rest) => call(shift === null || v === 0 ? v : (v as Address) + shift, ...rest)
    })
  world.play(
    (stage) => {
      const { memory, os, unit } = stage
      const n = 4 * unit
      const v = way.start === 'Reserved' ? memory.sysReserve(null, n) : ready(stage, 4, 7)
      if (way.start === 'Prepared') memory.sysUnused(v, n)
      const spare = memory.sysReserve(null, n)
      os.refusal = null
      let answer: unknown
      shift = spare - v
      const error = thrownBy(() => (answer = way.run(stage, v, n)))
      shift = null
      const what = `${name}, whose mmap mapped elsewhere,`
      if (error !== null) claimOutcome(error, ['FatalError', 'OutOfMemoryError'], `${what} of ${rangeText(v, n)}`)
      const isDone = error === null && answer !== false && (os.refusal ?? null) === null
      os.refusal = null
      if (isDone) way.look(stage, v, n, what)
    },
    { wrap },
  )
}

function elsewhere(world: World): Verdict | undefined {
  if (world.subject.kernel === undefined) return notRun(NO_KERNEL)
  if (!('mmap' in world.subject.kernel({ seed: world.seed }))) return absent('mmap')
  for (const [name, way] of Object.entries(ways)) play(world, name, way)
  return undefined
}

export const elsewhereCases: readonly Definition[] = [
  {
    id: 'refusals/elsewhere',
    title: 'a transition whose kernel maps another place than it was told to is not done',
    show: elsewhere,
  },
]
