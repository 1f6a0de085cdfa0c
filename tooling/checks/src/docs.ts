// What the documents point to: links, paths and commands in every Markdown file that is committed, except
// for changelogs and API reports, which are made. And that a table which says why says it in each row.
import { posix } from 'node:path'
import { readText, type Manifest, type Workspace } from './workspace.js'

/** What a document may rightly point to. */
export interface Targets {
  /** Whether a path from the root is there, as a file or as a folder. */
  has(path: string): boolean
  /** The scripts of the root's manifest. */
  readonly scripts: readonly string[]
}

/** Sentences about every document of the workspace. */
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

/** Sentences about one document. */
export function checkDoc(file: string, text: string, { has, scripts }: Targets): string[] {
  const findings: string[] = []
  for (const [index, line] of text.split('\n').entries()) {
    const say = (sentence: string): number => findings.push(`${file}:${index + 1}: ${sentence}`)
    for (const [, link = ''] of line.matchAll(/\]\(([^)\s]+)\)/g)) {
      const path = link.replace(/#.*$/, '')
      if (path === '' || /^[a-z]+:/.test(path)) continue
      if (!has(posix.join(file, '..', path))) say(`the link to '${link}' leads nowhere.`)
    }
    // A path in code, from the root; one with a placeholder in it (<name>, *) is no path yet.
    for (const [, path = ''] of line.matchAll(/`((?:packages|tooling|\.github|\.changeset)\/[^`\s]+)`/g)) {
      if (!/[<*…]/.test(path) && !has(path)) say(`'${path}' is not there.`)
    }
    for (const [, script = ''] of line.matchAll(/\bnpm run ([\w:-]+)/g)) {
      if (!scripts.includes(script)) say(`there is no script '${script}' in package.json.`)
    }
  }
  return [...findings, ...checkReasons(file, text)]
}

/** Sentences about the rows of tables with a column 'why' that leave it empty. */
function checkReasons(file: string, text: string): string[] {
  const findings: string[] = []
  // The column of the table that is being read; -1: none has it.
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
      findings.push(`${file}:${index + 1}: the row has no word in the column 'why': give the reason.`)
    }
  }
  return findings
}

/** The cells of a line of a table; null: it is none. `\\|` divides no cells. */
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
