// Where the workspace is, and the folder for what is made once.
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The workspace's folder. */
export const root: string = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))))

/** Where kernels, packages and images are kept: gone with node_modules, made anew when missed. */
export const cache: string = join(root, 'node_modules', '.cache', 'memlayer-kernels')

/** The version that the workspace's catalog pins for a package. */
export function pinnedVersion(name: string): string {
  const catalog = readFileSync(join(root, 'pnpm-workspace.yaml'), 'utf8')
  const version = new RegExp(`^\\s+"?${name}"?:\\s+(\\S+)$`, 'm').exec(catalog)?.[1]
  if (version === undefined) throw new Error(`pnpm-workspace.yaml pins no ${name}`)
  return version
}

/** The folder `name` of the cache, made by `make` under another name first: what has its name is whole. */
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
