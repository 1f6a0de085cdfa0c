// The choice: from a source of backends and a host to one backend and the reason for it. host.ts makes it
// once a thread, for `memory` and for memlayer/os.
import type { OS } from '@memlayer/core'
import type { Backend, Source } from './backend.js'
import { backendFor, backends, JS, mayServe, packageOf, type Choice } from './choice.js'
import type { Environment } from './environment.js'
import { BackendError } from './errors.js'

/** A choice that was made. */
export interface Resolved {
  readonly choice: Choice
  readonly backend: Backend
  /** The backend's memory with its defaults, as it was made to see whether it can be had. */
  readonly os: OS
}

/** Why a backend can't be had on a host that is sound otherwise. */
interface Absence {
  readonly reason: string
  readonly hint: string
  readonly cause?: unknown
}

/** @throws BackendError ERR_MEMLAYER_BACKEND when the one that has to serve can't be had. */
export function resolve(source: Source, environment: Environment): Resolved {
  const { asked } = environment
  const wanted = asked === undefined ? undefined : packageAsked(asked)
  const platform = environment.platform ?? 'unknown'
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

function packageAsked(asked: string): string {
  if (backends.includes(asked)) return packageOf(asked)
  throw new BackendError(
    `MEMLAYER_OS is '${asked}', and there is no such backend`,
    `Set it to one of ${backends.join(', ')}, or leave it out.`,
  )
}

function resolveOnly(source: Source, only: string, wanted: string | undefined, platform: string): Resolved {
  if (wanted !== undefined && wanted !== only) {
    const hint = 'Leave the variable out, or run or build without the export condition that picks it.'
    throw new BackendError(`MEMLAYER_OS asks for ${wanted}, and this build has ${only} alone`, hint)
  }
  if (source.kind === 'pin') {
    const condition = only.replace('@memlayer/', 'memlayer-')
    return need(source, { backend: only, how: 'pin', reason: `the export condition ${condition} pins it` }, platform)
  }
  return need(
    source,
    { backend: only, how: 'host', reason: 'this build is for a host where nothing native can be loaded' },
    platform,
  )
}

/** This choice, or an error. */
function need(source: Source, choice: Choice, platform: string): Resolved {
  if (!mayServe(choice.backend, platform)) {
    const hint = `Its numbers mean something else to this kernel. ${JS} serves everywhere: MEMLAYER_OS=js, or the export condition memlayer-os-js.`
    throw new BackendError(`${choice.backend} is not for the platform '${platform}', and ${choice.reason}`, hint)
  }
  const found = open(source, choice)
  if ('os' in found) return found
  throw new BackendError(
    `${choice.backend} can't be had, and ${choice.reason}: ${found.reason}`,
    found.hint,
    found.cause,
  )
}

function fallBack(
  source: Source,
  { platform = 'unknown', strict, warn }: Environment,
  tried: string,
  { reason, hint, cause }: Absence,
): Resolved {
  if (strict)
    throw new BackendError(
      `there is no backend for this host, and MEMLAYER_STRICT forbids another: ${reason}`,
      hint,
      cause,
    )
  const why = `${reason}. ${hint}`
  const found = need(
    source,
    { backend: JS, how: 'fallback', reason: why, tried: [{ backend: tried, reason, hint }] },
    platform,
  )
  const detail = `Set MEMLAYER_STRICT=1 to have an error in its place, or MEMLAYER_OS=js to have ${JS} without this warning.`
  warn(`memlayer runs on ${JS}, in a memory of the JavaScript engine, in place of this host's own: ${why}`, detail)
  return found
}

/** Loads a backend and makes its memory; what stands in the way, where that is no fault of theirs. */
function open(source: Source, choice: Choice): Resolved | Absence {
  const { backend: name } = choice
  const loaded = source.load(name)
  if ('error' in loaded) {
    if (isMissing(name, loaded.error)) return notInstalled(name, loaded.error)
    const hint = 'Its own error is the cause of this one. Install it anew, or set MEMLAYER_OS=js to go on without it.'
    throw new BackendError(`${name} is installed and does not load: ${messageOf(loaded.error)}`, hint, loaded.error)
  }
  const { backend } = loaded
  try {
    return { choice, backend, os: backend.createOS() }
  } catch (error) {
    // By its code: the package that has the class is none that a browser could load.
    const { code, reason, hint } = error as { code?: unknown; reason?: unknown; hint?: unknown }
    if (code !== 'ERR_MEMLAYER_NO_ENGINE') throw error
    return { reason: `no foreign calls on this host: ${String(reason)}`, hint: String(hint), cause: error }
  }
}

/** Whether the package itself is what was not found; what it imports in turn may be missing too, and that is a fault. */
function isMissing(name: string, error: unknown): boolean {
  const { code } = (error ?? {}) as { code?: unknown }
  // A bundle that was made where the package was not installed has no code to give.
  const isCode = code === 'MODULE_NOT_FOUND' || code === 'ERR_MODULE_NOT_FOUND' || code === undefined
  return isCode && new RegExp(`(['"\`])${name}\\1`).test(messageOf(error))
}

function notInstalled(name: string, cause: unknown): Absence {
  const reason = `the package ${name} is not installed`
  const hint = `Install it with: npm install ${name} (--omit=optional leaves it out). A bundle has what was installed where it was made.`
  return { reason, hint, cause }
}

function noneFor(platform: string): Absence {
  const reason = `no backend is known for the platform '${platform}'`
  return { reason, hint: 'Write one, with @memlayer/os-linux as the model, and hand it to createMemory().' }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
