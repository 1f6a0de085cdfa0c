// Tests the commands of the README, each in its own workspace with only the script. npx and turbo are stubs.
// The old Node is this Node, with another version in process.versions.
import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const script = join(dirname(dirname(fileURLToPath(import.meta.url))), 'run.mjs')
const pinned = `node-${process.platform}-${process.arch}`
const oldNode = 'Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.2.0" } })'
const refusal =
  'memlayer needs Node 22.12 or later, and this is 20.2.0: install a newer Node and run the command again.\n'

describe.skipIf(process.platform === 'win32')('tooling/setup/run.mjs (the stubs are shell scripts)', () => {
  let root: string

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'memlayer-setup-'))
    const place = (path: string, text: string): void => {
      mkdirSync(dirname(join(root, path)), { recursive: true })
      writeFileSync(join(root, path), text)
    }
    mkdirSync(join(root, 'tooling/setup'), { recursive: true })
    cpSync(script, join(root, 'tooling/setup/run.mjs'))
    place('pnpm-lock.yaml', 'lockfileVersion: 9\n')
    place('bin/npx', '#!/bin/sh\necho "$@" >> npx.log\nmkdir -p node_modules\n')
    chmodSync(join(root, 'bin/npx'), 0o755)
    place(
      'node_modules/turbo/bin/turbo',
      "require('node:fs').appendFileSync('turbo.log', process.argv.slice(2, 4).join(' ') + '\\n')\n",
    )
    place('packages/examples/dist/main.js', "console.log('the tour', ...process.argv.slice(2))\n")
  })
  afterEach(() => rmSync(root, { recursive: true }))

  /** Runs a job. `pins` are the packages that contain a Node. */
  function run(
    args: readonly string[],
    { pins = [], isOld = false }: { pins?: readonly string[]; isOld?: boolean } = {},
  ): { code: number | null; stdout: string; stderr: string } {
    const manifest = {
      devEngines: { packageManager: { name: 'pnpm', version: '1.2.3' } },
      optionalDependencies: Object.fromEntries(pins.map((name) => [name, '24.0.0'])),
    }
    writeFileSync(join(root, 'package.json'), JSON.stringify(manifest))
    const preload = isOld ? ['--import', `data:text/javascript,${encodeURIComponent(oldNode)}`] : []
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [...preload, join(root, 'tooling/setup/run.mjs'), ...args],
      {
        encoding: 'utf8',
        env: { ...process.env, PATH: [join(root, 'bin'), process.env['PATH']].join(delimiter) },
      },
    )
    return { code: status, stdout, stderr }
  }

  /** Writes a program as the pinned package's Node. */
  function installPinned(text: string): void {
    const folder = join(root, 'node_modules', pinned)
    mkdirSync(join(folder, 'bin'), { recursive: true })
    writeFileSync(join(folder, 'package.json'), '{}')
    writeFileSync(join(folder, 'bin/node'), text)
    chmodSync(join(folder, 'bin/node'), 0o755)
  }

  const log = (name: string): string[] =>
    existsSync(join(root, name)) ? readFileSync(join(root, name), 'utf8').trim().split('\n') : []

  it.each([[['biuld']], [[]]])('lists the jobs for the arguments %j, and installs nothing', (args) => {
    const { code, stdout, stderr } = run(args)
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(/^usage: node tooling\/setup\/run\.mjs <job> \[arguments\]\n {2}start +the tour/)
    for (const job of ['test', 'build', 'bench', 'test:kernels', 'api'])
      expect(stderr).toContain(`\n  ${job.padEnd(12)} `)
    expect(log('npx.log')).toEqual([])
  })

  it('installs the workspace once, and again after the lockfile has changed', () => {
    const first = run(['start', 'a', 'b'])
    expect(first).toMatchObject({ code: 0, stderr: '' })
    expect(first.stdout).toMatch(/^Setting up, once: pnpm 1\.2\.3 installs .*\nthe tour a b\n$/)
    expect(log('npx.log')).toEqual(['--yes pnpm@1.2.3 install --frozen-lockfile --reporter=append-only'])
    expect(run(['start'])).toEqual({ code: 0, stdout: 'the tour\n', stderr: '' })
    expect(log('npx.log')).toHaveLength(1)
    expect(log('turbo.log')).toEqual(['run build', 'run build'])
    writeFileSync(join(root, 'pnpm-lock.yaml'), 'lockfileVersion: 10\n')
    expect(run(['start']).stdout).toMatch(/^Setting up/)
  })

  it('refuses an old Node in one sentence, before it installs, if the manifest pins no Node', () => {
    expect(run(['start'], { pins: ['node-plan9-mips'], isOld: true })).toEqual({ code: 2, stdout: '', stderr: refusal })
    expect(log('npx.log')).toEqual([])
  })

  it.each([
    ['was not installed', null],
    ['does not run here', '#!/bin/sh\nexit 127\n'],
  ])('refuses an old Node if the pinned Node %s', (_, text) => {
    if (text !== null) installPinned(text)
    const { code, stderr } = run(['start'], { pins: [pinned], isOld: true })
    expect({ code, stderr }).toEqual({ code: 2, stderr: refusal })
    expect(log('turbo.log')).toEqual([])
    // A recent Node replaces the pinned one.
    expect(run(['start'], { pins: [pinned] })).toEqual({ code: 0, stdout: 'the tour\n', stderr: '' })
  })

  it('runs the build and the job on the pinned Node, whichever Node runs the script', () => {
    installPinned(`#!/bin/sh\necho "$@" >> "${root}/pinned.log"\nexec "${process.execPath}" "$@"\n`)
    expect(run(['start', 'x'], { pins: [pinned], isOld: true })).toMatchObject({ code: 0, stderr: '' })
    expect(log('pinned.log').map((line) => line.replace(root, ''))).toEqual([
      '--version',
      expect.stringMatching(/^\/node_modules\/turbo\/bin\/turbo run build /) as string,
      'packages/examples/dist/main.js x',
    ])
  })

  it('ends with the exit code and the output of the failed command', () => {
    writeFileSync(join(root, 'node_modules/turbo/bin/turbo'), "console.error('no such type'); process.exit(3)\n")
    expect(run(['start'])).toMatchObject({ code: 3, stderr: 'no such type\n' })
    writeFileSync(join(root, 'bin/npx'), '#!/bin/sh\necho no network >&2\nexit 7\n')
    rmSync(join(root, 'node_modules/.memlayer-setup'))
    expect(run(['start'])).toMatchObject({ code: 7, stderr: 'no network\n' })
    // The failed install runs again.
    expect(run(['start']).stdout).toMatch(/^Setting up/)
  })
})
