// A root folder with Debian trixie's Wine 10, and two programs at its top that run in it. @memlayer/wine finds them.
import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Apt, unpack } from '@memlayer/kernels/debian'
import { once, root as workspace } from '@memlayer/kernels/workspace'

const programs = ['wine64', 'wineserver64'] as const
const libraries = 'usr/lib/x86_64-linux-gnu/wine/x86_64-windows'

/** Returns the root folder, and makes it once. @throws DownloadError if apt can't fetch the packages. */
export function wineRoot(): string {
  const folder = once('wine10', (draft) => {
    console.log('Setting up, once: apt fetches Wine 10 from Debian trixie (300 MB).')
    const apt = join(draft, 'apt')
    mkdirSync(apt)
    unpack(new Apt(apt, 'amd64', 'trixie').fetchWhole(['wine64', 'libz-mingw-w64']), draft)
    copyFileSync(join(draft, 'usr/x86_64-w64-mingw32/lib/zlib1.dll'), join(draft, libraries, 'zlib1.dll'))
  })
  // The programs name the folder, which has its name only now.
  for (const name of programs) {
    writeFileSync(join(folder, name), script(folder, name))
    chmodSync(join(folder, name), 0o755)
  }
  return folder
}

/** Runs a program in the root, with this host's processes and devices, and the workspace where it is. */
function script(root: string, program: string): string {
  const shown = ['/proc', '/dev', '/tmp', workspace]
  for (const path of shown) mkdirSync(join(root, path), { recursive: true })
  const mounts = shown.map((path) => `mount --rbind '${path}' '${join(root, path)}'`)
  const user = process.getuid?.() === 0 ? '' : ' --map-root-user'
  return `#!/bin/sh
# Written by @memlayer/later-wine. A mount of its own ends with the program.
export WINESERVER=/usr/lib/wine/wineserver64
exec unshare --mount${user} sh -ec '
${mounts.map((line) => line.replaceAll("'", "'\\''")).join('\n')}
exec unshare --root='\\''${root}'\\'' --wd="$PWD" /usr/lib/wine/${program} "$@"
' sh "$@"
`
}
