// Writes a package from the files of template/common and of the kind's own folder, and replaces the names in them.
// A template is a package for a system with the name my-os, and can be read as it is.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { kinds, type Kind } from './kinds.js'
import { namesOf, NameError, type Names } from './names.js'

/** The package to write. */
export interface CreateOptions {
  /** The package's name, with or without a scope: `'@acme/os-foo'`. */
  readonly name: string
  /** The kind of memory calls that its system has. */
  readonly kind: Kind
  /** The folder that will contain the package's folder. */
  readonly into: string
}

/** The written package. */
export interface Created {
  /** The package's folder. */
  readonly folder: string
  /** Its files, relative to the folder, in order. */
  readonly files: readonly string[]
}

const home = join(import.meta.dirname, '..')

// npm would not publish a .gitignore, and would take a package.json for a part of this package.
const renamed: Readonly<Record<string, string>> = { _gitignore: '.gitignore', '_package.json': 'package.json' }

/**
 * Writes the package.
 *
 * @throws NameError when the name can't be used, or when its folder exists and is not empty. Then no file is written.
 */
export function createBackend({ name, kind, into }: CreateOptions): Created {
  const names = namesOf(name)
  const folder = join(into, names.folder)
  if (existsSync(folder) && readdirSync(folder).length > 0) {
    throw new NameError(`the folder ${folder} exists and is not empty: use another name, or move the folder away`)
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

/** Replaces the template's names, the longest first, because one is a part of another. */
function named(text: string, names: Names): string {
  return text
    .replaceAll('memlayer-my-os', names.package)
    .replaceAll('my-os', names.system)
    .replaceAll('MyOs', names.className)
}

/** Adds dependencies. Their versions come from this package's own manifest, which a release has resolved. */
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
