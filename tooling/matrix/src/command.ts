// Programs in processes of their own, while this one goes on: it serves the registry that npm asks.
import { spawn } from 'node:child_process'
import { delimiter, dirname } from 'node:path'

/** How a program ended, and what it said. */
export interface End {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** How a program is started. */
export interface RunOptions {
  readonly cwd: string
  readonly env?: Readonly<Record<string, string>>
  /** Milliseconds after which it is ended. Default two minutes. */
  readonly timeout?: number
}

// npm is a script for whichever node comes first, and leaves optional packages out that ask for a newer one.
const path = [dirname(process.execPath), process.env['PATH']].join(delimiter)

/** Runs a program to its end. */
export async function run(
  command: string,
  args: readonly string[],
  { cwd, env = {}, timeout = 120_000 }: RunOptions,
): Promise<End> {
  const child = spawn(command, args, {
    cwd,
    timeout,
    // Node starts a .cmd file by a shell only.
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

/** The same, for a program that has to end well; what it printed. */
export async function runWell(command: string, args: readonly string[], options: RunOptions): Promise<string> {
  const { code, signal, stdout, stderr } = await run(command, args, options)
  if (code === 0) return stdout
  throw new Error(`${[command, ...args].join(' ')} ended with ${code ?? signal}:\n${stderr}${stdout}`)
}
