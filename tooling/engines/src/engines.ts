// Where the engines are, and how each takes a module from its standard input.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** An engine, as tests name it. */
export type EngineName = 'node22' | 'node26' | 'bun' | 'deno'

/** An engine that is installed. */
export interface Engine {
  readonly name: EngineName
  /** The program. */
  readonly command: string
  /** What makes it run an ES module that stands on its standard input. */
  readonly args: readonly string[]
}

/** The part of a test's context that skips it. */
export interface SkippingContext {
  skip(note?: string): never
}

interface Place {
  readonly package: string
  readonly program: string
  readonly args: readonly string[]
}

const node = ['--input-type=module', '-']
const places: Readonly<Record<EngineName, Place>> = {
  node22: { package: 'node22', program: 'bin/node', args: node },
  node26: { package: 'node26', program: 'bin/node', args: node },
  bun: { package: '@oven/bun-linux-x64', program: 'bin/bun', args: ['run', '-'] },
  // No permission is given, and none is asked for.
  deno: { package: '@deno/linux-x64-glibc', program: 'deno', args: ['run', '--no-prompt', '--no-remote', '-'] },
}

/** Every engine that can be asked for. */
export const engineNames: readonly EngineName[] = ['node22', 'node26', 'bun', 'deno']

/** The engine, where its package was installed; `null`: this host has none. */
export function findEngine(name: EngineName): Engine | null {
  const place = places[name]
  try {
    const folder = dirname(createRequire(import.meta.url).resolve(`${place.package}/package.json`))
    const command = join(folder, place.program)
    return existsSync(command) ? { name, command, args: place.args } : null
  } catch {
    return null
  }
}

/** The engine. Without it the test is skipped, and says how to get it run; in CI it fails. */
export function requireEngine(name: EngineName, context: SkippingContext): Engine {
  const engine = findEngine(name)
  if (engine !== null) return engine
  const note = `needs ${name}, whose package is for Linux on x64 with glibc: install the workspace on such a host`
  if (process.env['CI'] === 'true') throw new Error(note)
  return context.skip(note)
}

/** Runs the text of a module, all in one, to its end; what it prints. Throws when it ends with anything but 0. */
export function runModule({ name, command, args }: Engine, text: string): string {
  const { status, signal, stdout, stderr, error } = spawnSync(command, args, {
    input: text,
    encoding: 'utf8',
    timeout: 100_000,
    maxBuffer: 2 ** 26,
    env: { ...process.env, NO_COLOR: '1', DENO_NO_UPDATE_CHECK: '1' },
  })
  if (error !== undefined) throw error
  if (status !== 0) throw new Error(`${name} ended with ${status ?? signal}: ${stderr || stdout}`)
  return stdout
}
