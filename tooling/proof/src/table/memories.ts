// What a wrong backend remembers about ranges and does not keep true: a counter of what was given back, the range that
// was faulted last, the edge at which a range ended. And a trait that promises more once another way was found.
import type { OS, Traits } from '@memlayer/core'
import { withCall } from './costs.js'
import type { Change, Fault, Patient } from './fault.js'

/** Bytes that were given back are counted, and sysUsed calls the kernel only where some are left. */
function countsGiven({ os }: Patient): Change {
  let given = 0
  return {
    sysUnusedOS(v: number, n: number): void {
      os.sysUnusedOS(v, n)
      given += n
    },
    sysUsedOS(v: number, n: number): void {
      if (given === 0) return
      given = Math.max(0, given - n)
      os.sysUsedOS(v, n)
    },
  }
}

/** A range that was the last one for `fn` is not done again, unless `undo` begins where it began. */
function skipsLast(fn: 'sysFaultOS' | 'sysUnusedOS', undo: 'sysMapOS' | 'sysUsedOS'): Fault {
  return {
    fn,
    way: `does nothing to its last range until ${undo} begins there`,
    change({ os }) {
      let last: readonly [v: number, n: number] = [NaN, NaN]
      return {
        [fn](v: number, n: number): void {
          if (last[0] === v && last[1] === n) return
          os[fn](v, n)
          if (!os.refusal) last = [v, n]
        },
        [undo](v: number, n: number): void {
          if (last[0] === v) last = [NaN, NaN]
          os[undo](v, n)
        },
        sysFreeOS(v: number, n: number): void {
          last = [NaN, NaN]
          os.sysFreeOS(v, n)
        },
      }
    },
  }
}

/** The huge page at whose edge a range ended is not cut for the next range. It has its advice when the call returns. */
function leavesHeads({ os }: Patient): Change {
  const huge = os.traits.hugePageSize
  return {
    sysUnusedAllOS(ranges: ArrayLike<number>): boolean {
      const answer = os.sysUnusedAllOS?.(ranges) === true
      for (let i = 2; answer && i < ranges.length; i += 2) {
        const [v = NaN, before = NaN, size = NaN] = [ranges[i], ranges[i - 2], ranges[i - 1]]
        const head = Math.floor(v / huge) * huge
        if (head !== v && before + size === head) os.sysHugePageOS(head, huge)
      }
      return answer
    },
  }
}

type Madvise = (v: number, n: number, advice: number) => number

/** The trait turns as soon as the kernel has refused an advice. Ranges that went before keep their contents. */
function promisesMore(): Fault {
  let isRefused = false
  return {
    fn: 'traits',
    way: 'says that contents are dropped once an advice was refused',
    change({ os }) {
      const own = Object.getOwnPropertyDescriptors(os.traits)
      const told = { ...own, unusedDropsContents: { get: () => isRefused, enumerable: true } }
      return { traits: Object.freeze(Object.defineProperties({}, told)) as Traits }
    },
    kernel(right) {
      isRefused = false
      return withCall(right, 'madvise', (madvise: Madvise): Madvise => (v, n, advice) => {
        const answer = madvise(v, n, advice)
        if (answer < 0) isRefused = true
        return answer
      })
    },
  }
}

/** The faults of what a backend remembers about ranges. */
export function memoryFaults(os: OS, kernel: object | undefined): Fault[] {
  const { faultTraps, hugePageSize, unusedDropsContents, unusedReturnsMemory, unusedTraps } = os.traits
  const faults: Fault[] = [
    { fn: 'sysUsedOS', way: 'calls the kernel only while a counter says so', change: countsGiven },
  ]
  if (faultTraps) faults.push(skipsLast('sysFaultOS', 'sysMapOS'))
  if (unusedReturnsMemory) faults.push(skipsLast('sysUnusedOS', 'sysUsedOS'))
  if (
    hugePageSize > 0 &&
    !unusedTraps &&
    os.sysUnusedAllOS !== undefined &&
    kernel !== undefined &&
    'collapse' in kernel
  )
    faults.push({
      fn: 'sysUnusedAllOS',
      way: 'leaves the head of a range at whose huge page another ended',
      change: leavesHeads,
    })
  if (kernel !== undefined && 'madvise' in kernel && !unusedDropsContents && unusedReturnsMemory && !unusedTraps)
    faults.push(promisesMore())
  return faults
}
