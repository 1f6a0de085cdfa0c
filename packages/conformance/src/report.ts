// Formats a report for people: one line per case, grouped by part, the reason of each failure, and a verdict.
import type { CaseResult, Report } from './run.js'

const marks: Readonly<Record<CaseResult['status'], string>> = {
  pass: 'pass',
  absent: 'absent',
  'not run': 'NOT RUN',
  fail: 'FAIL',
}

/**
 * The report as text. `name` is the tested backend, and `seed` replays the run. `command` runs the suite, and each
 * failure then says how to run its case alone.
 */
export function reportText(report: Report, name: string, seed: number, command?: string): string {
  const lines = [`${name}, seed ${seed}`]
  let part = ''
  for (const result of report.results) {
    const own = result.id.slice(0, result.id.indexOf('/'))
    if (own !== part) lines.push('', own)
    part = own
    lines.push(`  ${marks[result.status].padEnd(8)} ${result.id.padEnd(28)} ${result.title}`)
    const note = noteOf(result)
    if (note !== '') lines.push(`           ${note}`)
    if (result.status === 'fail' && command !== undefined)
      lines.push(`           alone: ${command} --only ${result.id} --seed ${seed}`)
  }
  const { pass, absent, fail } = report.counts
  const left = report.counts['not run']
  const verdict = report.conforms ? 'conforms in all cases that ran' : 'does not conform'
  lines.push('', `${pass} pass, ${absent} absent by trait, ${left} not run, ${fail} fail: ${name} ${verdict}.`)
  if (!report.conforms) lines.push(`Run it again with --seed ${seed} to repeat this result.`)
  return lines.join('\n')
}

function noteOf(result: CaseResult): string {
  if (result.status === 'fail') return result.why
  if (result.status === 'absent') return `confirmed: ${result.trait}`
  return result.status === 'not run' ? result.why : ''
}
