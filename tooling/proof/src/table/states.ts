// Ways in which a backend is wrong that need more than one function to see: what one call leaves for the next, a limit
// in the count of pages, a check of the first page only, and questions that take what they ask for.
import type { OS } from '@memlayer/core'
import type { Change, Fault, Patient } from './fault.js'

const MIB = 2 ** 20

/** Pages as a number of 32 bits, in bytes. */
function inInt32(n: number, page: number): number {
  return ((n / page) | 0) * page
}

/** The same range comes to sysFaultOS as came to sysUnusedOS just before. */
function faultAfterUnused({ os }: Patient): Change {
  let last = ''
  return {
    sysUnusedOS: (v: number, n: number): void => {
      last = `${v} ${n}`
      os.sysUnusedOS(v, n)
    },
    sysUsedOS: (v: number, n: number): void => {
      last = ''
      os.sysUsedOS(v, n)
    },
    sysFaultOS: (v: number, n: number): void => {
      if (last !== `${v} ${n}`) os.sysFaultOS(v, n)
    },
  }
}

/** A range of more than 1 MiB goes in two pieces, and the answer for the second is lost. */
function inTwoPieces(fn: 'sysMapOS' | 'sysUsedOS'): Fault {
  const run = ({ os }: Patient, v: number, n: number): void => {
    if (n <= MIB) return os[fn](v, n)
    os[fn](v, MIB)
    try {
      os[fn](v + MIB, n - MIB)
    } catch {
      // The mistake.
    }
  }
  return {
    fn,
    way: 'hides the refusal of what lies beyond 1 MiB',
    change: (patient) => ({ [fn]: (v: number, n: number) => run(patient, v, n) }),
  }
}

/** A hint whose first page is free is taken for free, and all of it is mapped over what is there. */
function hintOfFirstPage({ os, page }: Patient): Change {
  return {
    sysReserveOS(v: number | null, n: number): number | null {
      if (v === null || n <= page) return os.sysReserveOS(v, n)
      const p = os.sysReserveOS(v, page)
      if (p === null) return os.sysReserveOS(null, n)
      if (p !== v) {
        os.sysFreeOS(p, page)
        return os.sysReserveOS(null, n)
      }
      os.sysFaultOS(v, n)
      return v
    },
  }
}

/** The faults of sysRoomOS, where the backend has it. */
function roomFaults(os: OS): Fault[] {
  if (os.sysRoomOS === undefined) return []
  const ways: Readonly<Record<string, (patient: Patient, n: number) => boolean | undefined>> = {
    'says that there is room': () => true,
    'says that there is none': ({ os: right }) => {
      right.refusal = { hint: 'Close other programs.' }
      return false
    },
    'keeps no reason for its no': ({ os: right }, n) => {
      const answer = right.sysRoomOS?.(n)
      right.refusal = null
      return answer
    },
    'takes what it asks for': ({ os: right }, n) => right.sysAllocOS(n) !== null,
    'reserves, and gives back only where there is room': ({ os: right }, n) => {
      const p = right.sysReserveOS(null, n)
      const answer = right.sysRoomOS?.(n)
      if (answer === true && p !== null) right.sysFreeOS(p, n)
      return answer
    },
  }
  return Object.entries(ways).map(([way, ask]) => ({
    fn: 'sysRoomOS',
    way,
    change: (patient) => ({ sysRoomOS: (n: number) => ask(patient, n) }),
  }))
}

/** The faults of a backend's states. */
export function stateFaults(os: OS): Fault[] {
  const { faultTraps, freesParts, hints, reservedTraps, unusedTraps } = os.traits
  const faults = roomFaults(os)
  if (faultTraps && !unusedTraps)
    faults.push({ fn: 'sysFaultOS', way: 'does nothing to what was given back just before', change: faultAfterUnused })
  if (reservedTraps && !unusedTraps) faults.push(inTwoPieces('sysMapOS'))
  if (unusedTraps) faults.push(inTwoPieces('sysUsedOS'))
  if (reservedTraps && freesParts) {
    const way = 'counts pages in 32 bits'
    faults.push(
      {
        fn: 'sysReserveOS',
        way,
        change: ({ os: right, page }) => ({
          sysReserveOS: (v: number | null, n: number) => right.sysReserveOS(v, inInt32(n, page)),
        }),
      },
      {
        fn: 'sysFreeOS',
        way,
        change: ({ os: right, page }) => ({
          sysFreeOS: (v: number, n: number) => right.sysFreeOS(v, inInt32(n, page)),
        }),
      },
    )
  }
  if (hints && faultTraps && freesParts)
    faults.push({ fn: 'sysReserveOS', way: 'looks at the first page of a hint only', change: hintOfFirstPage })
  return faults
}
