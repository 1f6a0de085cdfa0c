// Ways in which a function over a range is wrong: sysUnusedOS, sysUsedOS, sysFreeOS and their kin.
import type { OS } from '@memlayer/core'
import type { Fault, Patient } from './fault.js'

/** A function over [v, v+n). sysRetireOS has a third argument, which passes through. */
type OnRange = (v: number, n: number, ...rest: readonly unknown[]) => unknown

/** A way of being wrong: takes the right function and returns the wrong one. `idle` is the answer that says done. */
export type Way = (right: OnRange, patient: Patient, idle: unknown) => OnRange

const MIB = 2 ** 20

/** Does nothing for some ranges. */
const notFor =
  (which: (v: number, n: number, patient: Patient) => boolean): Way =>
  (right, patient, idle) =>
  (v, n, ...rest) =>
    which(v, n, patient) ? idle : right(v, n, ...rest)

/** Does another range than it was asked to. */
const another =
  (range: (v: number, n: number, page: number) => readonly [v: number, n: number]): Way =>
  (right, { page }, idle) =>
  (v, n, ...rest) => {
    const [w, m] = range(v, n, page)
    return m <= 0 ? idle : right(w, m, ...rest)
  }

/** Does nothing for some calls, by their number from 1. */
const notWhen =
  (which: (count: number) => boolean): Way =>
  (right, _patient, idle) => {
    let count = 0
    return (...args) => (which((count += 1)) ? idle : right(...args))
  }

/** Every way, by its words. */
export const rangeWays: Readonly<Record<string, Way>> = {
  'does nothing': notFor(() => true),
  'leaves the last page': another((v, n, page) => [v, n > page ? n - page : n]),
  'leaves the first page': another((v, n, page) => (n > page ? [v + page, n - page] : [v, n])),
  'leaves a page in the middle': (right, { page }) =>
    function middle(v, n, ...rest) {
      const half = Math.floor(n / page / 2) * page
      if (half === 0) return right(v, n, ...rest)
      const answer = right(v, half, ...rest)
      return n - half > page ? right(v + half + page, n - half - page, ...rest) : answer
    },
  'does the first page only': another((v, _n, page) => [v, page]),
  'does a page more at the end': another((v, n, page) => [v, n + page]),
  'does a page more at the start': another((v, n, page) => [v - page, n + page]),
  'does the range a page further': another((v, n, page) => [v + page, n]),
  'does the range a page before': another((v, n, page) => [v - page, n]),
  'does nothing for a single page': notFor((_, n, { page }) => n === page),
  'does nothing for more than 16 pages': notFor((_, n, { page }) => n > 16 * page),
  'does nothing for more than 64 pages': notFor((_, n, { page }) => n > 64 * page),
  'does nothing for more than 1 MiB': notFor((_, n) => n > MIB),
  'does nothing for more than 8 MiB': notFor((_, n) => n > 8 * MIB),
  'does the first 16 pages only': another((v, n, page) => [v, Math.min(n, 16 * page)]),
  'does the first 64 pages only': another((v, n, page) => [v, Math.min(n, 64 * page)]),
  'does the first MiB only': another((v, n) => [v, Math.min(n, MIB)]),
  'does the first 8 MiB only': another((v, n) => [v, Math.min(n, 8 * MIB)]),
  'does a page more beyond 1 MiB': another((v, n, page) => [v, n > MIB ? n + page : n]),
  'cuts the length to 32 bits': another((v, n) => [v, n % 2 ** 32]),
  'does nothing below 4 GiB': notFor((v) => v < 2 ** 32),
  'works only once': notWhen((count) => count > 1),
  'works only twice': notWhen((count) => count > 2),
  'works only 100 times': notWhen((count) => count > 100),
  'works only 2,000 times': notWhen((count) => count > 2000),
  'does nothing each seventh time': notWhen((count) => count % 7 === 0),
  'does nothing after a refusal': notFor((_v, _n, patient) => patient.refusals() > 0),
  'does nothing after a second refusal': notFor((_v, _n, patient) => patient.refusals() > 1),
  'hides a refusal': (right, { os }, idle) =>
    function hide(...args) {
      try {
        const answer = right(...args)
        if (os.refusal) os.refusal = null
        return answer === false || answer === null ? idle : answer
      } catch {
        return idle
      }
    },
  'throws an error of its own when it is refused': (right, { os }) =>
    function own(...args) {
      const answer = thrownAsNull(() => right(...args))
      if (answer === null || answer === false || os.refusal) throw new Error('the call failed')
      return answer
    },
}

function thrownAsNull(run: () => unknown): unknown {
  try {
    return run()
  } catch {
    return null
  }
}

/** Ways that show only where a function says that it was refused. Advice says nothing. */
const refusedWays: readonly string[] = ['hides a refusal', 'throws an error of its own when it is refused']
const advice: readonly string[] = ['sysHugePageOS', 'sysNoHugePageOS']

/** The functions over a range, with the answer that says done and the function next to each. */
const functions = [
  ['sysUnusedOS', undefined, 'sysUsedOS'],
  ['sysUsedOS', undefined, 'sysUnusedOS'],
  ['sysHugePageOS', undefined, 'sysUnusedOS'],
  ['sysFreeOS', undefined, 'sysFaultOS'],
  ['sysFaultOS', undefined, 'sysUnusedOS'],
  ['sysMapOS', undefined, 'sysUsedOS'],
  ['sysPopulateOS', true, 'sysUnusedOS'],
  ['sysNoHugePageOS', undefined, 'sysHugePageOS'],
  ['sysZeroOS', true, 'sysNoHugePageOS'],
  ['sysRenewOS', true, 'sysUnusedOS'],
  ['sysRetireOS', true, 'sysFreeOS'],
] as const satisfies readonly (readonly [keyof OS, unknown, keyof OS])[]

/** Whether a function has a body of comments alone. It does nothing, and so it can't do it wrongly. */
export function isEmpty(fn: unknown): boolean {
  const text = String(fn)
  const body = text.slice(text.indexOf('{') + 1, text.lastIndexOf('}'))
  return body.split('\n').every((line) => line.trim() === '' || line.trim().startsWith('//'))
}

/** The faults of the functions over a range. A backend has no fault in a function that it does not have. */
export function rangeFaults(os: OS): Fault[] {
  return functions.flatMap(([fn, idle, next]) => {
    if (os[fn] === undefined || isEmpty(os[fn])) return []
    const of = ([way, wrong]: [string, Way]): Fault => ({
      fn,
      way,
      change: (patient) => ({ [fn]: wrong(patient.os[fn]?.bind(patient.os) as OnRange, patient, idle) }),
    })
    const other: Way = (_right, patient) =>
      function instead(v, n) {
        patient.os[next]?.(v, n)
        return idle
      }
    const elsewhere: Way = (right, { before }) => (before?.[fn]?.bind(before) as OnRange | undefined) ?? right
    return [
      ...Object.entries(rangeWays)
        .filter(([way]) => !(advice.includes(fn) && refusedWays.includes(way)))
        .map(of),
      of([`does what ${next} does`, other]),
      of(['asks the backend that was made before', elsewhere]),
    ]
  })
}
