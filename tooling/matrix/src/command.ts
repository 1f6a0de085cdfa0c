// Runs programs in child processes. This process does not block meanwhile, because it serves the registry for npm.
import { spawn } from 'node:child_process'
import { delimiter, dirname } from 'node:path'

/** A program's exit code or signal, and its output. */
export interface End {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** The options for starting a program. */
export interface RunOptions {
  readonly cwd: string
  readonly env?: Readonly<Record<string, string>>
  /** Kills the program after this time, in milliseconds. Default is two minutes. */
  readonly timeout?: number
}

// npm runs on the first node in PATH, and skips optional packages that need a newer Node. So this Node comes first.
const path = [dirname(process.execPath), process.env['PATH']].join(delimiter)

/** Runs a program and waits for its end. */
export async function run(
  command: string,
  args: readonly string[],
  { cwd, env = {}, timeout = 120_000 }: RunOptions,
): Promise<End> {
  const child = spawn(command, args, {
    cwd,
    timeout,
    // Node starts a .cmd file only with a shell.
    shell: command.endsWith('.cmd'),
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PATH: path, NO_COLOR: '1', FORCE_COLOR: '0', DENO_NO_UPDATE_CHECK: '1', ...env },
  })
  const said = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => (said[stream] += text))
  }
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) =>
    child.on('error', reject).on('close', (...end) => resolve(end)),
  )
  return { code, signal, ...said }
}

/** Runs a program and returns its output. @throws Error if the exit code is not 0. */
export async function runWell(command: string, args: readonly string[], options: RunOptions): Promise<string> {
  const { code, signal, stdout, stderr } = await run(command, args, options)
  if (code === 0) return stdout
  throw new Error(`${[command, ...args].join(' ')} ended with ${code ?? signal}:\n${stderr}${stdout}`)
}
