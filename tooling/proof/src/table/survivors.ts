// Faults that no case can catch, each with the reason why no kernel and no user can tell the backend from a right one.
// `npm run mutants` does not run them; with `--all` it does, and fails when one of them is caught after all.
import type { Fault } from './wrong-os.js'

/** Faults that survive, and why. */
export interface Survivor {
  /** The subjects: the beginning of their names. Absent: all. */
  readonly subjects?: readonly string[]
  readonly fn: string
  readonly ways: readonly string[]
  readonly why: string
}

/** Systems whose memory is one segment: its end moves, and all of it can be touched. */
const segments = ['plan9', 'js', 'resizable', 'template break', 'template custom']

export const survivors: readonly Survivor[] = [
  {
    subjects: segments,
    fn: 'sysAllocOS',
    ways: ['does what sysReserveOS does'],
    why: 'both take zeroed memory from the segment, and are the same function',
  },
  {
    subjects: segments,
    fn: 'sysReserveOS',
    ways: ['does what sysAllocOS does'],
    why: 'both take zeroed memory from the segment, and are the same function',
  },
  ...['sysAllocOS', 'sysReserveOS'].map((fn) => ({
    subjects: segments.slice(0, 4),
    fn,
    ways: ['tells another error number', 'tells another name of the number'],
    why: 'the call answers -1 without a number, so the backend chooses one',
  })),
]

/** Why a fault survives; null: it has to be caught. */
export function reasonFor(subject: string, { fn, way }: Pick<Fault, 'fn' | 'way'>): string | null {
  const found = survivors.find(
    ({ subjects, fn: own, ways }) =>
      own === fn && ways.includes(way) && (subjects?.some((name) => subject.startsWith(name)) ?? true),
  )
  return found?.why ?? null
}
