// Starts a child that makes the layer's calls, where a filter of system calls may end a process for them. Children have
// the filter of their parent. system-calls.ts asks.
import { ownURL } from './native-require.js'
import type { TrialStep } from './trial-steps.js'

/** How the child ended. */
export interface Trial {
  /** Whether a child could be started, and either came to its end or was ended by the filter. */
  readonly isKnown: boolean
  /** Where the filter ended it; null: it came to its end. */
  readonly endedAt: TrialStep | null
}

interface Child {
  readonly signal: string | null
  readonly stdout: string
}

interface Host {
  readonly process?: {
    readonly execPath: string
    readonly execArgv: readonly string[]
    readonly env: Readonly<Record<string, string | undefined>>
    getBuiltinModule?(name: string): unknown
  }
  readonly Deno?: unknown
}

interface Processes {
  spawnSync(command: string, args: readonly string[], options: object): Child
}

interface Urls {
  fileURLToPath(url: string): string
}

const millisecondsMax = 20_000

/** Runs the child, with these variables beside those of this process. */
export function tryInChild(variables: Readonly<Record<string, string>>): Trial {
  const { process, Deno: deno } = globalThis as Host
  const processes = process?.getBuiltinModule?.('node:child_process') as Processes | undefined
  const urls = process?.getBuiltinModule?.('node:url') as Urls | undefined
  const url = ownURL()
  if (process === undefined || processes === undefined || urls === undefined || url === undefined) return unknown
  try {
    const file = urls.fileURLToPath(`${url.slice(0, url.lastIndexOf('/'))}/trial-child.js`)
    // Deno names its own permissions nowhere. The child has no use for others than these.
    const flags = deno === undefined ? process.execArgv : ['run', '--no-prompt', '--allow-all']
    const { signal, stdout } = processes.spawnSync(process.execPath, [...flags, file], {
      encoding: 'utf8',
      env: { ...process.env, ...variables },
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: millisecondsMax,
    })
    const last = stdout.trim().split('\n').at(-1) ?? ''
    if (last === 'end') return { isKnown: true, endedAt: null }
    return signal === 'SIGSYS' ? { isKnown: true, endedAt: (last === '' ? 'start' : last) as TrialStep } : unknown
  } catch {
    // The permission model of a runtime forbids it.
    return unknown
  }
}

const unknown: Trial = { isKnown: false, endedAt: null }
