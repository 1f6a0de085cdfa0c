// Chooses one backend from a source of backends and a host, and gives the reason. host.ts calls it once per thread, for
// `memory` and for memlayer/os.
import type { OS } from '@memlayer/core'
import type { Backend, Source } from './backend.js'
import { backendFor, backends, JS, mayServe, packageOf, type Choice } from './choice.js'
import type { Environment } from './environment.js'
import { BackendError, codeOf } from './errors.js'

/** The result of a choice. */
export interface Resolved {
  readonly choice: Choice
  readonly backend: Backend
  /** The backend's memory with default options. The choice makes it to see whether the backend can be used. */
  readonly os: OS
}

/** In place of MEMLAYER_OS=js, which a pinned build refuses. */
const pinJS = 'Run or build with the export condition memlayer-os-js instead'

/** Why a backend can't be used on a host that is fine otherwise. */
interface Absence {
  readonly reason: string
  readonly hint: string
  readonly cause?: unknown
}

/** Makes the choice. @throws BackendError ERR_MEMLAYER_BACKEND when the required backend can't be used. */
export function resolve(source: Source, environment: Environment): Resolved {
  const { asked } = environment
  if (environment.isSnapshot === true) throw inSnapshot()
  const wanted = asked === undefined ? undefined : packageAsked(asked)
  const platform = environment.platform ?? 'unknown'
  if (source.kind === 'unnamed' && wanted === undefined) {
    const own = backendFor(platform)
    if (own !== null) return fallBack(source, environment, own, unnamed(own))
  }
  if (source.only !== null) return resolveOnly(source, source.only, wanted, platform)
  if (wanted !== undefined) {
    return need(
      source,
      { backend: wanted, how: 'asked', reason: `the environment variable MEMLAYER_OS is ${asked}` },
      platform,
    )
  }
  const backend = backendFor(platform)
  if (backend === null) return fallBack(source, environment, platform, noneFor(platform))
  const found = open(source, { backend, how: 'host', reason: `process.platform is ${platform}` })
  return 'os' in found ? found : fallBack(source, environment, backend, found)
}

/** Node can write neither foreign functions nor addresses into a snapshot: V8 ends the process for them. */
function inSnapshot(): BackendError {
  return new BackendError(
    'memory is used while Node builds a startup snapshot, which can hold no memory of the operating system',
    'Use it first in the program that the snapshot starts: in the function that is given to ' +
      'v8.startupSnapshot.setDeserializeMainFunction() or addDeserializeCallback().',
  )
}

function packageAsked(asked: string): string {
  if (backends.includes(asked)) return packageOf(asked)
  throw new BackendError(
    `MEMLAYER_OS is '${asked}', but no backend has that name`,
    `Set it to one of ${backends.join(', ')}, or unset it.`,
  )
}

function resolveOnly(source: Source, only: string, wanted: string | undefined, platform: string): Resolved {
  if (wanted !== undefined && wanted !== only) {
    // A build for a browser has one backend and no condition to leave out.
    const hint =
      source.kind === 'pin'
        ? 'Unset MEMLAYER_OS, or run or build without the export condition that picks the backend.'
        : 'Unset MEMLAYER_OS.'
    throw new BackendError(`MEMLAYER_OS asks for ${wanted}, but this build has only ${only}`, hint)
  }
  if (source.kind === 'pin') {
    const reason = `the export condition ${conditionOf(only)} pins it`
    return need(source, { backend: only, how: 'pin', reason }, platform)
  }
  return need(
    source,
    { backend: only, how: 'host', reason: "this build is for a host that can't load native code" },
    platform,
  )
}

/** Opens this choice or throws. */
function need(source: Source, choice: Choice, platform: string): Resolved {
  if (!mayServe(choice.backend, platform)) {
    const but = 'because its constants are those of another system'
    const hint = `${source.kind === 'pin' ? pinJS : 'Set MEMLAYER_OS=js'}, because ${JS} runs on every host.`
    throw new BackendError(
      `cannot use ${choice.backend} on the platform '${platform}', although ${choice.reason}, ${but}`,
      hint,
    )
  }
  const found = open(source, choice)
  if ('os' in found) return found
  throw new BackendError(
    `cannot use ${choice.backend}, although ${choice.reason}: ${found.reason}`,
    found.hint,
    found.cause,
  )
}

