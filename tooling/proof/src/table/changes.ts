// What a wrong backend takes for a fact that stays, and what it makes of limits that are not known. It tells
// the figures of an earlier refusal, keeps an answer about locked memory, or looks at one limit in place of two.
import type { OS } from '@memlayer/core'
import { withCall } from './costs.js'
import type { Change, Fault, Patient } from './fault.js'

const MIB = 2 ** 20

type Limits = Readonly<Record<string, unknown>>

/** Hints by the call and its number. */
type Hints = Map<string, string>

/** Tells of each refused call what `hints` has of the first that was refused with the same number. */
function firstHints({ os }: Patient, hints: Hints): Change {
  return Object.defineProperty({}, 'refusal', {
    enumerable: true,
    get() {
      const { refusal } = os
      if (!refusal) return refusal
      const key = `${refusal.syscall} ${refusal.errno}`
      const hint = hints.get(key) ?? refusal.hint
      hints.set(key, hint)
      return { ...refusal, hint }
    },
  })
}

/** What was answered for the first large range that is not mapped is answered for all of them. */
function firstAnswer({ os }: Patient): Change {
  let first: boolean | null = null
  return {
    sysRetireOS(v: number, n: number, isMapped: boolean): boolean {
      const answer = os.sysRetireOS?.(v, n, isMapped) === true
      if (n <= MIB || isMapped) return answer
      first ??= answer
      return first
    },
  }
}

/** The smaller of what the right one has and a limit, which may be NaN. */
function unknownBound({ os }: Patient): Change {
  return Object.defineProperty({}, 'quarantine', {
    enumerable: true,
    get() {
      const { space = 0, writable = 0 } = os.quarantine ?? {}
      const { addressSpace = NaN } = (os.host?.limits?.() ?? {}) as { addressSpace?: number }
      return { space: Math.min(space, addressSpace / 8), writable }
    },
  })
}

/** The kernel that tells of RLIMIT_DATA only where overcommit is not strict. */
function hidingData(kernel: object): object {
  return withCall(kernel, 'limits', (right: () => Limits) => (): Limits => {
    const limits = right()
    return limits['overcommit'] === 2 ? { ...limits, dataSize: Infinity } : limits
  })
}

/** The faults of facts that change, of a backend over a simulated kernel that it asks for limits. */
export function changeFaults(os: OS, kernel: object | undefined): Fault[] {
  if (kernel === undefined || !('setLimits' in kernel) || !(os.name === 'linux' || os.name === 'windows')) return []
  const ofAll: Hints = new Map()
  const faults: Fault[] = [
    {
      fn: 'refusal',
      way: 'has the hint of the first refusal of its kind',
      change: (patient) => firstHints(patient, new Map()),
    },
    {
      fn: 'refusal',
      way: 'has the hint of the first refusal of its kind in any instance',
      change: (patient) => firstHints(patient, ofAll),
    },
    { fn: 'quarantine', way: 'is not a number where a limit is not known', change: unknownBound },
  ]
  if ('lockAll' in kernel)
    faults.push(
      { fn: 'sysRetireOS', way: 'keeps its first answer for large ranges', change: firstAnswer },
      {
        fn: 'quarantine',
        way: 'looks at RLIMIT_DATA only where overcommit is not strict',
        change: () => ({}),
        kernel: hidingData,
      },
    )
  return faults
}
