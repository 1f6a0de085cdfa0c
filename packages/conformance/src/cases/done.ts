// What a call that is done leaves in `refusal`: nothing, also where the kernel refused its first tries. Core would take
// what is left for the refusal of the next call.
import type { OS } from '@memlayer/core'
import type { Address } from '@memlayer/kernel'
import { fill } from '../bytes.js'
import { claim, thrownBy } from '../claim.js'
import type { Definition, World } from '../definition.js'
import { errnosOf } from '../errnos.js'
import type { Stage } from '../stage.js'
import { whileRefused } from './with-refusals.js'

/** How many kernel calls of a function are refused, one after the other. It may have another way then. */
const firstMax = 3

/** One call of a function of the contract, on a range in the state that it takes. */
interface Trial extends Pick<Stage, 'os' | 'witness'> {
  readonly v: Address
  readonly n: number
  /** Whether the kernel refuses the first calls. A function that returns nothing may have been refused then. */
  readonly isRefusing: boolean
  /** What is to be freed, as pairs of address and size. */
  readonly owned: [Address, number][]
}

/** Makes the call. True: it was done. */
type Attempt = (trial: Trial) => boolean

function obtained({ owned, n }: Trial, p: Address | null): boolean {
  if (p !== null) owned.push([p, n])
  return p !== null
}

/** Every call that may be done, by the state of the range that it takes. */
const attempts: Readonly<Record<'None' | 'Reserved' | 'Ready' | 'Prepared', Readonly<Record<string, Attempt>>>> = {
  None: {
    sysAllocOS: (trial) => obtained(trial, trial.os.sysAllocOS(trial.n)),
    sysReserveOS: (trial) => obtained(trial, trial.os.sysReserveOS(null, trial.n)),
    'sysReserveOS with a hint at free addresses': (trial) => obtained(trial, trial.os.sysReserveOS(trial.v, trial.n)),
    sysRoomOS: ({ os, n }) => os.sysRoomOS?.(n) === true,
    sysAdoptOS({ os, n, owned }) {
      const buffer = new SharedArrayBuffer(4 * n)
      const pages = os.sysAdoptOS?.(() => buffer) ?? null
      if (pages !== null) owned.push([pages.address, pages.size])
      return pages !== null
    },
  },
  Reserved: {
    sysMapOS({ os, v, n }) {
      os.sysMapOS(v, n)
      return true
    },
  },
  Ready: {
    'sysReserveOS with a hint at memory in use': (trial) => obtained(trial, trial.os.sysReserveOS(trial.v, trial.n)),
    sysHugePageOS({ os, v, n }) {
      os.sysHugePageOS(v, n)
      return true
    },
    sysNoHugePageOS({ os, v, n }) {
      os.sysNoHugePageOS?.(v, n)
      return true
    },
    sysPopulateOS: ({ os, v, n }) => os.sysPopulateOS?.(v, n) === true,
    sysZeroOS: ({ os, v, n }) => os.sysZeroOS?.(v, n) === true,
    sysRenewOS: ({ os, v, n }) => os.sysRenewOS?.(v, n) === true,
    sysRetireOS: ({ os, v, n }) => os.sysRetireOS?.(v, n, true) === true,
    // False is no refusal either: the kernel does not take the ranges together.
    sysUnusedAllOS: ({ os, v, n }) => os.sysUnusedAllOS?.([v, n]) !== undefined,
    sysUnusedOS({ os, witness, v, n, isRefusing }) {
      os.sysUnusedOS(v, n)
      return !isRefusing || (os.traits.unusedReturnsMemory && witness.resident?.(v, n) === 0)
    },
    sysFaultOS({ os, witness, v, n, isRefusing }) {
      os.sysFaultOS(v, n)
      return !isRefusing || (os.traits.faultTraps && witness.faults?.(v, 'read') === true)
    },
    sysFreeOS({ os, witness, v, n, isRefusing, owned }) {
      os.sysFreeOS(v, n)
      const isDone = !isRefusing || (os.traits.reservedTraps && witness.held?.(v, n) === 0)
      if (isDone || !os.refusal) owned.length = 0
      return isDone
    },
  },
  Prepared: {
    sysUsedOS({ os, v, n }) {
      os.sysUsedOS(v, n)
      return true
    },
  },
}

type State = keyof typeof attempts

/** A range of `n` bytes in a state. None: addresses that were free a moment ago. */
function rangeIn(os: OS, state: State, n: number): Address {
  const v = os.sysReserveOS(null, n)
  claim(v !== null, `sysReserveOS refused ${n} bytes, and the kernel refused nothing`)
  if (state === 'None') os.sysFreeOS(v, n)
  if (state === 'None' || state === 'Reserved') return v
  os.sysMapOS(v, n)
  os.sysUsedOS(v, n)
  fill(os, v, n, 6)
  if (state === 'Prepared') os.sysUnusedOS(v, n)
  return v
}

/** Makes every call once. The kernel refuses the first `first` kernel calls of each with `errno`. */
function leaveNothing(world: World, first: number, errno: number): void {
  const { wrap, refuse } = whileRefused(errno, (call) => call <= first)
  world.play(
    ({ os, witness, unit }) => {
      const n = 4 * unit
      for (const [state, calls] of Object.entries(attempts) as [State, Readonly<Record<string, Attempt>>][]) {
        for (const [name, attempt] of Object.entries(calls)) {
          const v = rangeIn(os, state, n)
          const owned: [Address, number][] = state === 'None' ? [] : [[v, n]]
          if (os.refusal) os.refusal = null
          let isDone = false
          // What it may throw is for other cases.
          void refuse(() => thrownBy(() => (isDone = attempt({ os, witness, v, n, isRefusing: first > 0, owned }))))
          const refused = first > 0 ? `, of whose kernel calls the first ${first} were refused with ${errno},` : ''
          const { syscall = 'no kernel call', hint = '' } = os.refusal ?? {}
          claim(!isDone || !os.refusal, `${name}${refused} was done and left a refusal of ${syscall}: ${hint}`)
          for (const range of owned) os.sysFreeOS(...range)
          if (os.refusal) os.refusal = null
        }
      }
    },
    { wrap },
  )
}

export const doneCases: readonly Definition[] = [
  {
    id: 'refusals/done',
    title: 'every function: a call that is done leaves no refusal, also where its first kernel calls were refused',
    show(world) {
      leaveNothing(world, 0, 0)
      for (const errno of errnosOf(world.subject) ?? [])
        for (let first = 1; first <= firstMax; first++) leaveNothing(world, first, errno)
    },
  },
]
