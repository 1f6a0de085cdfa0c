// What the commands print with --json: each has its format and version, and a schema in this package. cli.ts loads it
// on a Node that is too old for the rest.
import type { Explanation } from '@memlayer/core'
import { exitCode, type Finding } from './finding.js'

/** The version of both formats. packages/docs/formats.md says which change raises it. */
const version = 1

/** The findings of doctor, as JSON. */
export function doctorJson(findings: readonly Finding[]): string {
  return JSON.stringify({ format: 'memlayer-doctor', version, exitCode: exitCode(findings), findings }, null, 2)
}

/** An explanation, as JSON. A figure that is not known, NaN, is null. */
export function explainJson(explanation: Explanation): string {
  return JSON.stringify({ format: 'memlayer-explain', version, ...explanation }, null, 2)
}
