// Runs the workspace's own command-line tools as scripts of this Node. lint.ts, test-types.ts, tarball.ts and
// versions.ts call it.
import { spawn, spawnSync } from 'node:child_process'
import { delimiter, join } from 'node:path'
import { checkout } from './workspace.js'

const scripts = {
  changeset: '@changesets/cli/bin.js',
  oxlint: 'oxlint/bin/oxlint',
  pnpm: 'pnpm/bin/pnpm.mjs',
  prettier: 'prettier/bin/prettier.cjs',
  tsc: 'typescript/bin/tsc',
}

/** A tool's exit code and output. */
export interface ToolEnd {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a tool in a folder and waits for its end. */
export function runTool(tool: keyof typeof scripts, args: readonly string[], folder: string): ToolEnd {
  const { status, error, stdout, stderr } = spawnSync(process.execPath, [script(tool), ...args], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 120_000,
    maxBuffer: 2 ** 28,
    env: environment(),
  })
  if (error !== undefined) throw error
  return { code: status, stdout, stderr }
}

/** Runs a tool without blocking this process, for a tool that sends requests to this process. */
export async function startTool(
  tool: keyof typeof scripts,
  args: readonly string[],
  folder: string,
  env: NodeJS.ProcessEnv,
): Promise<ToolEnd> {
  const child = spawn(process.execPath, [script(tool), ...args], {
    cwd: folder,
    timeout: 120_000,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...environment(), ...env },
  })
  const said = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => (said[stream] += text))
  }
  const code = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve))
  return { code, ...said }
}

function script(tool: keyof typeof scripts): string {
  return join(checkout, 'node_modules', ...scripts[tool].split('/'))
}

function environment(): NodeJS.ProcessEnv {
  const { PATH = '' } = process.env
  // These variables ask for plain text and for no prompts, because this code reads the output.
  // PATH lets a tool that calls another tool find the workspace's copy.
  return {
    ...process.env,
    NO_COLOR: '1',
    FORCE_COLOR: '0',
    CI: 'true',
    PATH: join(checkout, 'node_modules', '.bin') + delimiter + PATH,
  }
}
