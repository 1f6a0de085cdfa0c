// Lists what an install has added: the packages, their bytes, and the scripts that a package manager would run.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** An installed package. */
export interface Installed {
  readonly name: string
  /** The bytes of its files, without the packages in its node_modules. */
  readonly bytes: number
  /** The names of scripts that run at an install. A binding.gyp counts too, because npm builds it. */
  readonly installScripts: readonly string[]
}

const scripts = ['preinstall', 'install', 'postinstall', 'prepare']

/** Returns every package in a folder's node_modules, sorted by name. */
export function installedIn(folder: string): Installed[] {
  const modules = join(folder, 'node_modules')
  if (!existsSync(modules)) return []
  const names = readdirSync(modules)
    .filter((name) => !name.startsWith('.'))
    .flatMap((name) =>
      name.startsWith('@') ? readdirSync(join(modules, name)).map((inner) => `${name}/${inner}`) : [name],
    )
  return names
    .flatMap((name) => [describe(name, join(modules, name)), ...installedIn(join(modules, name))])
    .toSorted(byName)
}

/** Formats bytes for a table of sizes: `123 kB`. */
export function kilobytes(bytes: number): string {
  return `${Math.ceil(bytes / 1000)} kB`
}

function describe(name: string, folder: string): Installed {
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    scripts?: Record<string, string>
  }
  const own = scripts.filter((script) => manifest.scripts?.[script] !== undefined)
  const installScripts = existsSync(join(folder, 'binding.gyp')) ? [...own, 'binding.gyp'] : own
  return { name, bytes: bytesOf(folder), installScripts }
}

function bytesOf(folder: string): number {
  let bytes = 0
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) bytes += entry.name === 'node_modules' ? 0 : bytesOf(path)
    else bytes += statSync(path).size
  }
  return bytes
}

function byName(a: Installed, b: Installed): number {
  return a.name < b.name ? -1 : 1
}
