// The laboratory packs every published package once, serves them from a registry, and lets npm install them into
// empty folders. All of its files are in one temporary folder, which it removes at the end.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packAll } from '@memlayer/checks/tarball'
import { readWorkspace } from '@memlayer/checks/workspace'
import { runWell } from './command.js'
import { serveRegistry } from './registry.js'

/** Makes folders with installed packages, like those of users. */
export interface Lab extends AsyncDisposable {
  /** The registry that serves the workspace's packages: `http://127.0.0.1:…/`. */
  readonly registry: string
  /** The address of a package's archive there. */
  tarballOf(name: string): string
  /** Makes an empty folder and returns its path. */
  folder(name: string): string
  /** Runs `npm install <packages>` in a new folder and returns its path. `args` are further arguments for npm. */
  install(name: string, packages: readonly string[], args?: readonly string[]): Promise<string>
  /** Runs npm in a folder with its own package.json, and returns its output. */
  npm(folder: string, args: readonly string[]): Promise<string>
}

/** Packs the workspace's packages as they are built now, and opens a laboratory. */
export async function openLab(): Promise<Lab> {
  const tarballs = packAll(readWorkspace())
  const registry = await serveRegistry(tarballs)
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'memlayer-matrix-')))
  const lab: Lab = {
    registry: registry.url,
    tarballOf: (name) => registry.tarballOf(name),
    folder(name) {
      const folder = join(root, name)
      mkdirSync(folder, { recursive: true })
      return folder
    },
    async install(name, packages, args = []) {
      const folder = lab.folder(name)
      writeFileSync(join(folder, 'package.json'), JSON.stringify({ name, private: true, type: 'module' }))
      // Other packages come from this machine's usual registry. `memlayer` has no scope that could name a registry,
      // so npm gets the address of its tarball.
      const asked = packages.map((one) => (one === 'memlayer' ? registry.tarballOf(one) : one))
      await lab.npm(folder, ['install', ...asked, ...args])
      return folder
    },
    async npm(folder, args) {
      const ours = `--@memlayer:registry=${registry.url}`
      const quiet = ['--no-audit', '--no-fund', '--no-update-notifier', '--prefer-offline', '--loglevel=error']
      // npm keeps what it has run by `npm create`, and would run an earlier build of the same version.
      const own = args[0] === 'create' ? [`--cache=${join(root, 'npm-cache')}`] : []
      // These options come first, because npm does not read options behind '--'.
      return runWell(npm, [ours, ...quiet, ...own, ...args], { cwd: folder })
    },
    async [Symbol.asyncDispose](): Promise<void> {
      await registry[Symbol.asyncDispose]()
      rmSync(root, { recursive: true, force: true })
    },
  }
  return lab
}

const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
