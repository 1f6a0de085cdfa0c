// Tests the words of the command, and how it fetches VitePress. npm is a stub.
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { DownloadError, install } from '@memlayer/site/generator'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

const program = join(import.meta.dirname, '..', 'dist', 'main.js')

describe('npm run docs', () => {
  it.each([[['--port', 'abc']], [['--port', '65536']], [['--biuld']], [['serve']]])(
    'answers %j with its usage and exit code 2, and builds nothing',
    (args) => {
      const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], { encoding: 'utf8' })
      expect([status, stdout]).toEqual([2, ''])
      expect(stderr).toMatch(/^usage: npm run docs \[/)
    },
  )

  it('prints its usage when it is asked to', () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, '--help'], { encoding: 'utf8' })
    expect([status, stderr]).toEqual([0, ''])
    for (const option of ['--build', '--check', '--port <number>']) expect(stdout).toContain(`\n  ${option} `)
  })
})

describe.skipIf(process.platform === 'win32')('VitePress (the stub of npm is a shell script)', () => {
  let root: string
  const place = (path: string, text: string): void => {
    mkdirSync(join(root, path, '..'), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  const npm = (text: string): void => {
    place('bin/npm', `#!/bin/sh\necho "$@" >> "${root}/npm.log"\n${text}\n`)
    chmodSync(join(root, 'bin/npm'), 0o755)
  }
  const runs = (): number =>
    existsSync(join(root, 'npm.log')) ? readFileSync(join(root, 'npm.log'), 'utf8').trim().split('\n').length : 0

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'memlayer-site-'))
    place('from/package.json', '{}')
    place('from/package-lock.json', '{"lockfileVersion":3}')
    vi.stubEnv('PATH', [join(root, 'bin'), process.env['PATH']].join(delimiter))
    vi.spyOn(console, 'log').mockImplementation(() => {})
  })
  afterEach(() => {
    vi.unstubAllEnvs()
    vi.restoreAllMocks()
    rmSync(root, { recursive: true })
  })

  it('is installed once from its lockfile, without scripts, and again after the lockfile has changed', () => {
    npm('exit 0')
    install(join(root, 'from'), join(root, 'to'))
    install(join(root, 'from'), join(root, 'to'))
    expect(runs()).toBe(1)
    expect(readFileSync(join(root, 'npm.log'), 'utf8')).toMatch(/^ci --ignore-scripts /)
    expect(readFileSync(join(root, 'to/package-lock.json'), 'utf8')).toBe('{"lockfileVersion":3}')
    place('from/package-lock.json', '{"lockfileVersion":4}')
    install(join(root, 'from'), join(root, 'to'))
    expect(runs()).toBe(2)
  })

  it('is told to be missing when npm fails, and is tried again', () => {
    npm('echo no network >&2; exit 1')
    const tries = (): void => install(join(root, 'from'), join(root, 'to'))
    expect(tries).toThrow(DownloadError)
    expect(tries).toThrow('no network')
    expect(runs()).toBe(2)
    npm('exit 0')
    expect(tries).not.toThrow()
  })
})
