// What a wrong call leaves behind. One that was done leaves a refusal, or a mapping that it tried something with. One
// that was refused once leaves a lesson for good.
import type { OS } from '@memlayer/core'
import type { Change, Fault, Patient } from './fault.js'

const MIB = 2 ** 20

const functions = [
  'sysAllocOS',
  'sysUnusedOS',
  'sysUsedOS',
  'sysHugePageOS',
  'sysFreeOS',
  'sysFaultOS',
  'sysReserveOS',
  'sysMapOS',
  'sysUnusedAllOS',
  'sysPopulateOS',
  'sysZeroOS',
  'sysAdoptOS',
  'sysNoHugePageOS',
  'sysRenewOS',
  'sysRetireOS',
  'sysRoomOS',
] as const satisfies readonly (keyof OS)[]

type Call = (...args: readonly unknown[]) => unknown

/** Calls the right function, and leaves a refusal where it was done and `when` says so. */
function leaving(
  fn: (typeof functions)[number],
  way: string,
  when: (answer: unknown, args: readonly unknown[]) => boolean,
): Fault {
  return {
    fn: 'refusal',
    way,
    change: ({ os }) => ({
      [fn](...args: readonly unknown[]): unknown {
        const answer = Reflect.apply(os[fn] as Call, os, args)
        const isDone = answer !== null && answer !== false && !os.refusal
        if (isDone && when(answer, args)) os.refusal = { syscall: 'mmap', hint: 'Ask for another address.' }
        return answer
      },
    }),
  }
}

/** After a want of memory, this kernel is said not to populate. */
function learnsFromWant({ os }: Patient): Change {
  let can = true
  return {
    sysPopulateOS(v: number, n: number): boolean | null {
      const answer = can ? (os.sysPopulateOS?.(v, n) ?? null) : false
      if (answer === null) can = false
      return answer
    },
  }
}

/** A page is reserved to try something, and stays. */
function leavesProbe({ os, page }: Patient): Change {
  return {
    sysRetireOS(v: number, n: number, isMapped: boolean): boolean {
      if (n > MIB && !isMapped) os.sysReserveOS(null, Math.max(page, os.traits.granularity))
      return os.sysRetireOS?.(v, n, isMapped) === true
    },
  }
}

/** The faults of what a call leaves behind. */
export function leavingFaults(os: OS): Fault[] {
  const faults = functions
    .filter((fn) => os[fn] !== undefined)
    .map((fn) => leaving(fn, `is left by each ${fn} that was done`, () => true))
  if (os.traits.hints)
    faults.push(leaving('sysReserveOS', 'is left where a hint was taken', (p, [v]) => v !== null && p !== v))
  if (os.sysPopulateOS !== undefined)
    faults.push({ fn: 'sysPopulateOS', way: 'takes a want of memory for a lack of the call', change: learnsFromWant })
  if (os.sysRetireOS !== undefined)
    faults.push({ fn: 'sysRetireOS', way: 'leaves a page that it tried something with', change: leavesProbe })
  return faults
}
