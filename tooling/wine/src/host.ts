// Finds what this machine needs to run Windows programs: Wine, or nothing on Windows.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'

/** Wine's two programs and its version. */
export interface Wine {
  readonly wine: string
  readonly wineserver: string
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

/** Finds Wine in Debian's folder or on the PATH. */
export function findWine(): Wine | null {
  found ??= lookForWine()
  return found
}

function lookForWine(): Wine | null {
  const folders = ['/usr/lib/wine', ...(process.env['PATH'] ?? '').split(delimiter)]
  const wine = firstFile(folders, ['wine64', 'wine'])
  if (wine === null) return null
  const wineserver = firstFile([dirname(wine), ...folders], ['wineserver64', 'wineserver'])
  if (wineserver === null) return null
  const { status, stdout } = spawnSync(wine, ['--version'], { encoding: 'utf8' })
  return status === 0 ? { wine, wineserver, version: stdout.trim() } : null
}

function firstFile(folders: readonly string[], names: readonly string[]): string | null {
  for (const folder of folders) {
    for (const name of names) if (existsSync(join(folder, name))) return join(folder, name)
  }
  return null
}
