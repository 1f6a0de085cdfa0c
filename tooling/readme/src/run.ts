// Runs an example as an ES module in its own process. The module can import every package of the workspace by name.
import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Example } from './examples.js'
import { moduleOf } from './module.js'

/** An example does not do what its README says. The message starts with the README's path and line. */
export class ExampleError extends Error {
  override readonly name = 'ExampleError'
}

/** Runs an example to its end. @throws ExampleError if it throws, is killed, or prints other output than expected. */
export function runExample(example: Example): void {
  const root = workspaceRoot(example.file)
  // The folder is not below node_modules, because Node does not strip types there.
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'memlayer-readme-')))
  try {
    linkPackages(root, folder)
    linkDependencies(packageOf(example.file, root), folder)
    const module = join(folder, `example.${example.language === 'ts' ? 'mts' : 'mjs'}`)
    writeFileSync(module, moduleOf(example, new URL('./expectations.js', import.meta.url).href))
    const flags = process.features.typescript
      ? []
      : ['--experimental-strip-types', '--disable-warning=ExperimentalWarning']
    const { status, signal, stdout, stderr, error } = spawnSync(process.execPath, [...flags, module], {
      cwd: folder,
      encoding: 'utf8',
      timeout: 60_000,
    })
    if (error !== undefined) throw error
    const readme = relative(root, resolve(example.file))
    const said = stderr
      .replaceAll(pathToFileURL(module).href, readme)
      .replaceAll(module, readme)
      .replaceAll('README:', `${readme}:`)
    if (status !== 0)
      throw new ExampleError(`${where(said, readme, example.line)}: ${signal ?? `exit ${status}`}\n${said}`)
    if (example.output !== undefined) compare(stdout, example.output, `${readme}:${example.line}`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Returns the first README line that the child's output names, or the block's line if it names no line. */
function where(said: string, readme: string, line: number): string {
  const [, named] = new RegExp(`${literal(readme)}:(\\d+)`).exec(said) ?? []
  return `${readme}:${named ?? line}`
}

/** Compares the output with the text block. `…` in the text block matches any text within a line. */
function compare(stdout: string, output: string, at: string): void {
  const printed = stdout.trimEnd().split('\n')
  const said = output.trimEnd().split('\n')
  for (let i = 0; i < Math.max(printed.length, said.length); i++) {
    const pattern = said[i]?.split('…').map(literal).join('.*')
    if (pattern !== undefined && new RegExp(`^${pattern}$`).test(printed[i] ?? '\n')) continue
    const show = (line: string | undefined): string => (line === undefined ? 'nothing' : JSON.stringify(line))
    throw new ExampleError(
      `${at}: line ${i + 1} of the output is ${show(printed[i])}, but the text block says ${show(said[i])}`,
    )
  }
}

function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}

function workspaceRoot(file: string): string {
  for (let folder = dirname(resolve(file)); ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'pnpm-workspace.yaml'))) return folder
    if (folder === dirname(folder))
      throw new Error(`${file} is outside of a workspace: put it below a folder with pnpm-workspace.yaml`)
  }
}

/** Links every package of the workspace into node_modules. An example may import more packages than its package may. */
function linkPackages(root: string, folder: string): void {
  for (const parent of ['packages', 'tooling']) {
    for (const entry of readdirSync(join(root, parent))) {
      const manifest = join(root, parent, entry, 'package.json')
      if (!existsSync(manifest)) continue
      const { name } = JSON.parse(readFileSync(manifest, 'utf8')) as { name: string }
      const link = join(folder, 'node_modules', name)
      mkdirSync(dirname(link), { recursive: true })
      symlinkSync(dirname(manifest), link, 'junction')
    }
  }
}

/**
 * Links the peer dependencies of the README's own package, because its users install them too. A document of a private
 * package shows other people's packages as well: these are its development dependencies.
 */
function linkDependencies(packageFolder: string, folder: string): void {
  const { isPrivate, peers, development } = dependenciesOf(packageFolder)
  for (const name of [...peers, ...(isPrivate ? development : [])]) {
    const [target, link] = [join(packageFolder, 'node_modules', name), join(folder, 'node_modules', name)]
    if (!existsSync(target) || existsSync(link)) continue
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(realpathSync(target), link, 'junction')
  }
}

function dependenciesOf(packageFolder: string): { isPrivate: boolean; peers: string[]; development: string[] } {
  const manifest = join(packageFolder, 'package.json')
  if (!existsSync(manifest)) return { isPrivate: false, peers: [], development: [] }
  const {
    private: isPrivate = false,
    peerDependencies = {},
    devDependencies = {},
  } = JSON.parse(readFileSync(manifest, 'utf8')) as {
    private?: boolean
    peerDependencies?: Record<string, string>
    devDependencies?: Record<string, string>
  }
  return { isPrivate, peers: Object.keys(peerDependencies), development: Object.keys(devDependencies) }
}

/** The folder of the package that a document is in: the nearest one with a manifest. */
function packageOf(file: string, root: string): string {
  let folder = dirname(resolve(file))
  while (folder !== root && !existsSync(join(folder, 'package.json'))) folder = dirname(folder)
  return folder
}
