// Runs code in a child process, because it may crash or needs its own limits.
import { spawnSync } from 'node:child_process'

/** The outcome of a child process. */
export interface ChildEnd {
  readonly code: number | null
  /** The signal that killed it. */
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** The options for starting a child process. */
export interface ChildOptions {
  /** The folder from which its imports resolve: `import.meta.dirname` of the test. */
  readonly from: string
  /** Arguments for node, before the code. */
  readonly nodeArgs?: readonly string[]
  /** Arguments of the program: its process.argv from 1 on. */
  readonly args?: readonly string[]
  /** The path of Node. Default is this process's Node. */
  readonly node?: string
  /** A command that starts Node: `['prlimit', '--as=…']`. */
  readonly under?: readonly string[]
  readonly env?: NodeJS.ProcessEnv
  /** Kills the child after this time, in milliseconds. Default is one minute. */
  readonly timeout?: number
}

/** Runs an ES module's text in its own Node process. */
export function runChild(code: string, options: ChildOptions): ChildEnd {
  const { from, nodeArgs = [], node = process.execPath, under = [], env = process.env, timeout = 60_000 } = options
  const { args = [] } = options
  const [command = node, ...rest] = [...under, node, ...nodeArgs, '--input-type=module', '--eval', code, '--', ...args]
  const { status, signal, stdout, stderr, error } = spawnSync(command, rest, {
    cwd: from,
    env,
    encoding: 'utf8',
    timeout,
    maxBuffer: 2 ** 26,
  })
  if (error !== undefined) throw error
  return { code: status, signal, stdout, stderr }
}
