// Ways in which sysAllocOS and sysReserveOS are wrong: what they hand out, and what they leave behind.
import type { OS } from '@memlayer/core'
import type { Fault, Patient } from './fault.js'

/** Obtains `n` bytes at `v`, which sysAllocOS never has. */
type Obtain = (v: number | null, n: number) => number | null

type Way = (right: Obtain, patient: Patient) => Obtain

const MIB = 2 ** 20

/** Asks for another size than it was asked for. */
const sized =
  (size: (n: number, page: number) => number): Way =>
  (right, { page }) =>
  (v, n) =>
    right(v, size(n, page))

/** Refuses some sizes by itself. */
const refusing =
  (which: (n: number, page: number) => boolean): Way =>
  (right, { os, page }) =>
  (v, n) =>
    which(n, page) ? refused(os) : right(v, n)

function refused(os: OS): null {
  os.refusal = { hint: 'Ask for less.' }
  return null
}

/** Works for some calls, by their number from 1, and refuses the others. */
const counted =
  (works: (count: number) => boolean): Way =>
  (right, { os }) => {
    let count = 0
    return (v, n) => (works((count += 1)) ? right(v, n) : refused(os))
  }

const ways: Readonly<Record<string, Way>> = {
  'refuses everything': refusing(() => true),
  'refuses a single page': refusing((n, page) => n === page),
  'refuses more than 64 pages': refusing((n, page) => n > 64 * page),
  'refuses more than 1 MiB': refusing((n) => n > MIB),
  'refuses more than 64 MiB': refusing((n) => n > 64 * MIB),
  'refuses 4 GiB and more': refusing((n) => n >= 2 ** 32),
  'takes a page less': sized((n, page) => (n > page ? n - page : n)),
  'takes a page more': sized((n, page) => n + page),
  'takes twice the size': sized((n) => 2 * n),
  'takes a page less beyond 64 pages': sized((n, page) => (n > 64 * page ? n - page : n)),
  'takes a page less beyond 1 MiB': sized((n, page) => (n > MIB ? n - page : n)),
  'takes at most 64 pages': sized((n, page) => Math.min(n, 64 * page)),
  'takes at most 1 MiB': sized((n) => Math.min(n, MIB)),
  'takes at most 8 MiB': sized((n) => Math.min(n, 8 * MIB)),
  'cuts the size to 32 bits': sized((n) => (n % 2 ** 32 === 0 ? n : n % 2 ** 32)),
  'rounds up to 64 KiB': sized((n) => Math.ceil(n / 65536) * 65536),
  'hands out the next page':
    (right, { page }) =>
    (v, n) => {
      const p = right(v, n)
      return p === null ? p : p + page
    },
  'hands out an address inside a page': (right) => (v, n) => {
    const p = right(v, n)
    return p === null ? p : p + 8
  },
  'takes the memory twice': (right) => (v, n) => {
    void right(null, n)
    return right(v, n)
  },
  'hands out the last address again': (right) => {
    let last: number | null = null
    return (v, n) => (last = last ?? right(v, n))
  },
  'hands out the same address each seventh time': (right) => {
    let last: number | null = null
    let count = 0
    return (v, n) => (last = (count += 1) % 7 === 0 && last !== null ? last : right(v, n))
  },
  'answers 0 where it is refused': (right) => (v, n) => right(v, n) ?? 0,
  'answers an error number where it is refused': (right) => (v, n) => right(v, n) ?? -12,
  'keeps no reason where it is refused':
    (right, { os }) =>
    (v, n) => {
      const p = right(v, n)
      if (p === null) os.refusal = null
      return p
    },
  'throws where it is refused': (right) => (v, n) => {
    const p = right(v, n)
    if (p === null) throw new Error('no memory')
    return p
  },
  'works only once': counted((count) => count <= 1),
  'works only 100 times': counted((count) => count <= 100),
  'works only 2,000 times': counted((count) => count <= 2000),
  'refuses after a refusal': (right, patient) => (v, n) => (patient.refusals() > 0 ? refused(patient.os) : right(v, n)),
  'takes a page less after a refusal': (right, patient) => (v, n) =>
    right(v, patient.refusals() > 0 && n > patient.page ? n - patient.page : n),
}

