// Finds the workspace and its packages, and keeps a cache for files that are made once.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root: string = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))))

/** The cache of prefixes, Windows binaries and runs. It is in node_modules. Missing files are made again. */
export const cache: string = join(root, 'node_modules', '.cache', 'memlayer-wine')

/** Returns the folders of the built packages, by name. */
export function builtPackages(): Map<string, string> {
  const packages = new Map<string, string>()
  for (const parent of ['packages', 'tooling']) {
    for (const name of readdirSync(join(root, parent))) {
      const folder = join(root, parent, name)
      if (!existsSync(join(folder, 'dist')) || !existsSync(join(folder, 'package.json'))) continue
      const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { name: string }
      packages.set(manifest.name, folder)
    }
  }
  return packages
}

/** Returns the version that the workspace's catalog pins for a package. */
export function pinnedVersion(name: string): string {
  const catalog = readFileSync(join(root, 'pnpm-workspace.yaml'), 'utf8')
  const version = new RegExp(`^\\s+"?${name}"?:\\s+(\\S+)$`, 'm').exec(catalog)?.[1]
  if (version === undefined) throw new Error(`pnpm-workspace.yaml has no version of ${name}: add it to the catalog`)
  return version
}

/**
 * Returns the folder `name` of the cache. `make` first makes it under another name, so that a folder with this name is
 * always complete. If two processes make it at once, the first one wins.
 */
export function once(name: string, make: (folder: string) => void): string {
  const folder = join(cache, name)
  if (existsSync(folder)) return folder
  const draft = join(cache, `${name}.${process.pid}`)
  mkdirSync(draft, { recursive: true })
  try {
    make(draft)
    renameSync(draft, folder)
  } catch (error) {
    if (!existsSync(folder)) throw error
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
  return folder
}
