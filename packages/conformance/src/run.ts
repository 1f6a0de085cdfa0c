// Runs cases one after another and keeps each result: for the command, the matrix, and users without a test runner.
import type { Case } from './case.js'
import type { Verdict } from './definition.js'

/** How one case ended. */
export type CaseResult = { readonly id: string; readonly title: string } & (
  Verdict | { readonly status: 'fail'; readonly why: string; readonly error: unknown }
)

/** How all cases ended. */
export interface Report {
  /** The result of each case. */
  readonly results: readonly CaseResult[]
  /** The number of cases by status. */
  readonly counts: Readonly<Record<CaseResult['status'], number>>
  /** True when no case failed. */
  readonly conforms: boolean
}

/** Runs every case. A failure does not stop the others. */
export function runCases(cases: readonly Case[]): Report {
  const results = cases.map(runCase)
  const counts = { pass: 0, absent: 0, 'not run': 0, fail: 0 }
  for (const { status } of results) counts[status] += 1
  return { results, counts, conforms: counts.fail === 0 }
}

function runCase(one: Case): CaseResult {
  const { id, title } = one
  try {
    return { id, title, ...one.run() }
  } catch (error) {
    return { id, title, status: 'fail', why: error instanceof Error ? error.message : String(error), error }
  }
}