const hintWays: Readonly<Record<string, Way>> = {
  'ignores the hint': (right) => (_v, n) => right(null, n),
  'ignores a hint below 4 GiB': (right) => (v, n) => right(v !== null && v < 2 ** 32 ? null : v, n),
  'ignores the hint for more than 64 pages':
    (right, { page }) =>
    (v, n) =>
      right(n > 64 * page ? null : v, n),
  'ignores the hint for more than 1 MiB': (right) => (v, n) => right(n > MIB ? null : v, n),
  'ignores the hint for a single page':
    (right, { page }) =>
    (v, n) =>
      right(n === page ? null : v, n),
  'ignores the hint after a refusal': (right, patient) => (v, n) => right(patient.refusals() > 0 ? null : v, n),
  'honors only the first hint': (right) => {
    let used = false
    return (v, n) => {
      const hint = used ? null : v
      used ||= v !== null
      return right(hint, n)
    }
  },
  'honors only 100 hints': (right) => {
    let hints = 0
    return (v, n) => right(v !== null && (hints += 1) > 100 ? null : v, n)
  },
  'takes the hint a page further':
    (right, { page }) =>
    (v, n) =>
      right(v === null ? v : v + page, n),
  'takes the hint rounded down to 64 KiB': (right) => (v, n) => right(v === null ? v : v - (v % 65536), n),
  'says that a hint was honored when it was not': (right) => (v, n) => {
    const p = right(v, n)
    return p === null ? p : (v ?? p)
  },
  'refuses where the hint is taken':
    (right, { os }) =>
    (v, n) => {
      const p = right(v, n)
      if (p === null || v === null || p === v) return p
      os.sysFreeOS(p, n)
      return refused(os)
    },
  'leaves the first try where the hint is taken': (right) => (v, n) => {
    const p = right(v, n)
    return v !== null && p !== null && p !== v ? right(null, n) : p
  },
}

/** The faults of sysAllocOS and sysReserveOS. */
export function addressFaults(os: OS): Fault[] {
  const { hints, reservedTraps } = os.traits
  return [
    ...Object.entries(ways).flatMap(([way, wrong]) => [allocFault(way, wrong), reserveFault(way, wrong)]),
    // Where no hint is honoured, there is nothing to be wrong about.
    ...Object.entries(hints ? hintWays : {}).map(([way, wrong]) => reserveFault(way, wrong)),
    // Where Reserved memory can be touched, the two functions are one.
    ...(reservedTraps ? swapped() : []),
    ...[1, 3, 16, 65].flatMap((pages) => [keptFault('sysAllocOS', pages), keptFault('sysReserveOS', pages)]),
  ]
}

/** One function in the place of the other. */
function swapped(): Fault[] {
  return [
    allocFault(
      'only reserves',
      (_right, { os }) =>
        (_v, n) =>
          os.sysReserveOS(null, n),
    ),
    reserveFault(
      'allocates',
      (right, { os }) =>
        (v, n) =>
          v === null ? os.sysAllocOS(n) : right(v, n),
    ),
  ]
}

function allocFault(way: string, wrong: Way): Fault {
  return {
    fn: 'sysAllocOS',
    way,
    change(patient) {
      const obtain = wrong((_v, n) => patient.os.sysAllocOS(n), patient)
      return { sysAllocOS: (n: number) => obtain(null, n) }
    },
  }
}

function reserveFault(way: string, wrong: Way): Fault {
  return {
    fn: 'sysReserveOS',
    way,
    change: (patient) => ({ sysReserveOS: wrong((v, n) => patient.os.sysReserveOS(v, n), patient) }),
  }
}

function keptFault(fn: 'sysAllocOS' | 'sysReserveOS', pages: number): Fault {
  return {
    fn,
    way: `hands out freed memory of ${pages} pages as it was left`,
    change(patient) {
      const { os, page } = patient
      const held: number[] = []
      const size = pages * page
      return {
        sysFreeOS: (v: number, n: number): void => void (n === size ? held.push(v) : os.sysFreeOS(v, n)),
        sysRetireOS: undefined,
        ...(fn === 'sysAllocOS'
          ? { sysAllocOS: (n: number) => (n === size ? held.pop() : undefined) ?? os.sysAllocOS(n) }
          : {
              sysReserveOS: (v: number | null, n: number) =>
                (n === size && v === null ? held.pop() : undefined) ?? os.sysReserveOS(v, n),
            }),
      }
    },
  }
}
