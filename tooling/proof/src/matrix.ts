// Makes the matrix of every backend and every case, as text for a terminal.
import { conformance, runCases, type CaseResult, type Report } from '@memlayer/conformance'
import { nextTurn } from './next-turn.js'
import type { AnySubject } from './simulated.js'

/** One column of the matrix. */
export interface Column {
  readonly name: string
  readonly report: Report
}

const marks: Readonly<Record<CaseResult['status'], string>> = { pass: '+', absent: 'o', 'not run': '.', fail: 'X' }

/** Runs the suite over a subject, a case in each turn of the event loop. In one turn all their memory would stay. */
export async function columnOf(subject: AnySubject, seed: number): Promise<Column> {
  const results: CaseResult[] = []
  const counts = { pass: 0, absent: 0, 'not run': 0, fail: 0 }
  for (const one of conformance(subject, { seed })) {
    const [result] = runCases([one]).results
    if (result !== undefined) {
      results.push(result)
      counts[result.status] += 1
    }
    await nextTurn()
  }
  return { name: subject.name, report: { results, counts, conforms: counts.fail === 0 } }
}

/** Formats what fails with one seed, for a run with several. */
export function failuresText(found: readonly Column[], seed: number): string {
  const failed = found.flatMap(({ name, report }) =>
    report.results.flatMap((one) => (one.status === 'fail' ? [`X ${name}: ${one.id}: ${one.why}`] : [])),
  )
  return [`seed ${seed}: ${failed.length === 0 ? 'nothing fails' : `${failed.length} fail`}`, ...failed].join('\n')
}

/**
 * Formats the matrix, with the meaning of its marks and the reasons of cases that were not run. `missing` maps each
 * kernel that this host does not have to the reason.
 */
export function matrixText(found: readonly Column[], missing: Readonly<Record<string, string>>, seed: number): string {
  const [first] = found
  if (first === undefined) return 'the matrix has no backend'
  const lines = found.map(({ name, report }, i) => {
    const { pass, absent, fail } = report.counts
    const left = report.counts['not run']
    return `${letter(i)}  ${name.padEnd(36)} ${pass} pass, ${absent} absent by trait, ${left} not run, ${fail} fail`
  })
  lines.push('', `${'case'.padEnd(28)} ${found.map((_, i) => letter(i)).join(' ')}`)
  for (const [row, { id }] of first.report.results.entries()) {
    const cells = found.map(({ report }) => marks[report.results[row]?.status ?? 'not run'])
    lines.push(`${id.padEnd(28)} ${cells.join(' ')}`)
  }
  lines.push('', '+ pass   o absent by trait, as the case confirms   . not run   X fail', ...reasons(found))
  for (const [name, why] of Object.entries(missing)) lines.push(`. ${name}: ${why}`)
  lines.push('', `seed ${seed}: run this again with --seed ${seed}`)
  return lines.join('\n')
}

/**
 * Returns the last line of the run, which .ci/run reads: `3400 passed, 0 failed, 40 skipped`. An absence that a case
 * confirms has passed. Each kernel in `missing` counts as one skipped case.
 */
export function closingLine(found: readonly Column[], missing: Readonly<Record<string, string>>): string {
  const count = (...statuses: CaseResult['status'][]): number =>
    found.flatMap(({ report }) => statuses.map((status) => report.counts[status])).reduce((sum, n) => sum + n, 0)
  const skipped = count('not run') + Object.keys(missing).length
  return `${count('pass', 'absent')} passed, ${count('fail')} failed, ${skipped} skipped`
}

/** Returns why cases were not run or failed. Each reason appears once, with the letters of its backends. */
function reasons(found: readonly Column[]): string[] {
  const by = new Map<string, string[]>()
  for (const [i, { report }] of found.entries()) {
    for (const result of report.results) {
      if (result.status !== 'not run' && result.status !== 'fail') continue
      const text = `${marks[result.status]} ${result.id}: ${result.why}`
      by.set(text, [...(by.get(text) ?? []), letter(i)])
    }
  }
  return [...by].map(([text, where]) => `${text} (${where.join(' ')})`)
}

function letter(i: number): string {
  return 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'[i] ?? '?'
}
