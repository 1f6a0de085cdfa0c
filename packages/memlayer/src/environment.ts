// The facts about a host that the choice needs: its platform and its environment variables. It also prints the
// warning. A browser has none of these.

/** The facts about a host that the choice needs. */
export interface Environment {
  /** Node's process.platform; `undefined`: this runtime is not Node, Bun or Deno. */
  readonly platform: string | undefined
  /** MEMLAYER_OS: the requested backend, as its package's name after `os-`. */
  readonly asked: string | undefined
  /** MEMLAYER_LIMIT: what `memory.limit` is set to. */
  readonly limit?: string | undefined
  /** Whether a fallback is an error. */
  readonly strict: boolean
  /** What makes it one. Absent: the environment variable MEMLAYER_STRICT. */
  readonly strictBy?: string
  /** Whether Node builds a startup snapshot now. Absent: no. */
  readonly isSnapshot?: boolean
  /** Warns once that os-js replaces the host's own backend. */
  warn(message: string, detail: string): void
}

interface Process {
  readonly platform?: string
  readonly env?: Readonly<Record<string, string | undefined>>
  getBuiltinModule?(name: 'node:v8'): { readonly startupSnapshot?: { isBuildingSnapshot?(): unknown } } | undefined
  emitWarning?(message: string, options: { type: string; code: string; detail: string }): void
}

interface Host {
  readonly process?: Process
  readonly Deno?: {
    readonly permissions?: { querySync?(name: { name: 'env'; variable: string }): { readonly state: string } }
  }
  readonly console?: { warn(text: string): void }
}

const host = globalThis as Host

/** Reads the facts about this host. */
export function environment(): Environment {
  return {
    platform: host.process?.platform,
    asked: variable('MEMLAYER_OS'),
    limit: variable('MEMLAYER_LIMIT'),
    strict: variable('MEMLAYER_STRICT') !== undefined,
    // It answers 1.
    isSnapshot: Boolean(host.process?.getBuiltinModule?.('node:v8')?.startupSnapshot?.isBuildingSnapshot?.()),
    warn,
  }
}

/** Whether MEMLAYER_NO_BATCH is set. @memlayer/ffi reads it, and then does not call process_madvise. */
export function noBatch(): boolean {
  return variable('MEMLAYER_NO_BATCH') !== undefined
}

/** The value of an environment variable; `undefined` when it is unset, empty or 0. */
function variable(name: string): string | undefined {
  // Without permission, Deno would ask the user at the terminal or throw. Then treat the variable as unset.
  const state = host.Deno?.permissions?.querySync?.({ name: 'env', variable: name }).state
  if (state !== undefined && state !== 'granted') return undefined
  const value = host.process?.env?.[name]
  return value === '' || value === '0' ? undefined : value
}

function warn(message: string, detail: string): void {
  if (host.process?.emitWarning === undefined) host.console?.warn(`${message}\n${detail}`)
  else host.process.emitWarning(message, { type: 'MemlayerWarning', code: 'MEMLAYER_FALLBACK', detail })
}
