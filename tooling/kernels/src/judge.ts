// From what a machine said to what a person reads, and to whether the run is good.
import type { FileResult, MachineRun } from './boot.js'

/** What a run came to. */
export interface Verdict {
  /** `'arm64-16k: 116 passed, 0 failed, 0 skipped'`, and what else was wrong. */
  readonly line: string
  /** Whether every file ran to its end on the machine that was meant. */
  readonly isWhole: boolean
  /** Whether it is whole and no test failed. */
  readonly isGood: boolean
}

/** Judges a run by the page size and the files that it was to have. */
export function judge(name: string, pageSize: number, files: readonly string[], run: MachineRun): Verdict {
  const { passed, failed, skipped } = count(run.files)
  const complaints = [
    ...(run.isWhole ? [] : ['the machine did not come to its end']),
    ...(run.facts.includes(`pages of ${pageSize} bytes`) ? [] : [`its pages are not of ${pageSize} bytes`]),
    ...files
      .filter((wanted) => !run.files.some((file) => file.name === wanted))
      .map((wanted) => `${wanted} did not end`),
    ...run.files.filter(isCutShort).map((file) => `${file.name} ended with code ${file.code}`),
  ]
  return {
    line: [`${name}: ${passed} passed, ${failed} failed, ${skipped} skipped`, ...complaints].join('; '),
    isWhole: complaints.length === 0,
    isGood: failed === 0 && complaints.length === 0,
  }
}

/** A file's counts, and each test that did not pass. */
export function reportOf(name: string, file: FileResult): string {
  const { passed, failed, skipped } = count([file])
  const lines = [`${name}: ${file.name}: ${passed} passed, ${failed} failed, ${skipped} skipped`]
  for (const test of file.tests) {
    if (test.failed !== null) lines.push(`  FAILED ${test.name}`, ...ownLines(test.failed))
    else if (test.skipped !== null) lines.push(`  skipped ${test.name}: ${test.skipped}`)
  }
  return lines.join('\n')
}

/** An error without the runner's and Node's own lines. */
function ownLines(stack: string): string[] {
  const isForeign = (line: string): boolean =>
    /^ +at .*(?:\/tooling\/kernels\/dist\/|node:)|^ +at (?:new|async) Promise/.test(line)
  return stack
    .split('\n')
    .filter((line) => !isForeign(line))
    .map((line) => `    ${line}`)
}

/** A file that ended before its tests did, or without any. */
function isCutShort({ tests, code }: FileResult): boolean {
  const expected = tests.some(({ failed }) => failed !== null) ? 1 : 0
  return tests.length === 0 || code !== expected
}

function count(results: readonly FileResult[]): { passed: number; failed: number; skipped: number } {
  const tests = results.flatMap((file) => file.tests)
  const failed = tests.filter((test) => test.failed !== null).length
  const skipped = tests.filter((test) => test.failed === null && test.skipped !== null).length
  return { passed: tests.length - failed - skipped, failed, skipped }
}
