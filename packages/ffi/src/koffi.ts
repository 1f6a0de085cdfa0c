// koffi, by its platform package. `koffi` itself has an install script, which pnpm refuses to run. The package for
// one os and cpu is the same addon without the script.
import { realpathSync } from 'node:fs'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { byteLengthOf, type Address } from '@memlayer/kernel'
import { NoEngineError, type CType, type Engine, type ForeignFunction } from './engine.js'

/** A C function that returns its first argument. */
type Same = (bytes: Uint8Array, byte: number, length: number) => Address
type Copy = (target: Address | Uint8Array, source: Address | Uint8Array, length: number) => void

interface Koffi {
  load(path: string | null): {
    func(name: string, result: string, params: string[]): ForeignFunction
    func(name: 'memcpy', result: 'void', params: string[]): Copy
    func(name: 'memset', result: 'intptr_t', params: string[]): Same
  }
  alloc(type: string, length: number): object
  view(addr: Address | object, length: number): ArrayBuffer
}

/** The hosts that koffi is built for, as `platform-arch`: this package's optional dependencies. */
export const koffiBuilds: readonly string[] = [
  'darwin-arm64',
  'darwin-x64',
  'freebsd-arm64',
  'freebsd-ia32',
  'freebsd-x64',
  'linux-arm',
  'linux-arm64',
  'linux-ia32',
  'linux-loong64',
  'linux-ppc64',
  'linux-riscv64',
  'linux-x64',
  'openbsd-ia32',
  'openbsd-x64',
  'win32-arm64',
  'win32-ia32',
  'win32-x64',
]

// Pointers are declared as whole numbers. koffi then takes and returns plain numbers and makes no objects.
const koffiTypes: Readonly<Record<CType, string>> = {
  int: 'int',
  address: 'intptr_t',
  size: 'size_t',
  offset: 'int64_t',
}

/**
 * Loads koffi's addon for this host.
 *
 * @throws NoEngineError when it is missing or forbidden, or when this JavaScript engine allows no views.
 */
export function koffiEngine(): Engine {
  const koffi = requireKoffi(`${process.platform}-${process.arch}`)
  expectViews(koffi)
  const libraries = new Map<string | null, ReturnType<Koffi['load']>>()
  let copyOut: Copy | undefined
  let copyIn: Copy | undefined
  let same: Same | undefined
  // On Windows the process itself has no libc.
  const libc = (): ReturnType<Koffi['load']> => koffi.load(process.platform === 'win32' ? 'ntdll.dll' : null)
  const memcpy = (params: string[]): Copy => libc().func('memcpy', 'void', params)
  return {
    name: 'koffi',
    func(library: string | null, name: string, result: CType, params: readonly CType[]): ForeignFunction {
      expectPlainObjects(name)
      let loaded = libraries.get(library)
      if (loaded === undefined) libraries.set(library, (loaded = koffi.load(library)))
      return loaded.func(
        name,
        koffiTypes[result],
        params.map((param) => koffiTypes[param]),
      )
    },
    // From Node 24 on, a thread ends with an abort where a buffer of an addon was marked with markAsUntransferable and
    // is still there. A buffer that its bytes were moved to is not one of those.
    view: (addr: Address, length: number): ArrayBuffer => moved(koffi.view(addr, length)),
    // memset of 0 bytes writes nothing, and returns the pointer that koffi made of the view.
    addressOf(buffer: ArrayBufferLike): Address {
      same ??= libc().func('memset', 'intptr_t', ['void *', 'int', 'size_t'])
      return same(new Uint8Array(buffer, 0, 1), 0, 0)
    },
    // Declared at first use, because few programs copy. Copies also work in an engine that forbids views
    // (Electron's).
    read(addr: Address, target: Uint8Array): void {
      copyOut ??= memcpy(['void *', 'intptr_t', 'size_t'])
      copyOut(target, addr, byteLengthOf(target))
    },
    write(addr: Address, source: Uint8Array): void {
      copyIn ??= memcpy(['intptr_t', 'void *', 'size_t'])
      copyIn(addr, source, byteLengthOf(source))
    },
  }
}

/**
 * Makes one view. Electron, and engines with a memory cage, refuse every ArrayBuffer over memory of others. Found here,
 * it is the reason for another engine or backend, and not an error of the first use.
 */
