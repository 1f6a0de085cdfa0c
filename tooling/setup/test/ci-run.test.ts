// Tests .ci/run in a folder of its own. npm, dpkg-query, apt-get and sudo are stubs: each command of npm prints and
// exits as the test says.
import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const script = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', '.ci', 'run')

/** What a command prints, and its exit code. */
type Answer = readonly [output: string, code: number]
type Answers = Readonly<Record<'test' | 'test:long' | 'conformance' | 'mutants' | 'test:kernels' | 'docs', Answer>>

const good: Answers = {
  test: ['dots\n100 passed, 0 failed, 2 skipped', 0],
  'test:long': ['20 passed, 0 failed, 1 skipped', 0],
  conformance: ['66 pass, 4 absent\n70 passed, 0 failed, 3 skipped', 0],
  mutants: ['55 passed, 0 failed, 0 skipped', 0],
  'test:kernels': ['m: 9 passed, 0 failed, 0 skipped\n9 passed, 0 failed, 0 skipped', 0],
  docs: ['101 pages\n15 passed, 0 failed, 0 skipped', 0],
}

describe.skipIf(process.platform !== 'linux')('.ci/run (needs Linux)', () => {
  let root: string
  const place = (name: string, text: string): void => {
    writeFileSync(join(root, 'bin', name), `#!/bin/sh\n${text}\n`)
    chmodSync(join(root, 'bin', name), 0o755)
  }
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'memlayer-ci-'))
    mkdirSync(join(root, 'bin'))
    cpSync(script, join(root, '.ci', 'run'))
    place('dpkg-query', 'echo install ok installed')
    place('apt-get', `echo "$@" >> "${root}/apt-get.log"`)
    place('sudo', 'exec "$@"')
  })
  afterEach(() => rmSync(root, { recursive: true }))

  function run(answers: Partial<Answers>): { code: number | null; lines: string[] } {
    const cases = Object.entries({ ...good, ...answers }).map(([name, [output, code]], i) => {
      writeFileSync(join(root, `${i}.txt`), `${output}\n`)
      return `${name}) cat "${root}/${i}.txt"; exit ${code} ;;`
    })
    place('npm', `[ "$CI" = true ] || exit 9\n[ "$1" = run ] && shift\ncase "$1" in\n${cases.join('\n')}\nesac`)
    const { status, stdout } = spawnSync(join(root, '.ci', 'run'), {
      encoding: 'utf8',
      env: { ...process.env, CI: '', PATH: [join(root, 'bin'), process.env['PATH']].join(delimiter) },
    })
    return { code: status, lines: stdout.trimEnd().split('\n') }
  }

  it('runs each command, and ends with the sum of their last lines', () => {
    const { code, lines } = run({})
    expect(lines.filter((line) => /^== [^,]*$/.test(line))).toEqual([
      '== npm test',
      '== npm run test:long',
      '== npm run conformance',
      '== npm run mutants',
      '== npm run test:kernels',
      '== npm run docs -- --check',
    ])
    expect([lines.at(-1), code]).toEqual(['269 passed, 0 failed, 6 skipped', 0])
    expect(existsSync(join(root, 'apt-get.log'))).toBe(false)
  })

  it.each<[string, Partial<Answers>, string]>([
    ['a test fails', { test: ['99 passed, 1 failed, 2 skipped', 1] }, '268 passed, 1 failed, 6 skipped'],
    ['a command ends before its counts', { mutants: ['TypeError', 1] }, '214 passed, 1 failed, 6 skipped'],
    ['a command counts nothing', { mutants: ['', 0] }, '214 passed, 1 failed, 6 skipped'],
    ['a command fails after its counts', { mutants: [good.mutants[0], 3] }, '269 passed, 1 failed, 6 skipped'],
    [
      'a kernel fails a test',
      { 'test:kernels': ['8 passed, 1 failed, 1 skipped', 1] },
      '268 passed, 1 failed, 7 skipped',
    ],
    ['the kernels cannot start', { 'test:kernels': ['cannot install', 2] }, '260 passed, 1 failed, 6 skipped'],
  ])('runs the other commands too when %s, and fails', (_, answers, last) => {
    const { code, lines } = run(answers)
    expect([lines.at(-1), code]).toEqual([last, 1])
  })

  it('says again at the end what failed and why, because a long log is cut in front', () => {
    const output =
      '\u001b[31m FAIL \u001b[39m core test/a.test.ts > adds\nAssertionError: 1 is not 2\n0 passed, 1 failed, 0 skipped'
    const { lines } = run({ mutants: [output, 1] })
    const at = lines.lastIndexOf('== failed in npm run mutants:')
    expect(lines.slice(at + 1, at + 3)).toEqual([' FAIL  core test/a.test.ts > adds', 'AssertionError: 1 is not 2'])
    expect(lines.indexOf('== npm run docs -- --check')).toBeLessThan(at)
  })

  it('prints a download that failed, counts it as skipped, and does not fail', () => {
    const output = 'm: cannot download: apt-get update\n0 passed, 0 failed, 1 skipped'
    const { code, lines } = run({ 'test:kernels': [output, 3] })
    expect(lines).toContain('m: cannot download: apt-get update')
    expect([lines.at(-1), code]).toEqual(['260 passed, 0 failed, 7 skipped', 0])
  })

  it('installs the packages that are missing, and no others', () => {
    place('dpkg-query', 'case "$3" in cpio | strace) exit 1 ;; esac; echo install ok installed')
    expect(run({}).code).toBe(0)
    expect(readFileSync(join(root, 'apt-get.log'), 'utf8').split('\n')).toEqual([
      'update -qq',
      'install -y -qq --no-install-recommends strace',
      'update -qq',
      'install -y -qq --no-install-recommends cpio',
      '',
    ])
  })

  it('runs the tests when QEMU cannot be installed, and none when another package cannot', () => {
    const missing = (name: string): void => place('dpkg-query', `[ "$3" = ${name} ] || echo install ok installed`)
    place('apt-get', 'exit 100')
    missing('qemu-system-ppc')
    const { code, lines } = run({})
    expect(lines[0]).toBe(
      'QEMU could not be installed. npm run test:kernels tries again, and says why its machines do not run.',
    )
    expect([lines.at(-1), code]).toEqual(['269 passed, 0 failed, 6 skipped', 0])
    missing('gcc')
    expect(run({})).toEqual({ code: 100, lines: [''] })
  })
})
