// The workspace's folder, the versions that it pins, and the cache for what is made once.
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The workspace's folder. */
export const root: string = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))))

/** The folder for kernels, packages and images. It can be removed at any time: the next run makes it again. */
export const cache: string = join(root, 'node_modules', '.cache', 'memlayer-kernels')

/** The version that the workspace's catalog pins for a package. */
export function pinnedVersion(name: string): string {
  const catalog = readFileSync(join(root, 'pnpm-workspace.yaml'), 'utf8')
  const version = new RegExp(`^\\s+(["']?)${name}\\1:\\s+(\\S+)$`, 'm').exec(catalog)?.[2]
  if (version === undefined) throw new Error(`pnpm-workspace.yaml pins no ${name}: add it to a catalog`)
  return version
}

/**
 * The folder `name` of the cache. If it is not there, `make` fills another folder, which then gets the name: a
 * folder with the name is complete.
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
    // Another process may have made it in the meantime.
    if (!existsSync(folder)) throw error
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
  return folder
}
