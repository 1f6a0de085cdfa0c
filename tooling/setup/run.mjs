// Runs the commands of the README: `npm start`, `npm test`, `npm run build`, `npm run bench`. It needs only Node 20.
// It installs the workspace, builds the changed packages, and then runs the job on the workspace's own Node.
// A second run skips the finished steps.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const minimumNode = [22, 12]

const jobs = {
  start: { says: 'the tour: a region of memory, from reservation to release', run: ['packages/examples/dist/main.js'] },
  test: {
    says: 'every test',
    run: ['node_modules/vitest/vitest.mjs', 'run', '--config', 'tooling/vitest/vitest.config.mjs'],
  },
  'test:long': {
    says: 'the long tests: other engines and browsers, full sizes',
    run: ['node_modules/vitest/vitest.mjs', 'run', '--config', 'tooling/vitest/vitest.config.mjs'],
    env: { MEMLAYER_LONG: '1' },
  },
  build: { says: 'every package', run: null },
  bench: { says: 'the benchmark', run: ['tooling/bench/dist/main.js'] },
  conformance: {
    says: 'the conformance suite over every backend, as one table (--seeds 20: with 20 seeds)',
    run: ['tooling/proof/dist/main.js', 'matrix'],
  },
  mutants: {
    says: 'the wrong backends, and the case that catches each of them',
    run: ['tooling/proof/dist/main.js', 'mutants'],
  },
  'mutants:core': {
    says: 'core, wrong in one place at a time, and the mutants that its tests do not catch (half an hour)',
    run: ['tooling/core-mutants/dist/main.js'],
  },
  matrix: {
    says: 'the matrix of runtimes and bundlers: runs it and writes it into the README',
    run: ['tooling/matrix/dist/main.js'],
  },
  docs: {
    says: 'the documents and the reference as a site, built and served on loopback (--check: and checked)',
    run: ['tooling/site/dist/main.js'],
  },
  screenshots: { says: 'the pictures of the inspector, for its README', run: ['packages/inspect/screenshots.mjs'] },
  'test:kernels': {
    says: 'the Linux backend on kernels with other pages, under QEMU (minutes)',
    run: ['tooling/kernels/dist/main.js'],
  },
  'test:wine10': {
    says: 'the tests of the Windows backend on Wine 10, with Node 24 and 26 (minutes)',
    run: ['tooling/later-wine/dist/main.js'],
  },
  format: {
    says: 'Prettier over every file',
    run: ['node_modules/prettier/bin/prettier.cjs', '--write', '--log-level=warn', '.'],
  },
  api: { says: 'the API reports: writes them again', run: ['tooling/checks/dist/update-reports.js'] },
}

main(process.argv[2] ?? '', process.argv.slice(3))

function main(name, args) {
  const job = jobs[name]
  if (job === undefined) {
    const list = Object.entries(jobs).map(([key, { says }]) => `  ${key.padEnd(12)} ${says}`)
    fail(`usage: node tooling/setup/run.mjs <job> [arguments]\n${list.join('\n')}`)
  }
  const pinned = `node-${process.platform}-${process.arch}`
  if (manifest.optionalDependencies?.[pinned] === undefined) demandRecentNode()
  install()
  const node = pinnedNode(pinned) ?? runningNode()
  const env = {
    ...process.env,
    TURBO_TELEMETRY_DISABLED: '1',
    PATH: [dirname(node), join(root, 'node_modules', '.bin'), process.env.PATH].join(delimiter),
  }
  const turbo = join(root, 'node_modules', 'turbo', 'bin', 'turbo')
  run(
    node,
    [turbo, 'run', 'build', '--output-logs=errors-only', '--log-order=grouped', '--ui=stream'],
    env,
    name === 'build',
  )
  if (job.run !== null) run(node, [...job.run, ...args], { ...env, ...job.env }, true)
}

/** Installs the workspace, unless it was already installed from this lockfile. */
function install() {
  const stamp = join(root, 'node_modules', '.memlayer-setup')
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'pnpm-lock.yaml')))
    .digest('hex')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return
  const { version } = manifest.devEngines.packageManager
  console.log(`Setting up, once: pnpm ${version} installs the workspace from the npm registry (about a minute).`)
  const npx = process.platform === 'win32' ? 'npx.cmd' : 'npx'
  run(npx, ['--yes', `pnpm@${version}`, 'install', '--frozen-lockfile', '--reporter=append-only'], process.env, false)
  writeFileSync(stamp, lock)
}

/** Returns the Node that the lockfile pins, or null if its package is not installed or does not run. */
function pinnedNode(name) {
  try {
    const folder = dirname(createRequire(join(root, 'package.json')).resolve(`${name}/package.json`))
    const node = join(folder, 'bin', 'node')
    return spawnSync(node, ['--version']).status === 0 ? node : null
  } catch {
    return null
  }
}

/** Returns the Node that runs this script. It is used if the pinned Node is missing or does not run. */
function runningNode() {
  demandRecentNode()
  return process.execPath
}

function demandRecentNode() {
  const { node } = process.versions
  if (isRecent(node)) return
  const needs = `memlayer needs Node ${minimumNode.join('.')} or later, and this is ${node}`
  fail(`${needs}: install a newer Node and run the command again.`)
}

/** Runs a command to its end, and exits with its code if that is not 0. `heard`: show the output of a success too. */
function run(command, args, env, heard) {
  // Node starts a .cmd file only with a shell.
  const shell = command.endsWith('.cmd')
  const options = {
    cwd: root,
    env,
    shell,
    stdio: heard ? 'inherit' : ['ignore', 'pipe', 'pipe'],
    maxBuffer: 2 ** 28,
    encoding: 'utf8',
  }
  const { status, signal, error, stdout, stderr } = spawnSync(command, args, options)
  if (status === 0) return
  if (!heard) process.stderr.write(`${stdout ?? ''}${stderr ?? ''}`)
  if (error !== undefined || signal !== null) console.error(`${command} ${args.join(' ')}: ${error?.message ?? signal}`)
  process.exit(status ?? 1)
}

function isRecent(version) {
  const [major, minor] = version.split('.').map(Number)
  return major > minimumNode[0] || (major === minimumNode[0] && minor >= minimumNode[1])
}

function fail(message) {
  console.error(message)
  process.exit(2)
}
