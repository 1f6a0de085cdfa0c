// The shape of files: what style.md asks for and no rule of oxlint can see. lint.ts runs oxlint for the rest.
import { posix } from 'node:path'
import { parseSource } from './source.js'
import { readText, type Workspace } from './workspace.js'

const longestFunction = 60
const glance = 5
const emptyNames = new Set(['utils', 'util', 'helpers', 'helper', 'common', 'types', 'misc', 'shared', 'stuff'])

/** Sentences about every source file of the packages and of tooling. */
export function checkShapes(workspace: Workspace): string[] {
  return workspace.files
    .filter((file) => /^(packages|tooling)\/.*\.[cm]?[jt]s$/.test(file))
    .flatMap((file) => checkShape(file, readText(workspace.root, file)))
}

/** Sentences about one file. */
export function checkShape(file: string, text: string): string[] {
  const { exportStars, functions, errors } = parseSource(file, text)
  const findings = errors.map((error) => `${file}: the parser does not read it: ${error}`)
  const [stem = ''] = posix.basename(file).split('.')
  if (emptyNames.has(stem)) {
    findings.push(`${file}: a file named '${stem}' may hold anything: name it for the one idea it holds, or split it.`)
  }
  // What fits at a glance (a README's examples handed to their runner) says itself what it is.
  if (!/^(#!.*\n)?\/\//.test(text) && text.split('\n').length > glance) {
    findings.push(`${file}:1: no opening comment: say in one to six lines what the file is, and who calls it.`)
  }
  for (const line of exportStars) {
    findings.push(`${file}:${line}: 'export *' hides what is exported: name each export.`)
  }
  for (const { line, lines, argumentOf } of functions) {
    // A group of tests is a list, not a function.
    if (lines <= longestFunction || /^(describe|suite)\b/.test(argumentOf ?? '')) continue
    findings.push(`${file}:${line}: a function of ${lines} lines is two things: split it (${longestFunction} at most).`)
  }
  return findings
}
