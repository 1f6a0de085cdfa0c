// The host's side, with a program in QEMU's place that writes what a machine would write: what it counts, what it
// complains about, and that it ends a machine that does not end.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { boot, type MachineRun } from '@memlayer/kernels/boot'
import { judge, reportOf } from '@memlayer/kernels/judge'
import { machines, type Machine } from '@memlayer/kernels/machines'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'memlayer-kernels-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const facts = '@node Node v22.23.3, 7.2 aarch64, pages of 16384 bytes, overcommit 0'
const test = (name: string, more: object = {}): string =>
  `@test ${JSON.stringify({ name, failed: null, skipped: null, milliseconds: 1, ...more })}`
const [row] = machines as readonly [Machine]

/** Runs a machine that writes these lines, and then does `last`. */
async function said(lines: readonly string[], last = '', seconds = 60): Promise<MachineRun> {
  const program = join(folder, 'machine.cjs')
  writeFileSync(
    program,
    `process.stdout.write(${JSON.stringify(lines.map((line) => `${line}\r\n`).join(''))})\n${last}`,
  )
  return boot(
    { ...row, qemu: [process.execPath, ''], hardware: [program] },
    'kernel',
    'image',
    seconds,
    () => undefined,
  )
}

const verdict = (run: MachineRun, files: readonly string[] = ['a']): ReturnType<typeof judge> =>
  judge('m', 16384, files, run)

describe('a run of a machine', () => {
  it('is whole when every file ended, whatever else is on its console', async () => {
    const run = await said([
      'SLOF',
      facts,
      test('one'),
      test('two', { skipped: 'why' }),
      'noise',
      '@end a 0',
      test('three'),
      '@end b 0',
      '@done',
    ])
    expect(run.files.map(({ name, tests }) => [name, tests.length])).toEqual([
      ['a', 2],
      ['b', 1],
    ])
    expect(run.tail).toBe('SLOF\nnoise')
    expect(verdict(run, ['a', 'b'])).toEqual({
      line: 'm: 2 passed, 0 failed, 1 skipped',
      counts: { passed: 2, failed: 0, skipped: 1 },
      isWhole: true,
    })
  })

  it('is whole when a test failed, and reports its error without the lines of vitest and Node', async () => {
    const foreign = ['/suite/node_modules/vitest/run.js:1:1', 'node:internal/process/task_queues:1:1']
    const own = 'x (/packages/os-linux/test/a.test.ts:1:1)'
    const failed = ['Error: words', ...[own, ...foreign].map((place) => `    at ${place}`), ''].join('\n')
    const run = await said([facts, test('one', { failed }), '@end a 0', '@done'])
    expect(verdict(run)).toEqual({
      line: 'm: 0 passed, 1 failed, 0 skipped',
      counts: { passed: 0, failed: 1, skipped: 0 },
      isWhole: true,
    })
    expect(reportOf('m', run.files[0] ?? { name: '', tests: [], code: 0 }).split('\n')).toEqual([
      'm: a: 0 passed, 1 failed, 0 skipped',
      '  FAILED one',
      '    Error: words',
      '        at x (/packages/os-linux/test/a.test.ts:1:1)',
    ])
  })

  it.each([
    ['a file did not end', [facts, test('one'), '@done'], 'a did not end'],
    [
      'a file ended by a signal after tests that passed',
      [facts, test('one'), '@end a 139', '@done'],
      'a ended with code 139',
    ],
    ['a file had no tests', [facts, '@end a 0', '@done'], 'a has no tests'],
    [
      'a file ended after a test that failed',
      [facts, test('one', { failed: 'x' }), '@end a 3', '@done'],
      'a ended with code 3',
    ],
    [
      'the pages are of another size',
      ['@node pages of 4096 bytes', test('one'), '@end a 0', '@done'],
      'its pages are not of 16384 bytes',
    ],
    ['the kernel panicked', [facts, test('one'), '@end a 0', 'Kernel panic'], 'the machine did not come to its end'],
  ])('counts one more failure when %s', async (_, lines, complaint) => {
    const { line, counts, isWhole } = verdict(await said(lines))
    const failed = Number(/ (\d+) failed/.exec(line)?.[1])
    expect({ failed: counts.failed, isWhole }).toEqual({ failed: failed + 1, isWhole: false })
    expect(line).toContain(complaint)
  })

  it('counts a line that the kernel wrote into as a failed test', async () => {
    const { line } = verdict(await said([facts, '@test {"name":"one", [   43.9] random: ', '@end a 0', '@done']))
    expect(line).toBe('m: 0 passed, 1 failed, 0 skipped')
  })

  it('ends after its time', async () => {
    const run = await said([facts, `@end a 0`], 'setInterval(() => {}, 1000)', 1)
    expect(run.isWhole).toBe(false)
    expect(verdict(run).line).toContain('the machine did not come to its end')
  })

  it('fails when QEMU is missing', async () => {
    const machine = { ...row, qemu: ['no-such-qemu', ''] as const }
    await expect(boot(machine, 'kernel', 'image', 5, () => undefined)).rejects.toThrow(/no-such-qemu/)
  })
})
