// Defines the cases as tests of any runner with `describe` and `it`: vitest, node:test, bun:test, Jest, Mocha. A user
// writes a few lines for it, which are in the README.
import { conformance, type Options } from './case.js'
import { ConformanceError } from './claim.js'
import type { Subject } from './subject.js'

/** The part of a runner's test context that is used here. */
export interface TestContext {
  /** Ends the test as skipped, with a note. Absent: it counts as passed. */
  skip?(note: string): unknown
}

/** A test runner's two functions. */
export interface Runner {
  /** Groups tests. */
  describe(name: string, define: () => void): unknown
  /** One test. */
  it(name: string, run: (context: TestContext) => void): unknown
}

/**
 * Defines one test per case. A case passes when the backend lacks a trait and the case confirmed that. A case that
 * can't run here is skipped with the reason.
 */
export function defineTests<K extends object>(subject: Subject<K>, runner: Runner, options: Options = {}): void {
  const seed = options.seed ?? Math.floor(Math.random() * 2 ** 31)
  const cases = conformance(subject, { seed })
  runner.describe(`${subject.name ?? 'the backend'} conforms (seed ${seed})`, () => {
    for (const one of cases) {
      runner.it(`${one.id}: ${one.title}`, (context) => {
        const verdict = withSeed(() => one.run(), one.id, seed)
        if (verdict.status === 'not run') context.skip?.(verdict.why)
      })
    }
  })
}

/** Adds to a failure how to see it again. */
function withSeed<T>(run: () => T, id: string, seed: number): T {
  try {
    return run()
  } catch (error) {
    if (error instanceof ConformanceError)
      error.message += `. See it again: run the test '${id}' alone, with { seed: ${seed} } for defineTests`
    throw error
  }
}
