// All cases, bound to one subject: conformance() binds them, and a runner calls `run`.
import { accountCases } from './cases/account.js'
import { acrossCases } from './cases/across.js'
import { adoptCases } from './cases/adopt.js'
import { adviceAgainCases } from './cases/advice-again.js'
import { adviceBesideCases } from './cases/advice-beside.js'
import { answerCases } from './cases/answers.js'
import { alignmentCases } from './cases/alignment.js'
import { batchCases } from './cases/batches.js'
import { callCases } from './cases/calls.js'
import { chargeCases } from './cases/charge.js'
import { closeHistoryCases } from './cases/close-histories.js'
import { collapseCases } from './cases/collapse.js'
import { contentsCases } from './cases/contents.js'
import { doneCases } from './cases/done.js'
import { elsewhereCases } from './cases/elsewhere.js'
import { endCases } from './cases/ends.js'
import { errorNumberCases } from './cases/error-numbers.js'
import { faultPlanCases } from './cases/fault-plans.js'
import { faultCases } from './cases/fault.js'
import { freeCases } from './cases/free.js'
import { freeTwiceCases } from './cases/free-twice.js'
import { goneCases } from './cases/gone.js'
import { hintCases } from './cases/hints.js'
import { historyCases } from './cases/histories.js'
import { hugeAdviceCases } from './cases/huge-advice.js'
import { hugePageCases } from './cases/huge-pages.js'
import { instanceCases } from './cases/instances.js'
import { keptFreeCases } from './cases/kept-free.js'
import { keptTraitCases } from './cases/kept-traits.js'
import { keptViewCases } from './cases/kept-views.js'
import { kthCallCases } from './cases/kth-call.js'
import { lastResortCases } from './cases/last-resorts.js'
import { ledgerCases } from './cases/ledger.js'
import { listenerCases } from './cases/listeners.js'
import { limitCases } from './cases/limits.js'
import { limitsToldCases } from './cases/limits-told.js'
import { manyPagesCases } from './cases/many-pages.js'
import { modestCases } from './cases/modest.js'
import { oneEndHintCases } from './cases/one-end.js'
import { otherCodeCases } from './cases/others.js'
import { otherKernelCases } from './cases/other-kernels.js'
import { optionalCases } from './cases/optional.js'
import { promisedCases } from './cases/promised.js'
import { reasonCases } from './cases/reasons.js'
import { refusalCases } from './cases/refusals.js'
import { repeatedCases } from './cases/repeated.js'
import { reportCases } from './cases/reports.js'
import { retireCases } from './cases/retire.js'
import { reusedCases } from './cases/reused.js'
import { roomCases } from './cases/room.js'
import { shapeCases } from './cases/shape.js'
import { sizeCases } from './cases/sizes.js'
import { takenBackCases } from './cases/taken-back.js'
import { thrownCases } from './cases/thrown.js'
import { transitionCases } from './cases/transitions.js'
import { undoneCases } from './cases/undone.js'
import { addPlace } from './claim.js'
import { notRun, skipReason, type Definition, type Verdict, type World } from './definition.js'
import { setStage } from './stage.js'
import type { Subject } from './subject.js'

/** One case, bound to a subject. */
export interface Case {
  /** Stable: `'unused/drops-contents'`. The text before the slash is its part. */
  readonly id: string
  /** The claim. */
  readonly title: string
  /**
   * Runs the case.
   *
   * @throws ConformanceError when the claim does not hold. An error that the backend must not throw passes through.
   */
  run(): Verdict
}

/** Options of `conformance`. */
export interface Options {
  /** The seed of every random choice: a whole number. Default: a random one. */
  readonly seed?: number
}

/** The cases by part, in the order of a run. */
const parts: Readonly<Record<string, readonly Definition[]>> = {
  shape: [...shapeCases, ...instanceCases],
  transitions: transitionCases,
  contents: [...contentsCases, ...takenBackCases, ...listenerCases, ...otherCodeCases],
  hints: [...hintCases, ...oneEndHintCases],
  alignment: alignmentCases,
  'huge pages': [...hugePageCases, ...collapseCases],
  fault: faultCases,
  free: [...freeCases, ...freeTwiceCases, ...keptViewCases],
  ends: endCases,
  account: accountCases,
  across: acrossCases,
  charge: [...chargeCases, ...promisedCases],
  limits: [...limitCases, ...limitsToldCases],
  refusals: [
    ...refusalCases,
    ...goneCases,
    ...reasonCases,
    ...doneCases,
    ...reusedCases,
    ...lastResortCases,
    ...faultPlanCases,
    ...keptFreeCases,
    ...thrownCases,
    ...elsewhereCases,
  ],
  sizes: [...sizeCases, ...manyPagesCases],
  repeated: [...repeatedCases, ...undoneCases],
  batch: batchCases,
  optional: [...optionalCases, ...retireCases, ...roomCases, ...answerCases, ...adoptCases],
  advice: [...hugeAdviceCases, ...adviceAgainCases, ...adviceBesideCases],
  'other kernels': otherKernelCases,
  calls: callCases,
  reports: reportCases,
  traits: [...modestCases, ...keptTraitCases],
  'k-th call': [...kthCallCases, ...errorNumberCases],
  histories: [...historyCases, ...closeHistoryCases],
  ledger: ledgerCases,
}

/** All cases, bound to a subject. */
export function conformance<K extends object>(subject: Subject<K>, options: Options = {}): Case[] {
  const seed = options.seed ?? Math.floor(Math.random() * 2 ** 31)
  // A case gives a kernel only to the subject that made it.
  const bound = subject as unknown as Subject
  return Object.values(parts)
    .flat()
    .map((definition) => bind(definition, bound, seed))
}

function worldOf(subject: Subject, seed: number): World {
  return {
    subject,
    seed,
    over: (kernel) => worldOf({ ...subject, kernel }, seed),
    play(scene, options = {}) {
      const stage = setStage(subject, seed, options)
      try {
        const result = scene(stage)
        stage.clear()
        return result
      } catch (error) {
        addPlace(error, stage.lastOperation())
        throw error
      }
    },
  }
}

function bind({ id, title, show }: Definition, subject: Subject, seed: number): Case {
  return {
    id,
    title,
    run() {
      const why = skipReason(subject, id)
      return why === undefined ? (show(worldOf(subject, seed)) ?? { status: 'pass' }) : notRun(why)
    },
  }
}
