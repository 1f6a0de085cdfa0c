// A test as one line of JSON. The guest writes the line, the host reads it from the machine's console.

/** What became of one test. */
export interface TestLine {
  /** Its title, after the titles of the suites that it is in. */
  readonly name: string
  /** The error's stack; null: the test passed or was skipped. */
  readonly failed: string | null
  /** Why it was skipped, empty without a reason; null: it ran. */
  readonly skipped: string | null
  readonly milliseconds: number
}

/** Reads a line. The kernel may have written into it: then it counts as a failed test, so that no test is lost. */
export function readTestLine(line: string): TestLine {
  try {
    return JSON.parse(line) as TestLine
  } catch {
    return { name: 'a line that cannot be read', failed: line, skipped: null, milliseconds: 0 }
  }
}
