// The laboratory: every published package packed once, a registry that has them, and empty folders that
// npm installs them into. Everything lies in one folder for temporary files, and goes with it.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pack } from '@memlayer/checks/tarball'
import { publicPackages, readWorkspace } from '@memlayer/checks/workspace'
import { runWell } from './command.js'
import { serveRegistry } from './registry.js'

/** Folders with what users have. */
export interface Lab extends AsyncDisposable {
  /** An empty folder. */
  folder(name: string): string
  /** A folder in which `npm install <packages>` was run, and nothing else. `args` are further arguments for npm. */
  install(name: string, packages: readonly string[], args?: readonly string[]): Promise<string>
  /** Runs npm in a folder that has a package of its own; what it printed. */
  npm(folder: string, args: readonly string[]): Promise<string>
}

/** Packs the workspace's packages as they are built now. */
export async function openLab(): Promise<Lab> {
  const workspace = readWorkspace()
  const tarballs = publicPackages(workspace).map((pkg) => pack(join(workspace.root, pkg.folder)))
  const registry = await serveRegistry(tarballs)
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'memlayer-matrix-')))
  const lab: Lab = {
    folder(name) {
      const folder = join(root, name)
      mkdirSync(folder, { recursive: true })
      return folder
    },
    async install(name, packages, args = []) {
      const folder = lab.folder(name)
      writeFileSync(join(folder, 'package.json'), JSON.stringify({ name, private: true, type: 'module' }))
      // What is not ours comes from where this machine gets its packages, so the one without a scope is named by its address.
      const asked = packages.map((one) => (one === 'memlayer' ? registry.tarballOf(one) : one))
      await lab.npm(folder, ['install', ...asked, ...args])
      return folder
    },
    async npm(folder, args) {
      const ours = `--@memlayer:registry=${registry.url}`
      const quiet = ['--no-audit', '--no-fund', '--no-update-notifier', '--prefer-offline', '--loglevel=error']
      // First, because what stands behind '--' is not npm's.
      return runWell(npm, [ours, ...quiet, ...args], { cwd: folder })
    },
    async [Symbol.asyncDispose](): Promise<void> {
      await registry[Symbol.asyncDispose]()
      rmSync(root, { recursive: true, force: true })
    },
  }
  return lab
}

const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
