// Ways in which a function is wrong about a range that lies in several reservations: where it ends, and what it leaves
// when it is refused in the middle.
import type { OS } from '@memlayer/core'
import type { Change, Fault, Patient } from './fault.js'
import { isEmpty } from './ranges.js'

/** A part of a range that lies in one reservation. */
type Part = readonly [v: number, n: number]

/** Takes the parts of a range over several reservations, and returns those that are done. */
type Way = (parts: readonly Part[], page: number) => readonly Part[]

const whole = ([v, n]: Part): Part => [v, n]

/** Another last part. */
const last =
  (change: (part: Part, page: number) => Part): Way =>
  (parts, page) =>
    parts.map((part, i) => (i === parts.length - 1 ? change(part, page) : whole(part)))

/** Another first part. */
const first =
  (change: (part: Part, page: number) => Part): Way =>
  (parts, page) =>
    parts.map((part, i) => (i === 0 ? change(part, page) : whole(part)))

const ways: Readonly<Record<string, Way>> = {
  'leaves the last page of a range over several reservations': last(([v, n], page) => [v, n - page]),
  'leaves the first page of a range over several reservations': first(([v, n], page) => [v + page, n - page]),
  'leaves the last page before the next reservation': first(([v, n], page) => [v, n - page]),
  'leaves the first page of the last reservation': last(([v, n], page) => [v + page, n - page]),
  'leaves all but the first page of the last reservation': last(([v], page) => [v, page]),
  'does a page more of the last reservation': last(([v, n], page) => [v, n + page]),
  'ends with the first reservation': (parts) => parts.slice(0, 1),
  'ends with the second reservation': (parts) => parts.slice(0, 2),
  'begins with the last reservation': (parts) => parts.slice(-1),
  'leaves a reservation in the middle': (parts) => [...parts.slice(0, 1), ...parts.slice(1).slice(-1)],
}

/** The reservations of a backend, by the addresses that it hands out. */
class Reservations {
  readonly #ends = new Map<number, number>()
  readonly #os: OS

  constructor(os: OS) {
    this.#os = os
  }

  /** The members that keep track of reservations. */
  get tracking(): Change {
    return {
      sysReserveOS: (v: number | null, n: number): number | null => {
        const p = this.#os.sysReserveOS(v, n)
        if (p !== null) this.#ends.set(p, p + n)
        return p
      },
      sysFreeOS: (v: number, n: number): void => {
        this.#os.sysFreeOS(v, n)
        this.#ends.delete(v)
      },
    }
  }

  /** The parts of [v, v+n) by reservation. */
  partsOf(v: number, n: number): Part[] {
    const seams = [...this.#ends.values()].filter((end) => end > v && end < v + n).sort((a, b) => a - b)
    const edges = [v, ...seams, v + n]
    return edges.slice(1).map((end, i): Part => [edges[i] ?? v, end - (edges[i] ?? v)])
  }
}

type OnRange = (v: number, n: number, ...rest: readonly unknown[]) => unknown

/** A fault of `fn` over a range that lies in several reservations. A range in one of them is done rightly. */
function seamFault(
  fn: keyof OS,
  way: string,
  run: (right: OnRange, parts: Part[], patient: Patient) => unknown,
): Fault {
  return {
    fn,
    way,
    change(patient) {
      const reservations = new Reservations(patient.os)
      return {
        ...reservations.tracking,
        [fn](v: number, n: number, ...rest: readonly unknown[]): unknown {
          const right: OnRange = (w, m) => Reflect.apply(patient.os[fn] as OnRange, patient.os, [w, m, ...rest])
          const parts = reservations.partsOf(v, n)
          return parts.length < 2 ? right(v, n) : run(right, parts, patient)
        },
      }
    },
  }
}

/** Does each part. The answer is that of the last one. */
function each(right: OnRange, parts: readonly Part[]): unknown {
  let answer: unknown
  for (const [v, n] of parts) if (n > 0) answer = right(v, n)
  return answer
}

/** Hides that a later part was refused. */
function hiding(right: OnRange, parts: readonly Part[], { os }: Patient): unknown {
  const [one = [NaN, NaN] as const, ...others] = parts
  const answer = right(...one)
  if (os.refusal) return answer
  try {
    each(right, others)
  } catch {
    // The mistake.
  }
  os.refusal = null
  return answer
}

/** Gives back all that was done before a refusal, the pages that were Ready among it. */
function takingBack(right: OnRange, parts: readonly Part[], { os }: Patient): unknown {
  for (const [i, [v, n]] of parts.entries()) {
    try {
      right(v, n)
    } catch (error) {
      for (const [w, m] of parts.slice(0, i)) os.sysUnusedOS(w, m)
      throw error
    }
  }
  return undefined
}

/** The functions whose effect on each page can be told, where the backend has something to do. */
function functionsOf(os: OS): (keyof OS)[] {
  const { faultTraps, reservedTraps, unusedReturnsMemory, unusedTraps } = os.traits
  const told: readonly (readonly [fn: keyof OS, isTold: boolean])[] = [
    ['sysUnusedOS', unusedReturnsMemory],
    ['sysUsedOS', unusedTraps],
    ['sysFaultOS', faultTraps],
    ['sysMapOS', reservedTraps],
    ['sysPopulateOS', true],
    ['sysZeroOS', true],
    ['sysRetireOS', true],
  ]
  return told.filter(([fn, isTold]) => isTold && os[fn] !== undefined && !isEmpty(os[fn])).map(([fn]) => fn)
}

/** The faults at the seams between reservations. A backend without hints has no two that it puts side by side. */
export function seamFaults(os: OS): Fault[] {
  if (!os.traits.hints) return []
  return functionsOf(os).flatMap((fn) => {
    const faults = Object.entries(ways).map(([way, choose]) =>
      seamFault(fn, way, (right, parts, { page }) => each(right, choose(parts, page))),
    )
    const tells = fn === 'sysUsedOS' || fn === 'sysMapOS' || fn === 'sysFaultOS' || os.traits.unusedTraps
    if (tells && !['sysPopulateOS', 'sysZeroOS', 'sysRetireOS'].includes(fn))
      faults.push(seamFault(fn, 'hides the refusal of a later reservation', hiding))
    if (fn === 'sysUsedOS') faults.push(seamFault(fn, 'gives back what it has done when it is refused', takingBack))
    return faults
  })
}
