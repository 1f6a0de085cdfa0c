// Runs an example as what it claims to be: an ES module of its own, in a process of its own,
// which finds every package of the workspace by its name.
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

/** An example that does not do what its README says; the message opens with the README's path and line. */
export class ExampleError extends Error {
  override readonly name = 'ExampleError'
}

/** Runs an example to its end. @throws ExampleError when it throws, is killed, or prints something else than is said. */
export function runExample(example: Example): void {
  const root = workspaceRoot(example.file)
  // Not below a node_modules folder: there node strips no types.
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'memlayer-readme-')))
  try {
    linkPackages(root, folder)
    linkDependencies(dirname(resolve(example.file)), folder)
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

/** The README's line that the child's words name first; the block's, where they name none. */
function where(said: string, readme: string, line: number): string {
  const [, named] = new RegExp(`${literal(readme)}:(\\d+)`).exec(said) ?? []
  return `${readme}:${named ?? line}`
}

/** `…` in what the README says stands for anything within a line. */
function compare(stdout: string, output: string, at: string): void {
  const printed = stdout.trimEnd().split('\n')
  const said = output.trimEnd().split('\n')
  for (let i = 0; i < Math.max(printed.length, said.length); i++) {
    const pattern = said[i]?.split('…').map(literal).join('.*')
    if (pattern !== undefined && new RegExp(`^${pattern}$`).test(printed[i] ?? '\n')) continue
    const show = (line: string | undefined): string => (line === undefined ? 'nothing' : JSON.stringify(line))
    throw new ExampleError(
      `${at}: line ${i + 1} of the output is ${show(printed[i])}, and the text block says ${show(said[i])}`,
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
      throw new Error(`${file} is in no workspace: no pnpm-workspace.yaml stands above it`)
  }
}

/** A node_modules folder with every package of the workspace: an example may import what its package must not. */
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

/** The peer dependencies of the README's own package, which its reader installs too. */
function linkDependencies(packageFolder: string, folder: string): void {
  const manifest = join(packageFolder, 'package.json')
  if (!existsSync(manifest)) return
  const { peerDependencies = {} } = JSON.parse(readFileSync(manifest, 'utf8')) as {
    peerDependencies?: Record<string, string>
  }
  for (const name of Object.keys(peerDependencies)) {
    const [target, link] = [join(packageFolder, 'node_modules', name), join(folder, 'node_modules', name)]
    if (!existsSync(target) || existsSync(link)) continue
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(realpathSync(target), link, 'junction')
  }
}
