// What no file and no commit message may hold: a path of somebody's machine, or an address of a
// registry that others cannot reach. plain-text.test.ts runs it over all that git would commit.
import { execFileSync } from 'node:child_process'
import { homedir } from 'node:os'
import { dirname } from 'node:path'
import { readText, type Workspace } from './workspace.js'

/** A rule: what must not be there, and what to do about it. */
interface Rule {
  readonly pattern: RegExp
  readonly sentence: (found: string) => string
}

// In parts: this file is read by its own check, and by others that know no exception.
const publicRegistry = ['registry', 'npmjs', 'org'].join('.')
// Folders where people's homes and build machines' checkouts are. What a program may rightly name
// (/proc, /sys, /dev, /usr, /etc) is not among them.
const places = ['home/[\\w.-]+', 'Users/[\\w.-]+', 'root', 'work', 'workspaces?', 'builds?', 'tmp/[\\w.-]+/[\\w.-]+']
const atStart = String.raw`(?<![\w.$\/}*)-])(?:file:\/\/)?`

const rules: readonly Rule[] = [
  {
    pattern: new RegExp(`${atStart}/(?:${places.join('|')})(?=[/\\s'"\`)\\]:,;]|$)`, 'g'),
    sentence: (found) => `'${found}' is a path of one machine: make it relative, or take it from the environment.`,
  },
  {
    pattern: /\b[A-Z]:\\+(?:Users|work|actions-runner)\\+/g,
    sentence: (found) => `'${found}' is a path of one machine: make it relative, or take it from the environment.`,
  },
  {
    // pnpm writes a tarball's address only where it can't be derived from the public registry's.
    pattern: /\btarball:\s*['"]?(?:https?|file):\S+/g,
    sentence: () => `a lockfile names a tarball's address: install from ${publicRegistry} and commit that lockfile.`,
  },
  {
    pattern: /(?:\bregistry\s*[=:]\s*|--registry[ =])['"]?https?:\/\/(?!registry\.npmjs\.org\b)[^\s'"]+/gi,
    sentence: (found) => `'${found}' is not a registry that everybody reaches: leave it to each user's own .npmrc.`,
  },
  {
    pattern: /\bhttps?:\/\/(?!registry\.npmjs\.org\/)[^\s'"`<>]+\/-\/[^\s'"`<>]+\.tgz/g,
    sentence: (found) =>
      `'${found}' is a tarball of a registry that is not the public one: name the package and its version.`,
  },
]

/** Sentences about one text; `here` are the folders and hosts of this machine. */
export function checkText(name: string, text: string, here: readonly string[] = []): string[] {
  const findings: string[] = []
  for (const [index, line] of text.split('\n').entries()) {
    const at = `${name}:${index + 1}: `
    for (const { pattern, sentence } of rules) {
      for (const [found] of line.matchAll(pattern)) findings.push(at + sentence(found))
    }
    for (const machine of here) {
      if (line.includes(machine))
        findings.push(`${at}'${machine}' is a name of the machine that this runs on: take it out.`)
    }
  }
  return findings
}

/** Sentences about every text file that git would commit. */
export function checkTexts(workspace: Workspace): string[] {
  const here = machineNames(workspace.root)
  return workspace.files.flatMap((file) => {
    const text = readText(workspace.root, file)
    return text.includes('\0') ? [] : checkText(file, text, here)
  })
}

/** Sentences about every commit message that this checkout knows. */
export function checkHistory(workspace: Workspace): string[] {
  const log = execFileSync('git', ['log', '--format=%x00%h%x01%B'], {
    cwd: workspace.root,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  })
  const here = machineNames(workspace.root)
  return log.split('\0').flatMap((entry) => {
    const [hash = '', message = ''] = entry.split('\x01')
    return checkText(`commit ${hash}`, message, here)
  })
}

/** The checkout's folder, the one above, the home of who runs this, and the registry that is set here. */
function machineNames(root: string): string[] {
  const folders = [root, dirname(root), homedir()].filter((folder) => folder.split(/[\\/]/).filter(Boolean).length > 1)
  const registry = URL.parse(process.env['npm_config_registry'] ?? '')?.hostname
  return [...folders, ...(registry === undefined || registry === publicRegistry ? [] : [registry])]
}
