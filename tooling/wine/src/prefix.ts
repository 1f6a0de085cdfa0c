// A Wine prefix is the registry and drive C of a Windows 10. Wine itself makes one as a template, once. Each run has
// its own prefix over the template's drive, and its own server. So runs share nothing with each other or with the
// user's Wine.
import { spawnSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import type { Wine } from './host.js'
import { once } from './workspace.js'

// Debian's Wine copies the libraries of this folder, 700 MB, into every prefix.
const LIBRARIES = '/usr/lib/x86_64-linux-gnu/wine/x86_64-windows'

/** What winecfg answers when all is made, and no 32-bit program can be started. */
const NO_32_BIT = 53

/** The environment for the programs of one prefix. */
export type WineEnv = NodeJS.ProcessEnv & { readonly WINEPREFIX: string }

/** Returns the template's folder, and makes the template once. */
export function prefixTemplate(wine: Wine): string {
  return once(`prefix-${wine.version.replaceAll(/[^\w.]+/g, '-')}`, (folder) => {
    console.log(`Setting up, once: ${wine.version} makes a Windows 10 (10 seconds).`)
    const env = wineEnv(folder, 'mscoree,mshtml,winemenubuilder.exe=d')
    startServer(wine, env)
    const { status, stderr } = spawnSync(wine.wine, ['winecfg', '-v', 'win10'], {
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
      encoding: 'utf8',
      timeout: 120_000,
    })
    endServer(wine, env)
    // Wine 10's looks for a 32-bit program at its end, which is in a package of its own.
    const isMade = status === 0 || (wine.root !== '' && status === NO_32_BIT)
    if (!isMade || !existsSync(join(folder, 'system.reg')))
      throw new Error(`winecfg failed to make the prefix ${folder}, code ${status}: ${stderr}`)
    const drive = join(folder, 'drive_c')
    linkLibraries(wine, drive)
    // Debian's Wine 10 has it in another package, which knows no prefix.
    const zlib = join(wine.root, LIBRARIES, 'zlib1.dll')
    const place = join(drive, 'windows', 'system32', 'zlib1.dll')
    if (existsSync(zlib) && !existsSync(place)) copyFileSync(zlib, place)
  })
}

/** Makes a prefix over the template's drive C. `disk` is its drive M. */
export function makePrefix(template: string, folder: string, disk: string): void {
  mkdirSync(join(folder, 'dosdevices'), { recursive: true })
  symlinkSync(join(template, 'drive_c'), join(folder, 'dosdevices', 'c:'))
  symlinkSync(disk, join(folder, 'dosdevices', 'm:'))
  symlinkSync('/', join(folder, 'dosdevices', 'z:'))
  for (const name of readdirSync(template)) {
    if (name.endsWith('.reg') || name === '.update-timestamp') copyFileSync(join(template, name), join(folder, name))
  }
}

/** Returns the environment of a program in `prefix`. `overrides` lists the disabled programs and libraries. */
export function wineEnv(prefix: string, overrides: string, debug = '-all'): WineEnv {
  const { NODE_OPTIONS: _, NODE_V8_COVERAGE: __, DISPLAY: ___, ...env } = process.env
  return { ...env, WINEPREFIX: prefix, WINEDEBUG: debug, WINEDLLOVERRIDES: overrides }
}

/** Starts the prefix's server and waits for it. It ends two seconds after its last client, or on `endServer`. */
export function startServer(wine: Wine, env: WineEnv): void {
  const { status } = spawnSync(wine.wineserver, ['-p2'], { env, stdio: 'ignore', timeout: 10_000 })
  if (status !== 0)
    throw new Error(`the server of the prefix failed to start: ${wine.wineserver} -p2 ended with code ${status}`)
}

/** Ends the prefix's server. This ends all programs that still run in the prefix, and no others. */
export function endServer(wine: Wine, env: WineEnv): void {
  spawnSync(wine.wineserver, ['-k'], { env, stdio: 'ignore', timeout: 10_000 })
  // Debian's server leaves its socket's folder behind. This file contains the folder's name.
  const note = join(env.WINEPREFIX, 'wineserver')
  const name = existsSync(note) ? readFileSync(note, 'latin1') : ''
  if (/^wine-\w+$/.test(name)) rmSync(join('/tmp', name), { recursive: true, force: true })
}

/** Replaces the libraries that Wine has copied by links. */
function linkLibraries({ root }: Wine, drive: string): void {
  const originals = join(root, LIBRARIES)
  if (!existsSync(originals)) return
  const known = new Set(readdirSync(originals))
  for (const copy of filesIn(drive)) {
    const original = join(originals, basename(copy))
    if (!known.has(basename(copy)) || statSync(copy).size !== statSync(original).size) continue
    if (!readFileSync(copy).equals(readFileSync(original))) continue
    unlinkSync(copy)
    // As its programs see it.
    symlinkSync(join(LIBRARIES, basename(copy)), copy)
  }
}

/** Yields all files in a folder. It does not follow links, because the user's folders on drive C link to their home. */
function* filesIn(folder: string): Generator<string, void> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) yield* filesIn(path)
    else if (entry.isFile()) yield path
  }
}
