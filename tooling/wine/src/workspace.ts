// The workspace: where it is, which packages it has, and the cache folder.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root: string = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))))

/** Prefixes, Windows binaries and runs. They go with node_modules and are made again when they are missing. */
export const cache: string = join(root, 'node_modules', '.cache', 'memlayer-wine')

/** The folders of the packages that are built, by name. */
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

/** The version that the workspace's catalog pins for a package. */
export function pinnedVersion(name: string): string {
  const catalog = readFileSync(join(root, 'pnpm-workspace.yaml'), 'utf8')
  const version = new RegExp(`^\\s+['"]?${name}['"]?:\\s+(\\S+)$`, 'm').exec(catalog)?.[1]
  if (version === undefined) throw new Error(`pnpm-workspace.yaml does not pin ${name}: add it to a catalog there`)
  return version
}

/**
 * The folder `name` of the cache. `make` fills a folder of another name, which gets its name when it is
 * complete. When two processes make it at once, the first one's folder stays.
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
