// Finds text that files and commit messages may not contain: a path of one machine, the address of a registry that
// others cannot reach, or the marks of a conflict. plain-text.test.ts checks every file that git would commit.
import { execFileSync } from 'node:child_process'
import { homedir } from 'node:os'
import { dirname } from 'node:path'
import { readText, type Workspace } from './workspace.js'

/** A rule: a forbidden pattern, and a sentence that says what to do. */
interface Rule {
  readonly pattern: RegExp
  readonly sentence: (found: string) => string
}

// The name is in parts, because this check and others also read this file.
const publicRegistry = ['registry', 'npmjs', 'org'].join('.')
// These folders contain people's homes and the checkouts of build machines. Programs may name
// /proc, /sys, /dev, /usr and /etc, so these are not in the list.
const places = ['home/[\\w.-]+', 'Users/[\\w.-]+', 'root', 'work', 'workspaces?', 'builds?', 'tmp/[\\w.-]+/[\\w.-]+']
const atStart = String.raw`(?<![\w.$\/}*)-])(?:file:\/\/)?`

const rules: readonly Rule[] = [
  {
    pattern: /^(?:<{7}|>{7}) \S+/g,
    sentence: () => 'this is the mark of a conflict: decide it, and remove the marks.',
  },
  {
    pattern: new RegExp(`${atStart}/(?:${places.join('|')})(?=[/\\s'"\`)\\]:,;]|$)`, 'g'),
    sentence: (found) => `'${found}' is a path of one machine: make it relative, or take it from the environment.`,
  },
  {
    pattern: /\b[A-Z]:\\+(?:Users|work|actions-runner)\\+/g,
    sentence: (found) => `'${found}' is a path of one machine: make it relative, or take it from the environment.`,
  },
  {
    // pnpm writes a tarball's address only if the public registry's address does not give it.
    pattern: /\btarball:\s*['"]?(?:https?|file):\S+/g,
    sentence: () => `a lockfile contains a tarball's address: install from ${publicRegistry} and commit that lockfile.`,
  },
  {
    pattern: /(?:\bregistry\s*[=:]\s*|--registry[ =])['"]?https?:\/\/(?!registry\.npmjs\.org\b)[^\s'"]+/gi,
    sentence: (found) => `'${found}' is a registry that others can't reach: leave it to each user's own .npmrc.`,
  },
  {
    pattern: /\bhttps?:\/\/(?!registry\.npmjs\.org\/)[^\s'"`<>]+\/-\/[^\s'"`<>]+\.tgz/g,
    sentence: (found) =>
      `'${found}' is a tarball of a registry other than the public one: name the package and its version.`,
  },
]

/** Checks one text, and returns a sentence for each finding. `here` lists the folders and hosts of this machine. */
export function checkText(name: string, text: string, here: readonly string[] = []): string[] {
  const findings: string[] = []
  for (const [index, line] of text.split('\n').entries()) {
    const at = `${name}:${index + 1}: `
    for (const { pattern, sentence } of rules) {
      for (const [found] of line.matchAll(pattern)) findings.push(at + sentence(found))
    }
    for (const machine of here) {
      if (line.includes(machine)) findings.push(`${at}'${machine}' is a name of this machine: remove it.`)
    }
  }
  return findings
}

/** Checks every text file that git would commit. */
export function checkTexts(workspace: Workspace): string[] {
  const here = machineNames(workspace.root)
  return workspace.files.flatMap((file) => {
    const text = readText(workspace.root, file)
    return text.includes('\0') ? [] : checkText(file, text, here)
  })
}

/** Checks every commit message in this checkout's history. */
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

/** Returns the checkout's folder, its parent, the user's home, and the host of the configured registry. */
function machineNames(root: string): string[] {
  const folders = [root, dirname(root), homedir()].filter((folder) => folder.split(/[\\/]/).filter(Boolean).length > 1)
  const registry = URL.parse(process.env['npm_config_registry'] ?? '')?.hostname
  return [...folders, ...(registry === undefined || registry === publicRegistry ? [] : [registry])]
}
