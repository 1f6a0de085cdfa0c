// Checks that the links, paths and commands in every committed Markdown file exist. Changelogs and API reports are
// generated, so they are exempt. Also checks that a table with a column 'why' gives a reason in each row.
import { posix } from 'node:path'
import { readText, type Manifest, type Workspace } from './workspace.js'

/** The paths and scripts that a document may name. */
export interface Targets {
  /** Whether a file or a folder exists at a path relative to the root. */
  has(path: string): boolean
  /** The scripts of the root's manifest. */
  readonly scripts: readonly string[]
}

/** Checks every document of the workspace, and returns a sentence for each finding. */
export function checkDocs(workspace: Workspace): string[] {
  const folders = new Set(workspace.files.flatMap((file) => foldersOf(file)))
  const files = new Set(workspace.files)
  const manifest = JSON.parse(readText(workspace.root, 'package.json')) as Manifest
  const targets: Targets = {
    has: (path) => files.has(path) || folders.has(path.replace(/\/$/, '')),
    scripts: Object.keys(manifest['scripts'] as object),
  }
  return workspace.files
    .filter((file) => file.endsWith('.md') && !/(^|\/)CHANGELOG\.md$|\.api\.md$|^\.changeset\//.test(file))
    .flatMap((file) => checkDoc(file, readText(workspace.root, file), targets))
}

/** Checks one document, and returns a sentence for each finding. */
export function checkDoc(file: string, text: string, { has, scripts }: Targets): string[] {
  const findings: string[] = []
  for (const [index, line] of text.split('\n').entries()) {
    const say = (sentence: string): number => findings.push(`${file}:${index + 1}: ${sentence}`)
    for (const [, link = ''] of line.matchAll(/\]\(([^)\s]+)\)/g)) {
      const path = link.replace(/#.*$/, '')
      if (path === '' || /^[a-z]+:/.test(path)) continue
      if (!has(posix.join(file, '..', path))) say(`the target of the link '${link}' does not exist: correct the link.`)
    }
    // A path in code is relative to the root. The check skips a path with a placeholder (<name>, *).
    for (const [, path = ''] of line.matchAll(/`((?:packages|tooling|\.github|\.changeset)\/[^`\s]+)`/g)) {
      if (!/[<*…]/.test(path) && !has(path)) say(`the path '${path}' does not exist: correct it.`)
    }
    for (const [, script = ''] of line.matchAll(/\bnpm run ([\w:-]+)/g)) {
      if (!scripts.includes(script)) say(`package.json has no script '${script}': correct the name.`)
    }
  }
  return [...findings, ...checkReasons(file, text)]
}

/** Checks the rows of tables with a column 'why', and returns a sentence for each empty cell. */
function checkReasons(file: string, text: string): string[] {
  const findings: string[] = []
  // The index of the column 'why' in the current table, or -1.
  let why = -1
  let isTable = false
  for (const [index, line] of text.split('\n').entries()) {
    const cells = cellsOf(line)
    if (cells === null) {
      isTable = false
    } else if (!isTable) {
      isTable = true
      why = cells.indexOf('why')
    } else if (why >= 0 && (cells[why] ?? '') === '') {
      findings.push(`${file}:${index + 1}: the row's cell in the column 'why' is empty: give the reason.`)
    }
  }
  return findings
}

/** Returns the cells of a table's line, or null for any other line. `\\|` does not end a cell. */
function cellsOf(line: string): string[] | null {
  if (!line.startsWith('|')) return null
  return line
    .replace(/\|\s*$/, '')
    .split(/(?<!\\)\|/)
    .slice(1)
    .map((cell) => cell.trim())
}

function foldersOf(file: string): string[] {
  const folder = posix.dirname(file)
  return folder === '.' ? [] : [folder, ...foldersOf(folder)]
}
