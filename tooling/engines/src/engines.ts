// Finds the engines, and knows how each of them reads a module from its standard input.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** The name of an engine in tests. */
export type EngineName = 'node22' | 'node26' | 'bun' | 'deno'

/** An installed engine. */
export interface Engine {
  readonly name: EngineName
  /** The path of the program. */
  readonly command: string
  /** Arguments that make it run an ES module from its standard input. */
  readonly args: readonly string[]
}

/** The part of a test's context that skips the test. */
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
  // Deno gets no permissions and does not prompt for them.
  deno: { package: '@deno/linux-x64-glibc', program: 'deno', args: ['run', '--no-prompt', '--no-remote', '-'] },
}

/** The names of all engines. */
export const engineNames: readonly EngineName[] = ['node22', 'node26', 'bun', 'deno']

/** Returns the engine, or `null` if its package is not installed on this host. */
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

/** Returns the engine. Without it, it skips the test and says how to install it, or fails the test in CI. */
export function requireEngine(name: EngineName, context: SkippingContext): Engine {
  const engine = findEngine(name)
  if (engine !== null) return engine
  const note = `needs ${name}, whose package is only for Linux on x64 with glibc: install the workspace on such a host`
  if (process.env['CI'] === 'true') throw new Error(note)
  return context.skip(note)
}

/** Runs the text of one bundled module to its end, and returns its output. @throws Error if the exit code is not 0. */
export function runModule({ name, command, args }: Engine, text: string): string {
  const { status, signal, stdout, stderr, error } = spawnSync(command, args, {
    input: text,
    encoding: 'utf8',
    timeout: 100_000,
    maxBuffer: 2 ** 26,
    env: { ...process.env, NO_COLOR: '1', DENO_NO_UPDATE_CHECK: '1' },
  })
  if (error !== undefined) throw error
  if (status !== 0) throw new Error(`${name} ran a module and ended with ${status ?? signal}: ${stderr || stdout}`)
  return stdout
}
