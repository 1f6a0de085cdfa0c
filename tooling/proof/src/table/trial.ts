// Tries the suite on every fault of a backend: which case catches it, or that none does.
import { conformance, runCases, type Case } from '@memlayer/conformance'
import type { AnySubject } from '../simulated.js'
import { nameOf, type Fault } from './fault.js'
import { faulty, faultsOf } from './table.js'
import { nextTurn } from '../next-turn.js'

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
export async function tryFaults(subject: AnySubject, options: TrialOptions): Promise<Trial[]> {
  const { seed, all = false, only = '' } = options
  const costs = await costsOf(subject, seed)
  // A case that caught a fault of a function, or one of the same way, most likely catches the next one.
  const likely = new Map<string, string[]>()
  const trials: Trial[] = []
  for (const fault of faultsOf(subject).filter((one) => nameOf(one).includes(only))) {
    const order = all ? costs : [...(likely.get(fault.fn) ?? []), ...(likely.get(fault.way) ?? []), ...costs]
    const caughtBy = await caughtIn(conformance(faulty(subject, fault), { seed }), order, all)
    const [id] = caughtBy
    if (id !== undefined) for (const key of [fault.fn, fault.way]) putFirst(likely, key, id)
    trials.push({ fault, caughtBy })
  }
  return trials
}

function putFirst(likely: Map<string, string[]>, key: string, id: string): void {
  likely.set(key, [id, ...(likely.get(key) ?? []).filter((other) => other !== id)])
}

/** The ids of all cases, the quickest first, as the right backend runs them. */
async function costsOf(subject: AnySubject, seed: number): Promise<string[]> {
  const timed: { readonly id: string; readonly time: number }[] = []
  for (const one of conformance(subject, { seed })) {
    const start = performance.now()
    runCases([one])
    timed.push({ id: one.id, time: performance.now() - start })
    await nextTurn()
  }
  return timed.toSorted((a, b) => a.time - b.time).map(({ id }) => id)
}

/** The cases that fail, run in `order`: all of them, or only the first. */
async function caughtIn(cases: readonly Case[], order: readonly string[], all: boolean): Promise<string[]> {
  const byId = new Map(cases.map((one) => [one.id, one]))
  const failed: string[] = []
  for (const id of new Set(order)) {
    const one = byId.get(id)
    if (one !== undefined && !runCases([one]).conforms) failed.push(id)
    await nextTurn()
    if (failed.length > 0 && !all) break
  }
  return failed
}
