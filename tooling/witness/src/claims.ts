// Claims of code that runs without a test runner: in a browser, and in Node for Windows.

/** Throws an Error unless `is` holds. */
export function holds(is: boolean, what: string): void {
  if (!is) throw new Error(`it does not hold that ${what}`)
}

/** Throws an Error unless the two are the same by Object.is. */
export function same(seen: unknown, expected: unknown, what: string): void {
  if (!Object.is(seen, expected)) throw new Error(`${what}: ${String(seen)}, expected ${String(expected)}`)
}
