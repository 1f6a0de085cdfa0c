// Runs Node for Windows once, with a prefix, a timeout, and a disk with the workspace's packages and one folder of
// tests. At the end it ends its own processes. On Windows it runs this Node.
import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fetchBinaries } from './fetch.js'
import { findWine, whyNoWindows } from './host.js'
import { endServer, makePrefix, prefixTemplate, startServer, wineEnv } from './prefix.js'
import { builtPackages, cache } from './workspace.js'

/** The address of the workspace's packages for a file under Wine. */
export const modules: string = 'file:///M:/node_modules'

/** The options for running a file. */
export interface WindowsRunOptions {
  /** The file's folder: `import.meta.dirname`. All relative imports of the file must be inside this folder. */
  readonly folder: string
  /** Arguments for node, before the file. */
  readonly nodeArgs?: readonly string[]
  /** Arguments for the file. */
  readonly args?: readonly string[]
  /** Variables to add to the environment. */
  readonly env?: NodeJS.ProcessEnv
  /** Kills the run after this time, in milliseconds. Default is 60,000. */
  readonly timeout?: number
  /** RLIMIT_DATA of Node under Wine, in bytes: what Wine's kernel can commit. Windows ignores it. */
  readonly dataLimit?: number
  /** Wine's debug channels, which print to stderr: `'+virtual'`. By default all are off. */
  readonly wineDebug?: string
}

/** The outcome of a run. */
export interface WindowsRun {
  /** The exit code. Wine returns its lowest 8 bits. Null if the run was killed. */
  readonly code: number | null
  readonly timedOut: boolean
  readonly stdout: string
  readonly stderr: string
  /** The text that the program wrote to the file in its variable `MEMLAYER_OUTPUT`, or ''. */
  readonly output: string
}

/**
 * Runs a module of `folder` in Node for Windows. The module may be TypeScript.
 *
 * @throws Error without Windows and without Wine. Call `whyNoWindows()` before.
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
  if (wine === null) throw new Error(whyNoWindows() ?? 'needs Wine')
  const { node, koromix } = fetchBinaries()
  const template = prefixTemplate(wine)
  const disk = join(folder, 'disk')
  makeDisk(disk, options.folder, node, koromix)
  makePrefix(template, join(folder, 'prefix'), disk)

  const { nodeArgs = [], args = [], wineDebug, dataLimit } = options
  // wineboot.exe is disabled, because Node needs no services or desktop, and they would outlive it.
  // winedbg.exe is disabled, so that a crash ends the process at once.
  const env = { ...wineEnv(join(folder, 'prefix'), 'wineboot.exe,winedbg.exe=d', wineDebug), ...options.env }
  startServer(wine, env)
  try {
    const command = ['M:\\node.exe', ...nodeArgs, `M:\\test\\${file.replaceAll('/', '\\')}`, ...args]
    const childEnv = { ...env, MEMLAYER_OUTPUT: 'M:\\output' }
    const isLimited = dataLimit !== undefined
    const program = isLimited ? 'prlimit' : wine.wine
    const before = isLimited ? [`--data=${dataLimit}`, wine.wine] : []
    return await end(folder, join(disk, 'output'), options, (stdio) =>
      spawn(program, [...before, ...command], { cwd: disk, env: childEnv, stdio }),
    )
  } finally {
    endServer(wine, env)
  }
}

/**
 * Makes drive M with links to the packages. It leaves out their node_modules, because Wine shows links as folders, and
 * Node would load a package with two paths twice.
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

/** Waits for the end, or kills the child. Output goes to files, because Node for Windows can't use a pipe of Linux. */
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
