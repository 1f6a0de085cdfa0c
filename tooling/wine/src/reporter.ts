// A reporter for node:test inside Windows. It writes each finished test as a line of JSON into the file that
// MEMLAYER_OUTPUT names. It runs in Node for Windows, not in vitest.
import { appendFileSync } from 'node:fs'
import { inspect } from 'node:util'

interface TestEvent {
  readonly type: string
  readonly data: {
    readonly name: string
    readonly nesting: number
    readonly skip?: string | boolean
    readonly details?: { readonly type?: string; readonly error?: Error; readonly duration_ms?: number }
  }
}

/** Writes one line for each test, and yields only an empty text. */
// oxlint-disable-next-line import/no-default-export -- node:test requires a default export
export default async function* reporter(source: AsyncIterable<TestEvent>): AsyncGenerator<string, void> {
  const path: string[] = []
  for await (const { type, data } of source) {
    if (type === 'test:start') path[data.nesting] = data.name
    if (type !== 'test:pass' && type !== 'test:fail') continue
    const error = data.details?.error
    // Skips a suite that failed only because a test in it failed, because that test has its own line. A suite that
    // throws gets one line.
    if (data.details?.type === 'suite' && (error === undefined || isOfSubtests(error))) continue
    const test = {
      name: [...path.slice(0, data.nesting), data.name].join(' > '),
      failed: type === 'test:fail' ? textOf(error) : null,
      skipped: data.skip === undefined || data.skip === false ? null : String(data.skip),
      milliseconds: data.details?.duration_ms ?? 0,
    }
    appendFileSync(process.env['MEMLAYER_OUTPUT'] ?? 'output', `${JSON.stringify(test)}\n`)
  }
  yield ''
}

function isOfSubtests(error: Error): boolean {
  return (error as { failureType?: unknown }).failureType === 'subtestsFailed'
}

/** Returns the text of the test's own error, which node:test wraps in another error. */
function textOf(error: Error | undefined): string {
  const own = error?.cause ?? error
  return own instanceof Error ? (own.stack ?? own.message) : inspect(own)
}
