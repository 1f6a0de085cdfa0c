// Checks that the links, anchors, paths and commands in every committed Markdown file exist. Changelogs and API reports
// are generated, so they are exempt. Also checks that a published README has no link that works only in the
// repository, that a table with a column 'why' gives a reason in each row, and that the READMEs of backends have the
// same sections.
import { posix } from 'node:path'
import { publicPackages, readText, type Manifest, type Workspace } from './workspace.js'

/** The paths, anchors and scripts that a document may name. */
export interface Targets {
  /** Whether a file or a folder exists at a path relative to the root. */
  has(path: string): boolean
  /** The anchors of a Markdown file's headings, or null for a file that is not Markdown. */
  anchors(path: string): ReadonlySet<string> | null
  /** The scripts of the root's manifest. */
  readonly scripts: readonly string[]
  /** The READMEs that the registry shows without the repository around them. */
  readonly published: ReadonlySet<string>
}

/** Where a link to a file of the repository leads for a reader of the registry's page. */
const home = 'https://github.com/memlayer/memlayer/blob/main/'
const homes = [home, 'https://raw.githubusercontent.com/memlayer/memlayer/main/']

/** Checks every document of the workspace, and returns a sentence for each finding. */
export function checkDocs(workspace: Workspace): string[] {
  const folders = new Set(workspace.files.flatMap((file) => foldersOf(file)))
  const files = new Set(workspace.files)
  const manifest = JSON.parse(readText(workspace.root, 'package.json')) as Manifest
  const targets: Targets = {
    has: (path) => files.has(path) || folders.has(path.replace(/\/$/, '')),
    anchors: (path) => (path.endsWith('.md') ? anchorsOf(readText(workspace.root, path)) : null),
    scripts: Object.keys(manifest['scripts'] as object),
    published: new Set(publicPackages(workspace).map(({ folder }) => `${folder}/README.md`)),
  }
  return workspace.files
    .filter((file) => file.endsWith('.md') && !/(^|\/)CHANGELOG\.md$|\.api\.md$|^\.changeset\//.test(file))
    .flatMap((file) => checkDoc(file, readText(workspace.root, file), targets))
}

/** Checks one document, and returns a sentence for each finding. */
export function checkDoc(file: string, text: string, targets: Targets): string[] {
  const findings: string[] = []
  const ownAnchors = anchorsOf(text)
  for (const [index, line] of text.split('\n').entries()) {
    const say = (sentence: string): number => findings.push(`${file}:${index + 1}: ${sentence}`)
    for (const [, inText, inTag] of line.matchAll(/\]\(([^)\s]+)\)|\b(?:src|srcset|href)="([^"\s]+)"/g)) {
      const sentence = checkLink(file, inText ?? inTag ?? '', ownAnchors, targets)
      if (sentence !== null) say(sentence)
    }
    // A path in code is relative to the root. The check skips a path with a placeholder (<name>, *).
    for (const [, path = ''] of line.matchAll(/`((?:packages|tooling|\.github|\.changeset)\/[^`\s]+)`/g)) {
      if (!/[<*…]/.test(path) && !targets.has(path)) say(`the path '${path}' does not exist: correct it.`)
    }
    for (const [, script = ''] of line.matchAll(/\bnpm run ([\w:-]+)/g)) {
      if (!targets.scripts.includes(script)) say(`package.json has no script '${script}': correct the name.`)
    }
  }
  return [...findings, ...checkReasons(file, text), ...checkBackend(file, text), ...checkBlocks(file, text)]
}

/** Checks that each block of code is run by the tests, or that a comment above it says why it is not. */
function checkBlocks(file: string, text: string): string[] {
  const findings: string[] = []
  let fence = ''
  let above = ''
  for (const [index, line] of text.split('\n').entries()) {
    const [, mark = '', language = '', how = ''] = /^(`{3,})(\w*)[ \t]*(\w*)/.exec(line) ?? []
    if (fence !== '') {
      if (mark.startsWith(fence) && language === '') fence = ''
    } else if (mark !== '') {
      fence = mark
      const isCode = language === 'ts' || language === 'js'
      if (isCode && how !== 'run' && how !== 'vitest' && !/^<!-- not run: .+ -->$/.test(above))
        findings.push(`${file}:${index + 1}: write 'run' behind the language, or above it: <!-- not run: why -->`)
    }
    if (line !== '') above = line
  }
  return findings
}

/** The sections of every backend's README, in this order. Others come after them. */
const sectionsOfBackend = ['Options', 'Traits', 'Kernel calls', 'Departures from Go', 'How far it was run']

/** Checks the sections of a backend's README, so that a reader of one finds his way in all. */
function checkBackend(file: string, text: string): string[] {
  if (!/^packages\/os-[\w-]+\/README\.md$/.test(file)) return []
  const found = [...text.matchAll(/^## (.+)$/gm)].map(([, title = '']) => title)
  const isInOrder = sectionsOfBackend.every((title, i) => found[i] === title)
  return isInOrder ? [] : [`${file}: the sections have to begin with ${sectionsOfBackend.join(', ')}, in this order.`]
}

/** Checks one link, and returns a sentence, or null when a reader can follow it. */
function checkLink(file: string, link: string, ownAnchors: ReadonlySet<string>, targets: Targets): string | null {
  const [target = '', anchor = ''] = link.split('#')
  if (target === '') return ownAnchors.has(anchor) ? null : noAnchor(link)
  const base = homes.find((address) => target.startsWith(address))
  if (base === undefined && /^[a-z]+:/.test(target)) return null
  const path = base === undefined ? posix.join(file, '..', target) : target.slice(base.length)
  if (!targets.has(path)) return `the target of the link '${link}' does not exist: correct the link.`
  if (base === undefined && targets.published.has(file))
    return `the link '${link}' leads nowhere on the registry's page: write ${home}${path}`
  if (anchor === '' || targets.anchors(path)?.has(anchor) !== false) return null
  return noAnchor(link)
}

function noAnchor(link: string): string {
  return `the page has no heading for the link '${link}': correct the part behind the #.`
}

/** Returns the anchors that GitHub makes of a page's headings. A heading that occurs again gets a number. */
export function anchorsOf(text: string): ReadonlySet<string> {
  const anchors = new Set<string>()
  for (const [, heading = ''] of text.replace(/^```.*?^```/gms, '').matchAll(/^#{1,6} +(.+)$/gm)) {
    const slug = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_ -]/gu, '')
      .trim()
      .replaceAll(' ', '-')
    let anchor = slug
    for (let n = 1; anchors.has(anchor); n++) anchor = `${slug}-${n}`
    anchors.add(anchor)
  }
  return anchors
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
