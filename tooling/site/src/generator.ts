// Installs VitePress, once, into a folder that only the site uses, and runs it. No other command waits for it.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'

/** The registry could not be reached, or does not have what the lockfile names. */
export class DownloadError extends Error {
  override readonly name = 'DownloadError'
}

const manifests = ['package.json', 'package-lock.json'] as const

/** Installs what the lockfile in `from` names into `folder`, unless it is there. @throws DownloadError */
export function install(from: string, folder: string): void {
  const stamp = join(folder, '.installed')
  const lock = createHash('sha256')
    .update(readFileSync(join(from, 'package-lock.json')))
    .digest('hex')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return
  console.log('Setting up, once: npm installs VitePress from the npm registry (100 MB).')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  for (const name of manifests) copyFileSync(join(from, name), join(folder, name))
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
  const { status, stdout, stderr, error } = spawnSync(
    npm,
    ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--no-update-notifier', '--loglevel=error'],
    { cwd: folder, encoding: 'utf8', shell: npm.endsWith('.cmd') },
  )
  if (status !== 0) throw new DownloadError(`npm could not install VitePress: ${error?.message ?? stdout + stderr}`)
  writeFileSync(stamp, lock)
}

/** Builds the pages below `folder/pages`. @throws Error with what VitePress said */
export function runVitePress(folder: string): void {
  const program = join(folder, 'node_modules', 'vitepress', 'bin', 'vitepress.js')
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, 'build', 'pages'], {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
    env: {
      ...process.env,
      NODE_ENV: 'production',
      PATH: [dirname(process.execPath), process.env['PATH']].join(delimiter),
    },
  })
  if (status !== 0) throw new Error(`VitePress ended with ${status}:\n${stdout}${stderr}`)
}
