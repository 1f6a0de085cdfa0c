// Looks at a backend before its faults are made, so that the table has no fault that changes nothing: a function that
// does nothing can't do less, and one that is never refused can't hide it.
import { createMemory, type OS } from '@memlayer/core'
import { alignUp, record, refusalOf } from '@memlayer/kernel'
import type { AnySubject } from '../simulated.js'

const ranged = ['sysUnusedOS', 'sysUsedOS', 'sysHugePageOS', 'sysFreeOS', 'sysFaultOS', 'sysMapOS'] as const
const optional = ['sysPopulateOS', 'sysNoHugePageOS', 'sysRenewOS', 'sysRetireOS'] as const

/** A function over a range. */
export type Ranged = (typeof ranged)[number] | (typeof optional)[number]

/** What is known of a backend. */
export interface Facts {
  readonly os: OS
  /** The functions over a range that it has. */
  readonly functions: readonly Ranged[]
  /** Those that do nothing. */
  readonly idle: ReadonlySet<string>
  /** The functions that keep a refusal, and those that throw one. */
  readonly keeps: ReadonlySet<string>
  readonly throws: ReadonlySet<string>
  /** The most bytes, of those that were tried, that can be reserved. */
  readonly largest: number
  /** Whether a view shows the whole memory. */
  readonly showsAll: boolean
}

const sizes = [2 ** 20, 2 ** 23, 2 ** 27, 2 ** 30, 2 ** 32]
const errnos = [12, 11, 13, 8, 1455, 487]

/** Looks at a subject. */
export function factsOf(subject: AnySubject): Facts {
  const { os, takeCalls } = made(subject)
  const functions = [...ranged, ...optional.filter((name) => os[name] !== undefined)]
  const [v, n] = readyRange(os)
  takeCalls()
  const idle = new Set<string>()
  for (const name of [
    'sysHugePageOS',
    'sysNoHugePageOS',
    'sysUnusedOS',
    'sysUsedOS',
    'sysFaultOS',
    'sysMapOS',
  ] as const) {
    os[name]?.(v, n)
    if (takeCalls() === 0) idle.add(name)
  }
  const memory = createMemory(made(subject).os)
  const w = memory.sysAlloc(4 * os.traits.pageSize, null)
  const showsAll = memory.os.view(w, os.traits.pageSize).byteLength !== os.traits.pageSize
  return {
    os,
    functions,
    idle,
    ...refusalsOf(subject, functions),
    largest: showsAll ? 2 ** 23 : largestOf(subject),
    showsAll,
  }
}

function made(subject: AnySubject, refuses: { errno: number } = { errno: 0 }): { os: OS; takeCalls: () => number } {
  const bottom = subject.kernel?.({ seed: 1 }) ?? {}
  const recording = record(bottom)
  const kernel = new Proxy(recording.kernel, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target)
      const answer = refusalOf(bottom, String(name))
      return refuses.errno === 0 || answer === null ? member : () => answer(refuses.errno)
    },
  })
  return { os: subject.createOS({ kernel }), takeCalls: () => recording.take().length }
}

/** A Ready range with a whole huge page in it. */
function readyRange(os: OS): [v: number, n: number] {
  const { pageSize, hugePageSize, granularity } = os.traits
  const n = Math.max(3 * hugePageSize, alignUp(16 * pageSize, granularity))
  const v = os.sysReserveOS(null, n) ?? NaN
  os.sysMapOS(v, n)
  os.sysUsedOS(v, n)
  return [v, n]
}

function refusalsOf(subject: AnySubject, functions: readonly Ranged[]): Pick<Facts, 'keeps' | 'throws'> {
  const keeps = new Set<string>()
  const throws = new Set<string>()
  for (const name of [...functions, 'sysAllocOS', 'sysReserveOS'] as const) {
    for (const errno of errnos) {
      const refuses = { errno: 0 }
      const { os } = made(subject, refuses)
      const [v, n] = readyRange(os)
      if (name === 'sysUsedOS') os.sysUnusedOS(v, n)
      os.refusal = null
      refuses.errno = errno
      try {
        if (name === 'sysAllocOS') os.sysAllocOS(2 * n)
        else if (name === 'sysReserveOS') os.sysReserveOS(null, 2 * n)
        else os[name]?.(v, n, true)
        if (os.refusal) keeps.add(name)
      } catch {
        throws.add(name)
      }
    }
  }
  return { keeps, throws }
}

function largestOf(subject: AnySubject): number {
  return sizes.findLast((n) => made(subject).os.sysReserveOS(null, n + 2 ** 20) !== null) ?? 0
}
