// Ways in which a backend costs more than it shows: memory that the kernel promises to it, and memory that the kernel's
// work in the background brings back. And what it says when the kernel can't promise more.
import { FatalError, type OS } from '@memlayer/core'
import type { Fault, Patient } from './fault.js'

const PROT_NONE = 0
const MAP_FIXED = 0x10
const MAP_NORESERVE = 0x40
const MEM_COMMIT = 0x1000
const MEM_RESERVE = 0x2000
const PAGE_NOACCESS = 1

/** More memory than a machine of the suite has. */
const tooMuch = 2 ** 35

type Mmap = (v: number, n: number, prot: number, flags: number, fd: number, offset: number) => number
type VirtualAlloc = (v: number, n: number, type: number, protect: number) => number

/** A kernel like `kernel`, of which one function is replaced. */
export function withCall(kernel: object, fn: string, make: (right: never) => unknown): object {
  return new Proxy(kernel, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target)
      if (typeof member !== 'function') return member
      const right = member.bind(target) as never
      return name === fn ? make(right) : right
    },
  })
}

/** Address space that the kernel promises memory for: without MAP_NORESERVE, or committed without access. */
function promising(kernel: object, isFixed: boolean): object {
  if ('mmap' in kernel)
    return withCall(kernel, 'mmap', (right: Mmap): Mmap => (v, n, prot, flags, ...rest) => {
      const isMeant = prot === PROT_NONE && ((flags & MAP_FIXED) !== 0) === isFixed
      return right(v, n, prot, isMeant ? flags & ~MAP_NORESERVE : flags, ...rest)
    })
  return withCall(
    kernel,
    'virtualAlloc',
    (right: VirtualAlloc): VirtualAlloc =>
      (v, n, type, protect) =>
        type === MEM_RESERVE ? right(v, n, MEM_RESERVE | MEM_COMMIT, PAGE_NOACCESS) : right(v, n, type, protect),
  )
}

/** The faults of address space that is promised, where the kernel counts it. */
function promiseFaults(kernel: object | undefined, os: OS): Fault[] {
  const way = 'has the kernel promise memory for address space'
  const isMeant = (counts: object): boolean =>
    'virtualAlloc' in counts || os.name === 'illumos' || os.name === 'solaris'
  if (kernel === undefined || !isMeant(kernel)) return []
  const faults: Fault[] = [{ fn: 'sysReserveOS', way, change: () => ({}), kernel: (right) => promising(right, false) }]
  if ('mmap' in kernel)
    faults.push({ fn: 'sysFaultOS', way, change: () => ({}), kernel: (right) => promising(right, true) })
  return faults
}

/** Takes what the kernel can't promise for something that is broken. */
function misnamed(fn: 'sysMapOS' | 'sysUsedOS'): Fault {
  return {
    fn,
    way: 'takes a promise that the kernel refused for something broken',
    change: ({ os }) => ({
      [fn](v: number, n: number): void {
        try {
          os[fn](v, n)
        } catch (error) {
          if (n < tooMuch || !(error instanceof FatalError)) throw error
          throw new FatalError('cannot map pages', { op: fn.slice(0, -2), address: v, size: n })
        }
      },
    }),
  }
}

/** Which huge pages get their flag again after memory was given back. */
const flagged: Readonly<Record<string, (v: number, end: number, huge: number) => readonly number[]>> = {
  'leaves the huge page at its start whole': (v, _end, huge) => (v % huge === 0 ? [] : [v - (v % huge)]),
  'leaves the huge page at its end whole': (_v, end, huge) => (end % huge === 0 ? [] : [end - (end % huge)]),
  'leaves the huge page at its end whole where it begins at one': (v, end, huge) =>
    v % huge !== 0 || end % huge === 0 ? [] : [end - (end % huge)],
  'leaves a huge page whole that it begins and ends in': (v, end, huge) =>
    v - (v % huge) === end - (end % huge) && end % huge !== 0 ? [v - (v % huge)] : [],
  'leaves the second of two huge pages that it cuts whole': (v, end, huge) =>
    v % huge !== 0 && end % huge !== 0 && end - (end % huge) - (v - (v % huge)) === huge ? [end - (end % huge)] : [],
}

type Giving = 'sysUnusedOS' | 'sysUnusedAllOS' | 'sysZeroOS'

function cutFault(fn: Giving, way: string, blocks: (v: number, end: number, huge: number) => readonly number[]): Fault {
  const flag = ({ os }: Patient, ranges: ArrayLike<number>): void => {
    const huge = os.traits.hugePageSize
    for (let i = 0; i < ranges.length; i += 2) {
      const [v = 0, n = 0] = [ranges[i], ranges[i + 1]]
      for (const block of blocks(v, v + n, huge)) os.sysHugePageOS(block, huge)
    }
  }
  return {
    fn,
    way,
    change(patient) {
      const { os } = patient
      if (fn === 'sysUnusedAllOS')
        return {
          sysUnusedAllOS(ranges: ArrayLike<number>): boolean {
            const answer = os.sysUnusedAllOS?.(ranges) === true
            if (answer) flag(patient, ranges)
            return answer
          },
        }
      return {
        [fn](v: number, n: number): unknown {
          const answer = os[fn]?.(v, n)
          flag(patient, [v, n])
          return answer
        },
      }
    },
  }
}

/** The faults of a backend's costs. */
export function costFaults(os: OS, kernel: object | undefined): Fault[] {
  const { hugePageSize, reservedTraps, unusedTraps } = os.traits
  const faults = promiseFaults(kernel, os)
  if (reservedTraps) faults.push(misnamed(unusedTraps ? 'sysUsedOS' : 'sysMapOS'))
  if (hugePageSize === 0) return faults
  for (const fn of ['sysUnusedOS', 'sysUnusedAllOS', 'sysZeroOS'] as const) {
    if (os[fn] === undefined) continue
    for (const [way, blocks] of Object.entries(flagged)) faults.push(cutFault(fn, way, blocks))
  }
  return faults
}
