// The control groups of version 2: what limits() and doctor tell of memory.max and memory.high, in a process of such a
// group. The hosts that run `npm test` often have version 1.
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'

const MiB = 2 ** 20
const root = '/sys/fs/cgroup'
const group = join(root, 'app')
const cli = join(process.cwd(), 'node_modules', '@memlayer', 'memlayer', 'dist', 'cli.js')

/** Runs Node in the group, with these limits. */
function inGroup(max: string, high: string, args: readonly string[]): string {
  writeFileSync(join(group, 'memory.max'), max)
  writeFileSync(join(group, 'memory.high'), high)
  const words = ['-c', `echo $$ > ${group}/cgroup.procs && exec "$@"`, 'sh', process.execPath, ...args]
  const { stdout, stderr, status } = spawnSync('sh', words, { encoding: 'utf8' })
  if (status === null || stdout === '') throw new Error(`Node ended in the group: ${stderr}`)
  return stdout
}

interface Limits {
  readonly groupLimit: number | null
  readonly groupUsed: number
  readonly groupHigh: number | null
  readonly groupHighUsed: number
}

const program = `import { posixKernel } from '@memlayer/ffi'
console.log(JSON.stringify(posixKernel().limits()))`
const limitsOf = (max: string, high: string): Limits =>
  JSON.parse(inGroup(max, high, ['--input-type=module', '--eval', program])) as Limits

describe('a control group of version 2', () => {
  beforeAll(() => {
    spawnSync('mount', ['-t', 'cgroup2', 'none', root])
    writeFileSync(join(root, 'cgroup.subtree_control'), '+memory')
    mkdirSync(group)
  })

  it('tells memory.max and memory.high, and what the group uses', () => {
    const both = limitsOf(String(900 * MiB), String(800 * MiB))
    expect([both.groupLimit, both.groupHigh]).toEqual([900 * MiB, 800 * MiB])
    expect(both.groupUsed).toBeGreaterThan(10 * MiB)
    expect(both.groupHighUsed).toBeGreaterThan(10 * MiB)
    // JSON has null in the place of Infinity.
    const none = limitsOf('max', 'max')
    expect([none.groupLimit, none.groupHigh]).toEqual([null, null])
  })

  it('is what doctor says', () => {
    expect(inGroup(String(900 * MiB), 'max', [cli, 'doctor'])).toMatch(/The control group uses .* of 900 MiB\. /)
    const stalled = inGroup('max', String(800 * MiB), [cli, 'doctor'])
    expect(stalled).toMatch(/^ok +The kernel stalls the control group beyond 800 MiB \(memory\.high\)\. It uses /m)
    expect(stalled).not.toContain('No control group')
    expect(inGroup('max', 'max', [cli, 'doctor'])).toMatch(/^ok +No control group limits the memory/m)
  })
})
