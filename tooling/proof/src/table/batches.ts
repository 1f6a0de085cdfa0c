// Ways in which sysUnusedAllOS, the batch of sysUnusedOS, is wrong.
import type { OS } from '@memlayer/core'
import type { Fault, Patient } from './fault.js'

type Batch = (ranges: readonly number[]) => boolean

type Way = (right: Batch, patient: Patient) => Batch

/** Gives other ranges back than it was asked to. A batch without a range is done. */
const another =
  (which: (ranges: readonly number[], page: number) => readonly number[]): Way =>
  (right, { page }) =>
  (ranges) => {
    const left = which(ranges, page)
    return left.length === 0 || right(left)
  }

/** Changes the size of one range. `at` is its number; -1: the last one. */
const resized = (at: number, size: (n: number, page: number) => number): Way =>
  another((ranges, page) => {
    const place = at < 0 ? ranges.length - 1 : 2 * at + 1
    return ranges.map((word, i) => (i === place ? Math.max(size(word, page), page) : word))
  })

const ways: Readonly<Record<string, Way>> = {
  'does nothing, and says done': () => () => true,
  'leaves the first range': another((ranges) => ranges.slice(2)),
  'leaves the last range': another((ranges) => ranges.slice(0, -2)),
  'leaves the second range': another((ranges) => [...ranges.slice(0, 2), ...ranges.slice(4)]),
  'does the first range only': another((ranges) => ranges.slice(0, 2)),
  'does 16 ranges only': another((ranges) => ranges.slice(0, 32)),
  'does 64 ranges only': another((ranges) => ranges.slice(0, 128)),
  'does 1,023 ranges only': another((ranges) => ranges.slice(0, 2046)),
  'does 1,024 ranges only': another((ranges) => ranges.slice(0, 2048)),
  'does 4,096 ranges only': another((ranges) => ranges.slice(0, 8192)),
  'leaves range 1,025': another((ranges) => [...ranges.slice(0, 2048), ...ranges.slice(2050)]),
  'leaves the last page of the first range': resized(0, (n, page) => n - page),
  'leaves the last page of the last range': resized(-1, (n, page) => n - page),
  'does a page more in the first range': resized(0, (n, page) => n + page),
  'does a page more in the last range': resized(-1, (n, page) => n + page),
  'does the ranges a page further': another((ranges, page) =>
    ranges.map((word, i) => (i % 2 === 0 ? word + page : word)),
  ),
  'does all from the first range to the last': another((ranges) => {
    const [first = 0] = ranges
    return [first, (ranges.at(-2) ?? 0) + (ranges.at(-1) ?? 0) - first]
  }),
  'cuts each length to 32 bits': another((ranges) => ranges.map((word, i) => (i % 2 === 0 ? word : word % 2 ** 32))),
  'says done where it is refused':
    (right, { os }) =>
    (ranges) => {
      void right(ranges)
      os.refusal = null
      return true
    },
  'works only once, and says done': (right) => {
    let count = 0
    return (ranges) => (count += 1) > 1 || right(ranges)
  },
  'works only 100 times, and says done': (right) => {
    let count = 0
    return (ranges) => (count += 1) > 100 || right(ranges)
  },
  'says done after a refusal': (right, patient) => (ranges) => patient.refusals() > 0 || right(ranges),
  'throws an error of its own where it is refused': (right) => (ranges) => {
    if (right(ranges)) return true
    throw new Error('no batch')
  },
}

/** What becomes of the caller's array. The ranges are given back all the same. */
const scribbles: Readonly<Record<string, (ranges: number[]) => void>> = {
  "sorts the caller's array": (ranges) => void ranges.sort((a, b) => a - b),
  "reverses the caller's array": (ranges) => void ranges.splice(0, ranges.length, ...ranges.toReversed()),
  "sets the last length in the caller's array to 0": (ranges) => void (ranges[ranges.length - 1] = 0),
  "joins neighbors in the caller's array": (ranges) => {
    for (let i = ranges.length - 2; i >= 2; i -= 2) {
      const [v = 0, n = 0] = ranges.slice(i - 2, i)
      if (v + n !== ranges[i]) continue
      ranges[i - 1] = n + (ranges[i + 1] ?? 0)
      ranges[i + 1] = 0
    }
  },
}

function scribbling(way: string, scribble: (ranges: number[]) => void): Fault {
  return {
    fn: 'sysUnusedAllOS',
    way,
    change: ({ os }) => ({
      sysUnusedAllOS(ranges: number[] | Float64Array): boolean {
        const answer = os.sysUnusedAllOS?.(Array.from(ranges)) === true
        const words = Array.from(ranges)
        scribble(words)
        for (const [i, word] of words.entries()) ranges[i] = word
        return answer
      },
    }),
  }
}

/** The faults of sysUnusedAllOS, where the backend has it. */
export function batchFaults(os: OS): Fault[] {
  if (os.sysUnusedAllOS === undefined) return []
  const wrongRanges = Object.entries(ways).map(([way, wrong]): Fault => ({
    fn: 'sysUnusedAllOS',
    way,
    change(patient) {
      const batch = wrong((ranges) => patient.os.sysUnusedAllOS?.(ranges) === true, patient)
      return { sysUnusedAllOS: (ranges: ArrayLike<number>) => batch(Array.from(ranges)) }
    },
  }))
  return [...wrongRanges, ...Object.entries(scribbles).map(([way, scribble]) => scribbling(way, scribble))]
}
