// Judges what a machine said: the lines that a person reads, and whether the run is good.
import type { FileResult, MachineRun } from './boot.js'

/** How many tests passed, failed and were skipped. */
export interface Counts {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

/** What a run came to. */
export interface Verdict {
  /** `'arm64-16k: 116 passed, 0 failed, 0 skipped'`, then every complaint about the machine. */
  readonly line: string
  /** Its tests. Each complaint counts as one more that failed. */
  readonly counts: Counts
  /** Whether every file ran to its end, on a machine with the expected pages. */
  readonly isWhole: boolean
}

/** Judges a run by the page size and the files that it had to have. */
export function judge(name: string, pageSize: number, files: readonly string[], run: MachineRun): Verdict {
  const { passed, failed, skipped } = count(run.files)
  const complaints = [
    ...(run.isWhole ? [] : ['the machine did not come to its end']),
    ...(run.facts.includes(`pages of ${pageSize} bytes`) ? [] : [`its pages are not of ${pageSize} bytes`]),
    ...files
      .filter((wanted) => !run.files.some((file) => file.name === wanted))
      .map((wanted) => `${wanted} did not end`),
    ...run.files.flatMap(complaintOf),
  ]
  return {
    line: [`${name}: ${textOf({ passed, failed, skipped })}`, ...complaints].join('; '),
    counts: { passed, failed: failed + complaints.length, skipped },
    isWhole: complaints.length === 0,
  }
}

/** The sum of several counts. */
export function sum(all: readonly Counts[]): Counts {
  const add = (what: keyof Counts): number => all.reduce((total, counts) => total + counts[what], 0)
  return { passed: add('passed'), failed: add('failed'), skipped: add('skipped') }
}

/** `'116 passed, 0 failed, 0 skipped'`, the form that .ci/run reads. */
export function textOf({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`
}

/** The counts of one file, then each test that failed or was skipped. */
export function reportOf(name: string, file: FileResult): string {
  const lines = [`${name}: ${file.name}: ${textOf(count([file]))}`]
  for (const test of file.tests) {
    if (test.failed !== null) lines.push(`  FAILED ${test.name}`, ...ownLines(test.failed))
    else if (test.skipped !== null) lines.push(`  skipped ${test.name}${test.skipped && `: ${test.skipped}`}`)
  }
  return lines.join('\n')
}

/** An error without the lines of vitest and Node. */
function ownLines(stack: string): string[] {
  const isForeign = (line: string): boolean =>
    /^ +at .*(?:\/node_modules\/vitest\/|node:)|^ +at (?:new|async) Promise/.test(line)
  return stack
    .trimEnd()
    .split('\n')
    .filter((line) => !isForeign(line))
    .map((line) => `    ${line}`)
}

/** A file that ended before its tests did, or that has no tests. */
function complaintOf({ name, tests, code }: FileResult): string[] {
  if (code !== 0) return [`${name} ended with code ${code}`]
  return tests.length === 0 ? [`${name} has no tests`] : []
}

function count(results: readonly FileResult[]): Counts {
  const tests = results.flatMap((file) => file.tests)
  const failed = tests.filter((test) => test.failed !== null).length
  const skipped = tests.filter((test) => test.failed === null && test.skipped !== null).length
  return { passed: tests.length - failed - skipped, failed, skipped }
}
