// `npm run test:wine10`: the tests of the Windows backend on Wine 10, with each Node that is named, or with both. Ends
// with a line of counts. `exitCodes` says what the exit code means.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { DownloadError } from '@memlayer/kernels/command'
import { pinnedVersion, root as workspace } from '@memlayer/kernels/workspace'
import { wineRoot } from './root.js'
import type { Speed } from './speed.js'

const exitCodes = { good: 0, failed: 1, broken: 2, notDownloaded: 3 } as const

const counted = /^(\d+) passed, (\d+) failed, (\d+) skipped$/m

async function main(named: readonly string[]): Promise<number> {
  const versions = named.length > 0 ? named : ['24.21.0', pinnedVersion('node26').replace(/^.*@/, '')]
  let root: string
  try {
    root = wineRoot()
  } catch (error) {
    if (!(error instanceof DownloadError)) throw error
    console.log(`${error.message}\n0 passed, 0 failed, 1 skipped`)
    return exitCodes.notDownloaded
  }
  const sum = [0, 0, 0]
  const lines: string[] = []
  for (const version of versions) {
    const env = { ...process.env, CI: 'true', MEMLAYER_WINE: root, MEMLAYER_WINDOWS_NODE: version }
    const counts = [0, 0, 0]
    for (const tests of inWindows) {
      const output = await run([...vitest, ...tests], env)
      // A run without that line has failed.
      const found = counted.exec(output)?.slice(1).map(Number) ?? [0, 1, 0]
      found.forEach((count, i) => (counts[i] = (counts[i] ?? 0) + count))
    }
    counts.forEach((count, i) => (sum[i] = (sum[i] ?? 0) + count))
    const told = await run([join(import.meta.dirname, 'speed.js')], env)
    const { node, milliseconds, resident } = JSON.parse(told.trim().split('\n').at(-1) ?? '') as Speed
    lines.push(`Wine 10, ${node}: ${counts.join(', ')}; residency of ${resident} bytes: ${milliseconds.toFixed(1)} ms`)
  }
  console.log(`\n${lines.join('\n')}\n${sum[0]} passed, ${sum[1]} failed, ${sum[2]} skipped`)
  return sum[1] === 0 ? exitCodes.good : exitCodes.failed
}

const vitest = [
  join(workspace, 'node_modules/vitest/vitest.mjs'),
  'run',
  '--config',
  join(workspace, 'tooling/vitest/vitest.config.mjs'),
]

/** The tests that run Node for Windows: all of one project, and files of others by their names. */
const inWindows = [
  ['--project', 'os-windows'],
  ['--project', 'ffi', '--project', 'memlayer', '--project', 'os-engine', 'windows'],
]

/** Runs a script, shows what it says, and returns that. */
async function run(args: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  const child = spawn(process.execPath, args, { cwd: workspace, env, stdio: ['ignore', 'pipe', 'inherit'] })
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text
    process.stdout.write(text)
  })
  await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve))
  return said
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code
  },
  (error: unknown) => {
    console.error(error)
    process.exitCode = exitCodes.broken
  },
)