function expectViews(koffi: Koffi): void {
  try {
    // Four bytes a thread, which stay: the collector takes the view at some later time.
    koffi.view(koffi.alloc('int', 1), 4)
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error)
    throw new NoEngineError(
      `this JavaScript engine allows koffi no view of memory: ${said}`,
      'Electron and engines with a memory cage allow none. Do this work in a child process that runs Node.',
      error,
    )
  }
}

/** The properties that koffi sets on the objects that it makes for a function. */
const propertiesOfFunctions = ['name', 'type', 'result', 'arguments', 'async'] as const

/** koffi aborts the process where a setter of Object.prototype throws under it. So no setter may be there. */
function expectPlainObjects(name: string): void {
  for (const property of propertiesOfFunctions) {
    const found = Object.getOwnPropertyDescriptor(Object.prototype, property)
    if (found === undefined || !Object.hasOwn(found, 'set')) continue
    throw new NoEngineError(
      `Object.prototype has an accessor '${property}', under which koffi can't declare ${name}`,
      `Delete Object.prototype.${property}, or define it after the first call of each kind.`,
    )
  }
}

const { transfer } = ArrayBuffer.prototype

/** The bytes of a buffer, in a buffer of the engine's own. Old engines can't move them. */
function moved(buffer: ArrayBuffer): ArrayBuffer {
  return (transfer as unknown) === undefined ? buffer : transfer.call(buffer)
}

function requireKoffi(host: string): Koffi {
  if (!koffiBuilds.includes(host)) {
    throw new NoEngineError(`koffi has no build for ${host} (there is no package @koromix/koffi-${host})`, '')
  }
  const name = `@koromix/koffi-${host}`
  // Taken from the process, because webpack breaks a createRequire that it sees imported.
  const { createRequire } = process.getBuiltinModule('node:module')
  let missing: unknown
  let broken: { what: string; error: unknown } | undefined
  for (const place of places()) {
    // A bundle has no packages. Its maker puts the addon beside it.
    for (const what of [name, join(dirname(place), 'koffi.node')]) {
      try {
        return createRequire(place)(what) as Koffi
      } catch (error) {
        if (codeOf(error) === 'MODULE_NOT_FOUND') missing ??= error
        else broken ??= { what, error }
      }
    }
  }
  throw broken === undefined ? explain(name, missing) : explain(broken.what, broken.error)
}

/**
 * The path of this code, of the program that it may be bundled into, and of an executable that holds its program.
 *
 * In a CommonJS bundle import.meta is empty, and `__filename` is the bundle. Some bundlers write the path of the build
 * machine into either. A program that another one loads (`node -r`, a Lambda runtime) is not argv[1], and argv[1] may
 * be a symbolic link.
 */
function places(): readonly string[] {
  const url = import.meta.url as string | undefined
  const found = [
    url?.startsWith('file:') === true ? fileURLToPath(url) : undefined,
    typeof __filename === 'string' && isAbsolute(__filename) ? __filename : undefined,
    ...started(),
    process.getBuiltinModule('node:sea').isSea() ? process.execPath : undefined,
  ]
  return [...new Set(found.filter((path) => path !== undefined))]
}

/** The program that was started, by the path that was given and by its real path. */
function started(): string[] {
  const given = resolve(process.argv[1] ?? '.')
  try {
    return [given, realpathSync(given)]
  } catch {
    // The permission model may forbid reading it, or the program is not a file.
    return [given]
  }
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown } | null)?.code
}

function explain(name: string, error: unknown): NoEngineError {
  const code = codeOf(error)
  if (code === 'ERR_DLOPEN_DISABLED') {
    const flag = process.execArgv.includes('--no-addons')
      ? 'Start node without --no-addons.'
      : 'Start node with --allow-addons together with --permission, or without --no-addons.'
    return new NoEngineError(`native addons are switched off, and ${name} is a native addon`, flag, error)
  }
  if (code === 'ERR_ACCESS_DENIED') {
    return new NoEngineError(
      `the permission model forbids reading ${name}`,
      'Start node with --allow-addons and --allow-fs-read for node_modules, or without --permission.',
      error,
    )
  }
  if (code === 'MODULE_NOT_FOUND') {
    return new NoEngineError(
      `the package ${name} is not installed`,
      `Install it with npm install ${name}, without --omit=optional. Or put its koffi.node beside the bundle.`,
      error,
    )
  }
  const message = error instanceof Error ? error.message : String(error)
  return new NoEngineError(
    `${name} is installed but does not load: ${message}`,
    'Install it again, for this system and processor.',
    error,
  )
}
