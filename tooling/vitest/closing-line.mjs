// Prints the last line of a test run, which CI reads: `120 passed, 0 failed, 3 skipped`. Before it, it prints each
// skipped test with its note, which says how to get the test run.
export default class ClosingLine {
  onTestRunEnd(modules, errors) {
    const counts = { passed: 0, failed: errors.length, skipped: 0 }
    const skipped = []
    for (const module of modules) {
      if (module.state() === 'failed' && module.errors().length > 0) counts.failed += 1
      for (const test of module.children.allTests()) {
        const { state, note } = test.result()
        if (state === 'pending' || state === 'skipped') {
          counts.skipped += 1
          skipped.push(`skipped: ${test.fullName}${note ? ` (${note})` : ''}`)
        } else counts[state] += 1
      }
    }
    const lines = [...skipped, `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`]
    // The exit handler prints after all other reporters.
    process.on('exit', () => process.stdout.write(`${lines.join('\n')}\n`))
  }
}
