// Loads the subject that the command line names: a file, or a package's folder.
import { existsSync, readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { KernelOptions, Subject } from './subject.js'

interface Manifest {
  readonly name?: string
  readonly main?: string
  readonly exports?: unknown
  readonly memlayer?: { readonly conformance?: string }
}

/** The exports of a module that the command accepts. */
interface Loaded {
  readonly subject?: Subject
  readonly createOS?: Subject['createOS']
}

/** The command can't begin. The message tells what to do. */
export class LoadError extends Error {}

/**
 * Loads the subject at `path`. A file exports `subject`, or only `createOS`. A folder is a package: its manifest names
 * the file under `memlayer.conformance`, or else its root entry is used. `kernel` names a personality of
 * @memlayer/simkernel, which must be installed near the package.
 */
export async function loadSubject(
  path: string,
  kernel: string | undefined,
): Promise<Subject & { readonly name: string }> {
  const file = entryOf(resolve(path))
  const loaded = (await import(pathToFileURL(file).href)) as Loaded
  const subject = loaded.subject ?? (loaded.createOS === undefined ? undefined : { createOS: loaded.createOS })
  if (subject === undefined) throw new LoadError(`${file} exports neither 'subject' nor 'createOS': export one of them`)
  const name = subject.name ?? path
  return kernel === undefined
    ? { ...subject, name }
    : { ...subject, name: `${name} on ${kernel}`, kernel: await simulated(file, kernel) }
}

function entryOf(path: string): string {
  if (!existsSync(path)) throw new LoadError(`${path} does not exist: name a package's folder or a file`)
  if (!statSync(path).isDirectory()) return path
  const file = join(path, 'package.json')
  if (!existsSync(file))
    throw new LoadError(`${path} is a folder without a package.json: name a file that exports 'subject'`)
  const manifest = JSON.parse(readFileSync(file, 'utf8')) as Manifest
  const entry = join(path, manifest.memlayer?.conformance ?? rootOf(manifest.exports) ?? manifest.main ?? 'index.js')
  if (!existsSync(entry)) throw new LoadError(`${entry} does not exist: build the package first`)
  return entry
}

/** The file of the entry '.' for an import. */
function rootOf(exported: unknown): string | undefined {
  if (typeof exported === 'string') return exported
  if (typeof exported !== 'object' || exported === null) return undefined
  for (const key of ['.', 'node', 'import', 'default']) {
    const found: unknown = Reflect.get(exported, key)
    if (found !== undefined) return rootOf(found)
  }
  return undefined
}

async function simulated(from: string, name: string): Promise<NonNullable<Subject['kernel']>> {
  const path = simkernelFrom(from) ?? simkernelFrom(join(process.cwd(), 'package.json'))
  if (path === null)
    throw new LoadError(
      '--kernel needs @memlayer/simkernel beside the backend: npm install --save-dev @memlayer/simkernel',
    )
  const { simulate } = (await import(pathToFileURL(path).href)) as {
    simulate(os: string, options: KernelOptions): object
  }
  try {
    simulate(name, { seed: 1 })
  } catch (error) {
    throw new LoadError((error as Error).message, { cause: error })
  }
  return (options) => simulate(name, options)
}

function simkernelFrom(file: string): string | null {
  try {
    return createRequire(file).resolve('@memlayer/simkernel')
  } catch {
    return null
  }
}
