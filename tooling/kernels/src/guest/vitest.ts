// What os-linux's tests import of vitest, over node:test and with vitest's own matchers: bundled into
// the tests that run on other machines, for which vitest's bundler is not built.
import { afterEach, beforeEach, describe as describeHere, it as itHere, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { format } from 'node:util'
import { GLOBAL_EXPECT, JestAsymmetricMatchers, JestChaiExpect, JestExtend } from '@vitest/expect'
import * as chai from 'chai'

export { afterEach, beforeEach }

chai.use(JestExtend)
chai.use(JestChaiExpect)
chai.use(JestAsymmetricMatchers)

/** chai's, with vitest's matchers. */
export const expect: Chai.ExpectStatic = chai.expect
// Where the matchers look for their own state.
Object.assign(globalThis, { [GLOBAL_EXPECT]: expect })

/** Ends a test that says it can't be run here. */
class Skipped extends Error {}

interface Context {
  skip(note?: string): never
}

type Body = (context: Context) => unknown
type Row = readonly unknown[]

/** Declares a test; `skipIf` and `each` as vitest has them. */
interface Declare<F> {
  (title: string, body: F): void
  skipIf(isSkipped: boolean): (title: string, body: F) => void
}

async function run(body: Body, t: TestContext): Promise<void> {
  const skip = (note?: string): never => {
    t.skip(note)
    throw new Skipped(note)
  }
  try {
    await body({ skip })
  } catch (error) {
    if (!(error instanceof Skipped)) throw error
  }
}

function declareTest(title: string, body: Body, isSkipped: boolean): void {
  void itHere(title, { skip: isSkipped }, (t) => run(body, t))
}

function each(rows: readonly unknown[]): (title: string, body: (...args: never[]) => unknown) => void {
  return (title, body) => {
    for (const row of rows) {
      const args: Row = Array.isArray(row) ? (row as Row) : [row]
      const used = title.match(/%[sdifjoO]/g)?.length ?? 0
      declareTest(format(title, ...args.slice(0, used)), () => body(...(args as never[])), false)
    }
  }
}

/** A test. */
export const it: Declare<Body> & { readonly each: typeof each } = Object.assign(
  (title: string, body: Body) => declareTest(title, body, false),
  { skipIf: (isSkipped: boolean) => (title: string, body: Body) => declareTest(title, body, isSkipped), each },
)

/** Tests that belong together. */
export const describe: Declare<() => void> = Object.assign(
  (title: string, body: () => void) => void describeHere(title, body),
  { skipIf: (skip: boolean) => (title: string, body: () => void) => void describeHere(title, { skip }, body) },
)

/** What of vitest's `vi` is used: calls again what throws, until it does not or the milliseconds are over. */
export const vi: { waitFor(body: () => unknown, timeout: number): Promise<void> } = {
  async waitFor(body, timeout) {
    const end = performance.now() + timeout
    for (;;) {
      try {
        await body()
        return
      } catch (error) {
        if (performance.now() > end) throw error
      }
      await sleep(50)
    }
  },
}
