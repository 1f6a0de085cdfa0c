// What the choice looks at on a host: its platform, two environment variables, and where a warning goes.
// Nothing of it is there in a browser.

/** A host, as far as the choice asks. */
export interface Environment {
  /** Node's process.platform; `undefined`: this is no Node, Bun or Deno. */
  readonly platform: string | undefined
  /** MEMLAYER_OS: a backend, by its package's name after `os-`. */
  readonly asked: string | undefined
  /** MEMLAYER_STRICT: a fallback is an error. */
  readonly strict: boolean
  /** Says once that os-js serves in place of the host's own backend. */
  warn(message: string, detail: string): void
}

interface Process {
  readonly platform?: string
  readonly env?: Readonly<Record<string, string | undefined>>
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

/** This host. */
export function environment(): Environment {
  return {
    platform: host.process?.platform,
    asked: variable('MEMLAYER_OS'),
    strict: variable('MEMLAYER_STRICT') !== undefined,
    warn,
  }
}

/** An environment variable that says something: neither empty nor 0. */
function variable(name: string): string | undefined {
  // Deno would ask a person at the terminal, or throw: where it may not be read, it says nothing.
  const state = host.Deno?.permissions?.querySync?.({ name: 'env', variable: name }).state
  if (state !== undefined && state !== 'granted') return undefined
  const value = host.process?.env?.[name]
  return value === '' || value === '0' ? undefined : value
}

function warn(message: string, detail: string): void {
  if (host.process?.emitWarning === undefined) host.console?.warn(`${message}\n${detail}`)
  else host.process.emitWarning(message, { type: 'MemlayerWarning', code: 'MEMLAYER_FALLBACK', detail })
}
