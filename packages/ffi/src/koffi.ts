// koffi, by its platform package: `koffi` itself has an install script, which pnpm refuses
// to run; the package for one os and cpu is the same addon without it.
import { createRequire } from 'node:module'
import type { Address } from '@memlayer/kernel'
import { NoEngineError, type CType, type Engine, type ForeignFunction } from './engine.js'

interface Koffi {
  load(path: string | null): { func(name: string, result: string, params: string[]): ForeignFunction }
  view(addr: Address, length: number): ArrayBuffer
}

// Pointers as whole numbers: koffi then takes and returns plain numbers and makes no objects.
const koffiTypes: Readonly<Record<CType, string>> = {
  int: 'int',
  address: 'intptr_t',
  size: 'size_t',
  offset: 'intptr_t',
}

/** Loads koffi's addon for this host. @throws NoEngineError when it is missing or forbidden. */
export function koffiEngine(): Engine {
  const koffi = requireKoffi()
  const libraries = new Map<string | null, ReturnType<Koffi['load']>>()
  return {
    name: 'koffi',
    func(library: string | null, name: string, result: CType, params: readonly CType[]): ForeignFunction {
      let loaded = libraries.get(library)
      if (loaded === undefined) libraries.set(library, (loaded = koffi.load(library)))
      return loaded.func(name, koffiTypes[result], params.map((param) => koffiTypes[param]))
    },
    view: (addr: Address, length: number): ArrayBuffer => koffi.view(addr, length),
  }
}

function requireKoffi(): Koffi {
  const name = `@koromix/koffi-${process.platform}-${process.arch}`
  try {
    return createRequire(import.meta.url)(name) as Koffi
  } catch (error) {
    throw explain(name, error)
  }
}

function explain(name: string, error: unknown): NoEngineError {
  const code = (error as { code?: unknown }).code
  if (code === 'ERR_DLOPEN_DISABLED') {
    const flag = process.execArgv.includes('--no-addons')
      ? 'Start node without --no-addons.'
      : 'Start node with --allow-addons beside --permission, or without --no-addons.'
    return new NoEngineError('native addons are switched off', flag, error)
  }
  if (code === 'ERR_ACCESS_DENIED') {
    return new NoEngineError(
      `the permission model keeps ${name} from being read`,
      'Start node with --allow-addons and --allow-fs-read for node_modules, or without --permission.',
      error,
    )
  }
  if (code === 'MODULE_NOT_FOUND') {
    return new NoEngineError(
      `the package ${name} is not installed`,
      `Install it with: npm install ${name} (optional dependencies are left out by --omit=optional)`,
      error,
    )
  }
  return new NoEngineError(`the package ${name} does not load`, 'Its message is the cause of this error.', error)
}
