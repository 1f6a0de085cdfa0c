// Checks the shape of files: the rules of style that oxlint has no rule for. lint.ts runs oxlint for the others.
import { posix } from 'node:path'
import { parseSource } from './source.js'
import { readText, type Workspace } from './workspace.js'

const functionLinesMax = 60
/** Core is read most, so its functions are shorter. */
const coreFunctionLinesMax = 45
// A file with at most this many lines needs no opening comment.
const bareFileLinesMax = 5
const emptyNames = new Set(['utils', 'util', 'helpers', 'helper', 'common', 'types', 'misc', 'shared', 'stuff'])

/** Checks every source file of the packages and of tooling. */
export function checkShapes(workspace: Workspace): string[] {
  return workspace.files
    .filter((file) => /^(packages|tooling)\/.*\.[cm]?[jt]s$/.test(file))
    .flatMap((file) => checkShape(file, readText(workspace.root, file)))
}

/** Checks one file, and returns a sentence for each finding. */
export function checkShape(file: string, text: string): string[] {
  const { exportStars, functions, errors } = parseSource(file, text)
  const findings = errors.map((error) => `${file}: the parser can't read this file: ${error}`)
  const [stem = ''] = posix.basename(file).split('.')
  if (emptyNames.has(stem)) {
    findings.push(`${file}: a file named '${stem}' may hold anything: name it for the one idea it holds, or split it.`)
  }
  // A very short file explains itself, like a test that only runs a README's examples.
  if (!/^(#!.*\n)?\/\//.test(text) && text.split('\n').length > bareFileLinesMax) {
    findings.push(`${file}:1: no opening comment: say in one to six lines what the file is, and what calls it.`)
  }
  for (const line of exportStars) {
    findings.push(`${file}:${line}: 'export *' hides what is exported: name each export.`)
  }
  for (const { line, lines, argumentOf } of functions) {
    // A group of tests is a list, not a function.
    const linesMax = file.startsWith('packages/core/src/') ? coreFunctionLinesMax : functionLinesMax
    if (lines <= linesMax || /^(describe|suite)\b/.test(argumentOf ?? '')) continue
    findings.push(`${file}:${line}: a function of ${lines} lines does too much: split it (${linesMax} at most).`)
  }
  return findings
}
