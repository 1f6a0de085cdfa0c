// The engine's own require() and its resolver, which Node, Bun and Deno have. auto.ts asks it where the one of the
// module system is not there, and resolve.ts asks whether a package is installed.
import type { Backend, Loaded } from './backend.js'
import { codeOf } from './errors.js'

interface Require {
  (name: string): Backend
  resolve(name: string): string
}

interface ModuleClass {
  readonly createRequire?: (from: string) => Require
}

interface Host {
  readonly process?: {
    readonly argv?: readonly string[]
    getBuiltinModule?(id: string): ModuleClass | undefined
  }
}

// oxlint-disable-next-line no-underscore-dangle -- CommonJS's name for the file, which a bundle may have
declare const __filename: unknown

/** The engine's require(), for the folder of this file or of its bundle; null: this host has none. */
function nativeRequire(): Require | null {
  const { process } = globalThis as Host
  // Bundlers see an imported createRequire, and some break it.
  const createRequire = engineClass(process?.getBuiltinModule?.('node:module'))?.createRequire
  // In a CommonJS bundle import.meta is empty.
  const url = ownURL()
  const file = typeof __filename === 'string' ? __filename : process?.argv?.[1]
  const from = url?.startsWith('file:') === true ? url : file
  return from === undefined || createRequire === undefined ? null : createRequire(from)
}

/**
 * The URL of this file or of its bundle; undefined in a CommonJS bundle. ncc and others write a value in the place of
 * exactly `import.meta.url`, and leave any other use of import.meta in a script, which then does not load.
 */
export function ownURL(): string | undefined {
  return (import.meta as { readonly url?: string }).url
}

/**
 * The engine's own class Module. A test that jest runs gets a subclass, whose require() takes no ES module before Node
 * 24.9. Other engines' classes extend nothing that has createRequire.
 */
function engineClass(given: ModuleClass | undefined): ModuleClass | undefined {
  if (given === undefined) return undefined
  const parent = Object.getPrototypeOf(given) as ModuleClass | null
  return typeof parent?.createRequire === 'function' ? parent : given
}

/** Loads a backend by the engine's require(); null: this host has none. */
export function requireNatively(name: string): Loaded | null {
  try {
    const require = nativeRequire()
    return require === null ? null : { backend: require(name) }
  } catch (error) {
    return { error }
  }
}

/** Whether the engine's resolver finds a package; null: it does not say. */
export function isInstalled(name: string): boolean | null {
  try {
    const require = nativeRequire()
    return require === null ? null : require.resolve(name) !== ''
  } catch (error) {
    return codeOf(error) === 'MODULE_NOT_FOUND' ? false : null
  }
}
