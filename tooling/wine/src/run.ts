// One run of Node for Windows: a disk with the workspace's packages and one folder of tests, a
// prefix, a bounded time, and its own processes ended. On Windows itself: this very Node.
import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fetchBinaries } from './fetch.js'
import { findWine, whyNoWindows } from './host.js'
import { endServer, makePrefix, prefixTemplate, startServer, wineEnv } from './prefix.js'
import { builtPackages, cache } from './workspace.js'

/** Where a file that runs under Wine finds the workspace's packages. */
export const modules: string = 'file:///M:/node_modules'

/** How a file is run. */
export interface WindowsRunOptions {
  /** The folder that the file is in, whole: what it imports by a relative path has to be inside. `import.meta.dirname`. */
  readonly folder: string
  /** Arguments for node, before the file. */
  readonly nodeArgs?: readonly string[]
  /** Arguments for the file. */
  readonly args?: readonly string[]
  /** Added to the environment. */
  readonly env?: NodeJS.ProcessEnv
  /** Milliseconds until it is ended. Default 60,000. */
  readonly timeout?: number
  /** Wine's debug channels, which go to stderr: `'+virtual'`. Default: none. */
  readonly wineDebug?: string
}

/** How a run ended. */
export interface WindowsRun {
  /** The exit code, of which Wine hands on the lowest 8 bits; null: it was ended. */
  readonly code: number | null
  readonly timedOut: boolean
  readonly stdout: string
  readonly stderr: string
  /** What the file wrote to `MEMLAYER_OUTPUT`, a path in its environment; empty: nothing. */
  readonly output: string
}

/**
 * Runs a module of `folder` in Node for Windows, TypeScript as it stands.
 *
 * @throws Error where neither Windows nor Wine is to be had: ask `whyNoWindows()` first.
 */
export async function runOnWindows(file: string, options: WindowsRunOptions): Promise<WindowsRun> {
  const missing = whyNoWindows()
  if (missing !== null) throw new Error(missing)
  mkdirSync(join(cache, 'runs'), { recursive: true })
  const folder = mkdtempSync(join(cache, 'runs', `${process.pid}-`))
  try {
    return process.platform === 'win32' ? await runHere(file, folder, options) : await runInWine(file, folder, options)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function runHere(file: string, folder: string, options: WindowsRunOptions): Promise<WindowsRun> {
  const { nodeArgs = [], args = [], env } = options
  const output = join(folder, 'output')
  const command = [...nodeArgs, join(options.folder, file), ...args]
  return end(folder, output, options, (stdio) =>
    spawn(process.execPath, command, { stdio, env: { ...process.env, ...env, MEMLAYER_OUTPUT: output } }),
  )
}

async function runInWine(file: string, folder: string, options: WindowsRunOptions): Promise<WindowsRun> {
  const wine = findWine()
  if (wine === null) throw new Error(whyNoWindows() ?? 'no Wine')
  const { node, koromix } = fetchBinaries()
  const template = prefixTemplate(wine)
  const disk = join(folder, 'disk')
  makeDisk(disk, options.folder, node, koromix)
  makePrefix(template, join(folder, 'prefix'), disk)

  const { nodeArgs = [], args = [], wineDebug } = options
  // No services and no desktop: Node needs none, and they would outlive it. No debugger: a crash ends at once.
  const env = { ...wineEnv(join(folder, 'prefix'), 'wineboot.exe,winedbg.exe=d', wineDebug), ...options.env }
  startServer(wine, env)
  try {
    const command = ['M:\\node.exe', ...nodeArgs, `M:\\test\\${file.replaceAll('/', '\\')}`, ...args]
    const childEnv = { ...env, MEMLAYER_OUTPUT: 'M:\\output' }
    return await end(folder, join(disk, 'output'), options, (stdio) =>
      spawn(wine.wine, command, { cwd: disk, env: childEnv, stdio }),
    )
  } finally {
    endServer(wine, env)
  }
}

/**
 * Drive M. Packages are linked without their own node_modules: Wine shows links as folders, and a package that
 * is found by two paths would be loaded twice.
 */
function makeDisk(disk: string, test: string, node: string, koromix: string): void {
  for (const [name, folder] of builtPackages()) {
    const place = join(disk, 'node_modules', name)
    mkdirSync(place, { recursive: true })
    symlinkSync(join(folder, 'package.json'), join(place, 'package.json'))
    symlinkSync(join(folder, 'dist'), join(place, 'dist'))
  }
  symlinkSync(koromix, join(disk, 'node_modules', '@koromix'))
  symlinkSync(node, join(disk, 'node.exe'))
  symlinkSync(test, join(disk, 'test'))
}

type Stdio = ['ignore', number, number]

/** Waits for the end, or makes it. Output goes to files: a pipe of this side is no handle that Node for Windows can use. */
async function end(
  folder: string,
  output: string,
  { timeout = 60_000 }: WindowsRunOptions,
  start: (stdio: Stdio) => ChildProcess,
): Promise<WindowsRun> {
  const out = openSync(join(folder, 'stdout'), 'w')
  const err = openSync(join(folder, 'stderr'), 'w')
  let timedOut = false
  let code: number | null
  try {
    const child = start(['ignore', out, err])
    const timer = setTimeout(() => {
      timedOut = true
      child.kill('SIGKILL')
    }, timeout)
    code = await new Promise((resolve, reject) => {
      child.once('exit', resolve)
      child.once('error', reject)
    })
    clearTimeout(timer)
  } finally {
    closeSync(out)
    closeSync(err)
  }
  const read = (path: string): string => {
    try {
      return readFileSync(path, 'utf8').replaceAll('\r\n', '\n')
    } catch {
      return ''
    }
  }
  return {
    code,
    timedOut,
    stdout: read(join(folder, 'stdout')),
    stderr: read(join(folder, 'stderr')),
    output: read(output),
  }
}
