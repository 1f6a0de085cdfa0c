// Tries the suite on every fault of a backend: which case catches it, or that none does.
import { conformance, runCases } from '@memlayer/conformance'
import type { AnySubject } from '../simulated.js'
import { nameOf, type Fault } from './fault.js'
import { faulty, faultsOf } from './table.js'

/** How the suite met one fault. */
export interface Trial {
  readonly fault: Fault
  /** The cases that failed; empty: the fault survives. Only the first one, unless all were asked for. */
  readonly caughtBy: readonly string[]
}

/** What a trial is limited to. */
export interface TrialOptions {
  readonly seed: number
  /** Runs every case, to count those that catch a fault. Default: stops at the first. */
  readonly all?: boolean
  /** Only faults with this text in their name. */
  readonly only?: string
}

/** Tries every fault of a backend. */
export function tryFaults(subject: AnySubject, { seed, all = false, only = '' }: TrialOptions): Trial[] {
  const faults = faultsOf(subject).filter((fault) => nameOf(fault).includes(only))
  // A case that caught one fault of a function most likely catches the next one.
  const first = new Map<string, string[]>()
  return faults.map((fault) => {
    const order = first.get(fault.fn) ?? []
    const caughtBy = all ? caughtByAll(subject, fault, seed) : caughtFirst(subject, fault, seed, order)
    const [id] = caughtBy
    if (id !== undefined) first.set(fault.fn, [id, ...order.filter((other) => other !== id)])
    return { fault, caughtBy }
  })
}

function caughtByAll(subject: AnySubject, fault: Fault, seed: number): string[] {
  const { results } = runCases(conformance(faulty(subject, fault), { seed }))
  return results.filter(({ status }) => status === 'fail').map(({ id }) => id)
}

function caughtFirst(subject: AnySubject, fault: Fault, seed: number, order: readonly string[]): string[] {
  const cases = conformance(faulty(subject, fault), { seed })
  const rank = ({ id }: { id: string }): number => (order.includes(id) ? order.indexOf(id) : order.length)
  for (const one of [...cases].sort((a, b) => rank(a) - rank(b))) {
    if (!runCases([one]).conforms) return [one.id]
  }
  return []
}