function fallBack(
  source: Source,
  { platform = 'unknown', strict, strictBy = 'MEMLAYER_STRICT', warn }: Environment,
  tried: string,
  { reason, hint, cause }: Absence,
): Resolved {
  if (strict)
    throw new BackendError(
      `this host has no backend, and ${strictBy} forbids the fallback to ${JS}: ${reason}`,
      hint,
      cause,
    )
  const why = `${reason}. ${hint}`
  const found = need(
    source,
    { backend: JS, how: 'fallback', reason: why, tried: [{ backend: tried, reason, hint }] },
    platform,
  )
  const detail =
    `A write to a view that has ended is lost without an error, and in ${JS} every view ends when the memory grows. ` +
    'Make views anew after reserve, sysAlloc, unused, fault and free. ' +
    "Call memory.require({ backend: 'native' }) or set MEMLAYER_STRICT=1 to get an error instead. " +
    `Set MEMLAYER_OS=js to use ${JS} without this warning.`
  warn(`memlayer uses ${JS}, a memory of the JavaScript engine, because ${why}`, detail)
  return found
}

/** Loads a backend and makes its memory. Returns an Absence when the host lacks something that the backend needs. */
function open(source: Source, choice: Choice): Resolved | Absence {
  const { backend: name } = choice
  const loaded = source.load(name)
  if ('error' in loaded) {
    if (isMissing(source, name, loaded.error)) return notInstalled(source, name, loaded.error)
    if (codeOf(loaded.error) === 'ERR_REQUIRE_ESM') return notRequirable(name, loaded.error)
    const without = name === JS ? '' : ', or set MEMLAYER_OS=js to run without it'
    const hint = `Install it again${without}. See the cause for its own error.`
    throw new BackendError(`${name} is installed but does not load: ${messageOf(loaded.error)}`, hint, loaded.error)
  }
  const { backend } = loaded
  try {
    return { choice, backend, os: backend.createOS() }
  } catch (error) {
    // Compare the code, because a browser could not load the package that has the error's class.
    if (codeOf(error) !== 'ERR_MEMLAYER_NO_ENGINE') throw error
    const { reason, hint } = error as { reason?: unknown; hint?: unknown }
    return {
      reason: `foreign calls are not possible on this host: ${String(reason)}`,
      hint: String(hint),
      cause: error,
    }
  }
}

/** Whether the package itself was not found. A missing package that it imports is a fault. */
function isMissing(source: Source, name: string, error: unknown): boolean {
  const code = codeOf(error)
  // Each package manager has words of its own, so the resolver is asked.
  if (code === 'MODULE_NOT_FOUND' || code === 'ERR_MODULE_NOT_FOUND') return source.isInstalled?.(name) !== true
  // A bundle that was built without the package throws an error without a code, and names the package.
  return code === undefined && new RegExp(`(['"\`])${name}\\1`).test(messageOf(error))
}

/** Every backend is an ES module, and the module system has a require() that takes none. */
function notRequirable(name: string, cause: unknown): Absence {
  const pin = conditionOf(name)
  return {
    reason: `require() takes no ES module here, and ${name} is one`,
    hint:
      `Pin it with the export condition ${pin} ` +
      `(in jest: testEnvironmentOptions.customExportConditions: ['node', 'node-addons', '${pin}']). ` +
      'Or use Node 24.9 or later, without --no-experimental-require-module.',
    cause,
  }
}

function notInstalled({ isBundled = false }: Source, name: string, cause: unknown): Absence {
  const install = `npm install ${name}. npm skips it under --omit=optional.`
  if (!isBundled) return { reason: `the package ${name} is not installed`, hint: `Install it with: ${install}`, cause }
  return {
    reason: `the package ${name} is neither in this bundle nor installed beside it`,
    hint:
      `Before you build the bundle, install it with: ${install} A bundler that follows no require() (rollup without ` +
      `@rollup/plugin-commonjs) needs the export condition ${conditionOf(name)}.`,
    cause,
  }
}

/** A bundler was not told that it builds for Node, Bun or Deno, and this is one of them. */
function unnamed(name: string): Absence {
  return {
    reason: 'this build is for a host that no export condition names',
    hint:
      `Build with the export condition ${conditionOf(name)}, or with 'node' (esbuild: platform; rollup: ` +
      'exportConditions of its node-resolve), bun or deno.',
  }
}

/** The export condition that pins a backend. */
function conditionOf(name: string): string {
  return name.replace('@memlayer/', 'memlayer-')
}

function noneFor(platform: string): Absence {
  const reason = `no backend is known for the platform '${platform}'`
  return {
    reason,
    hint: 'Make one with @memlayer/create-backend and hand it to createMemory(), or set MEMLAYER_OS=js.',
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
