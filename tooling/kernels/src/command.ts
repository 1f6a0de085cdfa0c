// Commands of the host, heard only when they fail.
import { spawnSync } from 'node:child_process'

/** How a command is run. */
export interface CommandOptions {
  readonly cwd?: string
  readonly input?: string
}

/** What the command wrote to stdout. @throws Error with the command's own words when it fails, or takes ten minutes. */
export function command(program: string, args: readonly string[], options: CommandOptions = {}): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    ...options,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    timeout: 600_000,
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C.UTF-8' },
  })
  if (status === 0) return stdout
  throw new Error(`${program} ${args.join(' ')}: ${error?.message ?? `code ${status}`}\n${stderr ?? ''}`)
}

/** Whether the host has a command. */
export function hasCommand(name: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${name}`], { stdio: 'ignore' }).status === 0
}
