// A report as a person reads it: a line a case by part, failures with their reason, and a verdict.
import type { CaseResult, Report } from './run.js'

const marks: Readonly<Record<CaseResult['status'], string>> = {
  pass: 'pass',
  absent: 'absent',
  'not run': 'NOT RUN',
  fail: 'FAIL',
}

/** The report as text; `name` is what was put to the test, `seed` what replays it. */
export function reportText(report: Report, name: string, seed: number): string {
  const lines = [`${name}, seed ${seed}`]
  let part = ''
  for (const result of report.results) {
    const own = result.id.slice(0, result.id.indexOf('/'))
    if (own !== part) lines.push('', own)
    part = own
    lines.push(`  ${marks[result.status].padEnd(8)} ${result.id.padEnd(28)} ${result.title}`)
    const note = noteOf(result)
    if (note !== '') lines.push(`           ${note}`)
  }
  const { pass, absent, fail } = report.counts
  const left = report.counts['not run']
  const verdict = report.conforms ? 'conforms, as far as it was run' : 'does not conform'
  lines.push('', `${pass} pass, ${absent} absent by trait, ${left} not run, ${fail} fail: ${name} ${verdict}.`)
  if (!report.conforms) lines.push(`Run it again with --seed ${seed} to see the same.`)
  return lines.join('\n')
}

function noteOf(result: CaseResult): string {
  if (result.status === 'fail') return result.why
  if (result.status === 'absent') return `and so it was found: ${result.trait}`
  return result.status === 'not run' ? result.why : ''
}
