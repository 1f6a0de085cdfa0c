// The table of one backend: every fault of every function that it has, and the backend with one of them.
import type { Subject } from '@memlayer/conformance'
import type { OS } from '@memlayer/core'
import type { AnySubject } from '../simulated.js'
import { addressFaults } from './addresses.js'
import { batchFaults } from './batches.js'
import { changeFaults } from './changes.js'
import { costFaults } from './costs.js'
import { factFaults } from './facts.js'
import { over, type Fault } from './fault.js'
import { kernelFaults } from './kernels.js'
import { leavingFaults } from './leavings.js'
import { lessonFaults } from './lessons.js'
import { limitFaults } from './limits.js'
import { memoryFaults } from './memories.js'
import { oneEndFaults } from './one-end.js'
import { rangeFaults } from './ranges.js'
import { samenessOf } from './same.js'
import { seamFaults } from './seams.js'
import { serviceFaults } from './services.js'
import { stateFaults } from './states.js'

/** A wrong backend may loop for ever. No right one makes so many calls in a case. */
const callsMax = 2_000_000

/** A row of the table that is no fault on a backend. */
export interface Same {
  readonly fault: Fault
  readonly reason: string
}

/** The faults of a backend, by function. */
export function faultsOf(subject: AnySubject): Fault[] {
  return tableOf(subject).faults
}

/** The rows that are no faults on a backend, each with the reason. */
export function sameOf(subject: AnySubject): Same[] {
  return tableOf(subject).same
}

function tableOf(subject: AnySubject): { faults: Fault[]; same: Same[] } {
  const kernel = subject.kernel?.({ seed: 1 })
  const os = subject.createOS(kernel === undefined ? {} : { kernel })
  const why = samenessOf(subject)
  const rows = [
    ...rangeFaults(os),
    ...addressFaults(os),
    ...batchFaults(os),
    ...serviceFaults(os),
    ...factFaults(os, kernel),
    ...kernelFaults(subject, os, kernel),
    ...stateFaults(os),
    ...seamFaults(os),
    ...costFaults(os, kernel),
    ...leavingFaults(os),
    ...lessonFaults(os, kernel),
    ...limitFaults(os, kernel),
    ...memoryFaults(os, kernel),
    ...oneEndFaults(subject),
    ...changeFaults(os, kernel),
  ]
  const same = rows.flatMap((fault) => {
    const reason = why(fault)
    return reason === null ? [] : [{ fault, reason }]
  })
  const left = new Set(same.map(({ fault }) => fault))
  return { faults: rows.filter((fault) => !left.has(fault)), same }
}

/** The subject with one fault. */
export function faulty(subject: AnySubject, fault: Fault): AnySubject {
  let before: OS | null = null
  const createOS: Subject['createOS'] = (options) => {
    const { kernel } = options
    const os = subject.createOS(kernel === undefined ? {} : { kernel: fault.kernel?.(kernel) ?? kernel })
    const wrong = broken(os, fault, before)
    before = os
    return wrong
  }
  // The witness asks the kernel, and where it asks the backend, the right one.
  return { ...subject, createOS }
}

function broken(os: OS, fault: Fault, before: OS | null): OS {
  let refusals = 0
  let calls = 0
  const onCall = (call: () => unknown): unknown => {
    if ((calls += 1) > callsMax) throw new Error(`a case makes more than ${callsMax} calls`)
    try {
      const answer = call()
      if (os.refusal || answer === null || answer === false) refusals += 1
      return answer
    } catch (error) {
      refusals += 1
      throw error
    }
  }
  const change = fault.change({ os, page: os.traits.pageSize, refusals: () => refusals, before })
  return over(os, change, onCall)
}
