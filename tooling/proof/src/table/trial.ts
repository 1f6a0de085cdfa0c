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
  const cost = costsOf(subject, seed)
  return faults.map((fault) => {
    const order = first.get(fault.fn) ?? []
    const caughtBy = all ? caughtByAll(subject, fault, seed) : caughtFirst(subject, fault, seed, [...order, ...cost])
    const [id] = caughtBy
    if (id !== undefined && !all) first.set(fault.fn, [id, ...order.filter((other) => other !== id)])
    return { fault, caughtBy }
  })
}

function caughtByAll(subject: AnySubject, fault: Fault, seed: number): string[] {
  const { results } = runCases(conformance(faulty(subject, fault), { seed }))
  return results.filter(({ status }) => status === 'fail').map(({ id }) => id)
}

/** The ids of all cases, the quickest first, as the right backend runs them. */
function costsOf(subject: AnySubject, seed: number): string[] {
  const timed = conformance(subject, { seed }).map((one) => {
    const start = performance.now()
    runCases([one])
    return { id: one.id, time: performance.now() - start }
  })
  return timed.sort((a, b) => a.time - b.time).map(({ id }) => id)
}

function caughtFirst(subject: AnySubject, fault: Fault, seed: number, order: readonly string[]): string[] {
  const cases = new Map(conformance(faulty(subject, fault), { seed }).map((one) => [one.id, one]))
  for (const id of new Set(order)) {
    const one = cases.get(id)
    if (one !== undefined && !runCases([one]).conforms) return [id]
  }
  return []
}
