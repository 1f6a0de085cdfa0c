// Finds what this machine needs to run Windows programs: Wine, or nothing on Windows.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'

/** Wine's two programs and its version. */
export interface Wine {
  readonly wine: string
  readonly wineserver: string
  /** The root folder that its programs see. '' is the host's own. */
  readonly root: string
  /** The version that its prefixes are for: `'wine-8.0 (Debian 8.0~repack-4)'`. */
  readonly version: string
}

const remedy = 'apt-get install --no-install-recommends wine64'

/** Returns why Windows programs can't run here, with the command that installs Wine. Returns null if they can run. */
export function whyNoWindows(
  host: string = `${process.platform}-${process.arch}`,
  wine: Wine | null = findWine(),
): string | null {
  if (host.startsWith('win32')) return null
  if (host !== 'linux-x64') return 'needs Windows, or Wine on x64 Linux'
  return wine === null ? `needs Wine: ${remedy}` : null
}

let found: Wine | null | undefined

/** Finds Wine in the root folder that MEMLAYER_WINE names, in Debian's folder or on the PATH. */
export function findWine(): Wine | null {
  found ??= lookForWine()
  return found
}

function lookForWine(): Wine | null {
  // Another Wine has a root of its own, and its programs at the top of that: see tooling/later-wine.
  const root = process.env['MEMLAYER_WINE'] ?? ''
  const folders = root === '' ? ['/usr/lib/wine', ...(process.env['PATH'] ?? '').split(delimiter)] : [root]
  const wine = firstFile(folders, ['wine64', 'wine'])
  if (wine === null) return null
  const wineserver = firstFile([dirname(wine), ...folders], ['wineserver64', 'wineserver'])
  if (wineserver === null) return null
  const { status, stdout } = spawnSync(wine, ['--version'], { encoding: 'utf8' })
  return status === 0 ? { wine, wineserver, root, version: stdout.trim() } : null
}

function firstFile(folders: readonly string[], names: readonly string[]): string | null {
  for (const folder of folders) {
    for (const name of names) if (existsSync(join(folder, name))) return join(folder, name)
  }
  return null
}
