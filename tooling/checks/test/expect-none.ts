// How the tests fail: with the sentences that a check found, which say what to do.

/** Throws an Error that lists `findings`, if there are any. */
export function expectNone(findings: readonly string[]): void {
  if (findings.length > 0) throw new Error(`${findings.length} found:\n${findings.join('\n')}`)
}
