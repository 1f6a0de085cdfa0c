// Tests the runner itself: its reports, its timeout, and its message without Wine.
import { readdirSync, readFileSync } from 'node:fs'
import { needsWindows, runOnWindows, testsOnWindows, whyNoWindows } from '@memlayer/wine'
import { describe, expect, it } from 'vitest'

const folder = import.meta.dirname

describe('a run in Node for Windows', () => {
  it('is on win32, and passes arguments, environment, output and exit code', async (context) => {
    needsWindows(context)
    const run = await runOnWindows('windows/says.ts', { folder, args: ['3', 'two words'], env: { WORD: 'ünïcode' } })
    expect(JSON.parse(run.stdout)).toMatchObject({ platform: 'win32', args: ['3', 'two words'], word: 'ünïcode' })
    expect(run.stderr).toContain('to stderr\n')
    expect(run).toMatchObject({ code: 3, timedOut: false })
  })

  it('reports every test by name: passed, failed with its error, or skipped with its reason', async (context) => {
    needsWindows(context)
    const { tests, run } = await testsOnWindows('windows/mixed.ts', { folder })
    expect(run.code).toBe(1)
    expect(tests.map(({ name, failed, skipped }) => [name, failed?.split('\n')[0] ?? null, skipped])).toEqual([
      ['passes', null, null],
      ['fails', expect.stringContaining('Expected values to be strictly equal') as string, null],
      ['is skipped', null, 'for a reason'],
      ['a suite > in a suite > holds a test', null, null],
      ['a suite > in a suite > that fails', 'Error: the words of the error', null],
      ['a suite that breaks', 'Error: before its tests', null],
    ])
  })

  it('is killed at its timeout, with its child processes', async (context) => {
    needsWindows(context)
    const mark = `memlayer-wine-test-${process.pid}`
    const run = await runOnWindows('windows/forever.ts', { folder, args: [mark], timeout: 3_000 })
    expect(run).toMatchObject({ timedOut: true, code: null, stdout: 'a child\n' })
    if (process.platform === 'linux') expect(commandLines().filter((line) => line.includes(mark))).toEqual([])
  })

  it('names a missing file', async (context) => {
    needsWindows(context)
    const { tests, run } = await testsOnWindows('windows/absent.ts', { folder })
    expect(tests).toEqual([])
    expect(run.code).toBe(1)
    expect(run.stderr).toContain('absent.ts')
  })
})

describe('a machine without Windows', () => {
  const wine = { wine: 'wine64', wineserver: 'wineserver64', root: '', version: 'wine-8.0' }
  const command = 'needs Wine: apt-get install --no-install-recommends wine64'

  it.each([
    ['linux-x64', null, command],
    ['linux-x64', wine, null],
    ['win32-x64', null, null],
    ['win32-arm64', null, null],
    ['linux-arm64', wine, 'needs Windows, or Wine on x64 Linux'],
    ['darwin-arm64', null, 'needs Windows, or Wine on x64 Linux'],
  ])('%s with %o: %s', (host, found, says) => {
    expect(whyNoWindows(host, found)).toBe(says)
  })

  it('skips its tests and names the install command, or fails them with CI=true', () => {
    const notes: unknown[] = []
    const context = { skip: (note?: unknown): never => notes.push(note) as never }
    needsWindows(context, command, false)
    expect(notes).toEqual([command])
    expect(() => needsWindows(context, command, true)).toThrow(command)
    needsWindows(context, null, true)
    expect(notes).toHaveLength(1)
  })
})

function commandLines(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
      } catch {
        return ''
      }
    })
}
