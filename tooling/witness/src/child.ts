// Children: whatever may kill a process, or needs limits of its own, runs in one.
import { spawnSync } from 'node:child_process'

/** How a child ended. */
export interface ChildEnd {
  readonly code: number | null
  /** The signal that killed it. */
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** How a child is started. */
export interface ChildOptions {
  /** The folder that its imports are resolved from: `import.meta.dirname` of the test. */
  readonly from: string
  /** Arguments for node, before the code. */
  readonly nodeArgs?: readonly string[]
  /** The node to run; default: this one. */
  readonly node?: string
  /** A command that runs node: `['prlimit', '--as=…']`. */
  readonly under?: readonly string[]
  readonly env?: NodeJS.ProcessEnv
  /** Milliseconds after which it is ended. Default a minute. */
  readonly timeout?: number
}

/** Runs an ES module's text in a node of its own. */
export function runChild(code: string, options: ChildOptions): ChildEnd {
  const { from, nodeArgs = [], node = process.execPath, under = [], env = process.env, timeout = 60_000 } = options
  const [command, ...args] = [...under, node, ...nodeArgs, '--input-type=module', '--eval', code]
  const { status, signal, stdout, stderr, error } = spawnSync(command, args, {
    cwd: from,
    env,
    encoding: 'utf8',
    timeout,
    maxBuffer: 2 ** 26,
  })
  if (error !== undefined) throw error
  return { code: status, signal, stdout, stderr }
}
