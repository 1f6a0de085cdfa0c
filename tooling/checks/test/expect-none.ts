// Fails a test with the sentences that a check returned. Each sentence says what to do.

/** Throws an Error that lists `findings`, unless the list is empty. */
export function expectNone(findings: readonly string[]): void {
  if (findings.length > 0) throw new Error(`the check has ${findings.length} findings:\n${findings.join('\n')}`)
}
