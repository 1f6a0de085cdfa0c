// What a wrong backend does at a limit: it spares a promise that the kernel refused, wants more than it was asked for,
// counts pages in 32 bits, or has a quarantine that no limit bounds.
import type { OS } from '@memlayer/core'
import { withCall } from './costs.js'
import type { Fault } from './fault.js'
import { isEmpty } from './ranges.js'

const MAP_FIXED = 0x10
/** On Solaris and illumos, where swap space is set aside for each mapping without it. */
const MAP_NORESERVE = 0x40
const PROT_READ_WRITE = 3
/** Units that a wrong backend wants beside each range. */
const moreUnits = 16

type Mmap = (v: number, n: number, prot: number, flags: number, fd: number, offset: number) => number

/** The kernel where writable mappings, at an address or not, are tried again without a promise. */
function sparing(kernel: object, isFixed: boolean): object {
  return withCall(kernel, 'mmap', (right: Mmap): Mmap => (v, n, prot, flags, ...rest) => {
    const answer = right(v, n, prot, flags, ...rest)
    const isMeant = prot === PROT_READ_WRITE && ((flags & MAP_FIXED) !== 0) === isFixed
    return answer < 0 && isMeant ? right(v, n, prot, flags | MAP_NORESERVE, ...rest) : answer
  })
}

/** The kernel that promises swap space for what is retired too. */
function charging(kernel: object): object {
  return withCall(
    kernel,
    'mmap',
    (right: Mmap): Mmap =>
      (v, n, prot, flags, ...rest) =>
        right(v, n, prot, prot === PROT_READ_WRITE ? flags & ~MAP_NORESERVE : flags, ...rest),
  )
}

/** The faults of a promise, where each mapping without the flag takes swap space. */
function sparedFaults(os: OS, kernel: object): Fault[] {
  if (!('mmap' in kernel) || !(os.name === 'illumos' || os.name === 'solaris')) return []
  const change = (): Readonly<Record<string, unknown>> => ({})
  const way = 'is tried again in a way that spares the promise'
  return [
    { fn: 'sysAllocOS', way, change, kernel: (right) => sparing(right, false) },
    { fn: 'sysMapOS', way, change, kernel: (right) => sparing(right, true) },
    { fn: 'sysRetireOS', way: 'has the kernel promise memory for what is retired', change, kernel: charging },
  ]
}

/** A length whose count of pages was cut to 32 bits, with a sign. */
function cut(n: number, page: number): number {
  return ((n / page) | 0) * page
}

const onRange = ['sysUnusedOS', 'sysFaultOS', 'sysMapOS', 'sysFreeOS'] as const

/** The faults of a count of pages, where a simulated kernel gives as many. */
function countFaults(os: OS): Fault[] {
  const way = 'cuts the count of pages to 32 bits'
  const { faultTraps, freesParts, pageSize, reservedTraps, unusedReturnsMemory } = os.traits
  if (!reservedTraps || pageSize > 4096) return []
  const isTold = { sysUnusedOS: unusedReturnsMemory, sysFaultOS: faultTraps, sysMapOS: true, sysFreeOS: freesParts }
  return onRange
    .filter((fn) => isTold[fn] && !isEmpty(os[fn]))
    .map((fn) => ({
      fn,
      way,
      change: ({ os: right, page }) => ({
        [fn](v: number, n: number): void {
          if (cut(n, page) > 0) right[fn](v, cut(n, page))
        },
      }),
    }))
}

/** Gives a range only where there is room for more. */
function wantsMore(fn: 'sysAllocOS' | 'sysReserveOS'): Fault {
  return {
    fn,
    way: `wants ${moreUnits} units more than it is asked for`,
    change: ({ os, page }) => {
      const more = moreUnits * Math.max(page, os.traits.granularity)
      const ask = (v: number | null, n: number): number | null =>
        fn === 'sysAllocOS' ? os.sysAllocOS(n) : os.sysReserveOS(v, n)
      const obtain = (v: number | null, n: number): number | null => {
        const p = ask(v, n)
        const q = p === null ? null : ask(null, more)
        if (q !== null) os.sysFreeOS(q, more)
        else if (p !== null) os.sysFreeOS(p, n)
        return q === null ? null : p
      }
      return { [fn]: fn === 'sysAllocOS' ? (n: number): number | null => obtain(null, n) : obtain }
    },
  }
}

/** A quarantine that no limit bounds. */
function unbounded(member: 'space' | 'writable'): Fault {
  return {
    fn: 'quarantine',
    way: `looks at no limit for ${member}`,
    change: ({ os }) => ({
      get quarantine() {
        return { ...os.quarantine, [member]: Infinity }
      },
    }),
  }
}

/** The faults at limits, of a backend over a simulated kernel. */
export function limitFaults(os: OS, kernel: object | undefined): Fault[] {
  if (kernel === undefined || !('setLimits' in kernel)) return []
  const faults = [...sparedFaults(os, kernel), ...countFaults(os), wantsMore('sysAllocOS')]
  // On Windows no limit bounds what is only reserved.
  if (!('virtualAlloc' in kernel)) faults.push(wantsMore('sysReserveOS'))
  if (os.name === 'linux' || os.name === 'windows') faults.push(unbounded('space'), unbounded('writable'))
  return faults
}
