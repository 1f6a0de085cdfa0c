// Commands of the host. What a command writes is shown only if it fails.
import { spawnSync } from 'node:child_process'

/** How a command is run. */
export interface CommandOptions {
  readonly cwd?: string
  readonly input?: string
}

/** A download that failed: the network, the mirror or the registry, and not the code under test. */
export class DownloadError extends Error {
  override readonly name = 'DownloadError'
}

/**
 * Runs a command and returns its stdout.
 *
 * @throws Error with the command's own words if it fails or takes ten minutes.
 */
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

/**
 * Runs a command that downloads, and returns its stdout.
 *
 * @throws DownloadError with the command's own words if it fails or takes ten minutes.
 */
export function download(program: string, args: readonly string[], options: CommandOptions = {}): string {
  try {
    return command(program, args, options)
  } catch (error) {
    throw new DownloadError(`cannot download: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** Whether the host has a command. */
export function hasCommand(name: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${name}`], { stdio: 'ignore' }).status === 0
}
