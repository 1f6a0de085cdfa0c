// Writes a package: the files of template/common and of the kind's own folder, with the names put in their
// places. A template is a package for a system called my-os, and can be read as it stands.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { kinds, type Kind } from './kinds.js'
import { namesOf, NameError, type Names } from './names.js'

/** What is to be written. */
export interface CreateOptions {
  /** The package's name, with a scope or without: `'@acme/os-foo'`. */
  readonly name: string
  /** What its system has for memory. */
  readonly kind: Kind
  /** The folder in which the package's folder is made. */
  readonly into: string
}

/** What was written. */
export interface Created {
  /** The package's folder. */
  readonly folder: string
  /** Its files, from there, in order. */
  readonly files: readonly string[]
}

const home = join(import.meta.dirname, '..')

// Under their own names, npm would leave the one out of the package, and take the other for a part of this one.
const renamed: Readonly<Record<string, string>> = { _gitignore: '.gitignore', '_package.json': 'package.json' }

/**
 * Writes the package.
 *
 * @throws NameError for a name that can't be used, or a folder in its place that is not empty; nothing was written.
 */
export function createBackend({ name, kind, into }: CreateOptions): Created {
  const names = namesOf(name)
  const folder = join(into, names.folder)
  if (existsSync(folder) && readdirSync(folder).length > 0) {
    throw new NameError(`${folder} is there already, and not empty: take another name, or move it away`)
  }
  const facts = kinds[kind]
  const files = new Map<string, string>()
  for (const part of ['common', facts.folder]) {
    for (const file of filesIn(join(home, 'template', part))) {
      files.set(renamed[file] ?? file, readFileSync(join(home, 'template', part, file), 'utf8'))
    }
  }
  const manifest = files.get('package.json') ?? '{}'
  files.set('package.json', withDependencies(manifest, facts.dependencies, facts.devDependencies))
  for (const [file, text] of files) {
    const path = join(folder, file)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, named(text, names))
  }
  return { folder, files: [...files.keys()].toSorted() }
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(folder.length + 1)
        .replaceAll('\\', '/'),
    )
}

/** The template's names, the longest first, since one is a part of another. */
function named(text: string, names: Names): string {
  return text
    .replaceAll('memlayer-my-os', names.package)
    .replaceAll('my-os', names.system)
    .replaceAll('MyOs', names.className)
}

/** Versions are those of this package's own manifest, which a release has resolved. */
function withDependencies(text: string, dependencies: readonly string[], devDependencies: readonly string[]): string {
  const own = (
    JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as { devDependencies: Record<string, string> }
  ).devDependencies
  const ranges = (names: readonly string[]): Record<string, string> =>
    Object.fromEntries(names.toSorted().map((name) => [name, own[name] ?? '*']))
  const tools = ['@memlayer/conformance', '@changesets/cli', '@microsoft/api-extractor', 'typescript', 'vitest']
  const manifest = {
    ...(JSON.parse(text) as object),
    dependencies: ranges(['@memlayer/core', '@memlayer/kernel', ...dependencies]),
    devDependencies: ranges([...tools, ...devDependencies]),
  }
  return `${JSON.stringify(manifest, null, 2)}\n`
}
