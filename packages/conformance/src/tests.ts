// Cases as tests of whatever runner calls them `describe` and `it`: vitest, node:test, bun:test,
// Jest, Mocha. The user's side is a few lines; the README has them.
import { conformance, type Options } from './case.js'
import type { Subject } from './subject.js'

/** What a runner hands to a test, as far as it is used here. */
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
 * Defines a test a case. What is absent by trait was shown to be absent and passes; what can't be run
 * here is skipped, with the reason.
 */
export function defineTests<K extends object>(subject: Subject<K>, runner: Runner, options: Options = {}): void {
  const seed = options.seed ?? Math.floor(Math.random() * 2 ** 31)
  const cases = conformance(subject, { seed })
  runner.describe(`${subject.name ?? 'the backend'} conforms (seed ${seed})`, () => {
    for (const one of cases) {
      runner.it(`${one.id}: ${one.title}`, (context) => {
        const verdict = one.run()
        if (verdict.status === 'not run') context.skip?.(verdict.why)
      })
    }
  })
}
