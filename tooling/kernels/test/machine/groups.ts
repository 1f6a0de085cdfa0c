// The control groups of version 2: what limits() and doctor tell of memory.max and memory.high in a process of such a
// group, and what memory.limit and memory.onPressure make of them. The hosts that run `npm test` often have version 1.
import { spawnSync, type SpawnSyncReturns } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'

const MiB = 2 ** 20
const root = '/sys/fs/cgroup'
const group = join(root, 'app')
const cli = join(process.cwd(), 'node_modules', '@memlayer', 'memlayer', 'dist', 'cli.js')

/** Runs Node in the group, with these limits. */
function run(max: string, high: string, args: readonly string[]): SpawnSyncReturns<string> {
  writeFileSync(join(group, 'memory.max'), max)
  writeFileSync(join(group, 'memory.high'), high)
  const words = ['-c', `echo $$ > ${group}/cgroup.procs && exec "$@"`, 'sh', process.execPath, ...args]
  return spawnSync('sh', words, { encoding: 'utf8' })
}

/** What Node printed in the group. */
function inGroup(max: string, high: string, args: readonly string[]): string {
  const { stdout, stderr, status } = run(max, high, args)
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

const setUp = `import { createMemory } from '@memlayer/core'
import { createOS } from '@memlayer/os-linux'
const memory = createMemory(createOS())
const MiB = 2 ** 20
const region = memory.reserve(512 * MiB, { name: 'cache', hugePages: 'off' })
let first = 0
`
const reclaimer = `memory.reclaimer({ name: 'cache' }, ({ want }) => {
  const bytes = Math.min(Math.ceil(want / MiB) * MiB, next - first)
  region.unused(first, bytes)
  first += bytes
})
`
// It asks the group for twice what it has.
const cache = (limit: string): string[] => [
  '--input-type=module',
  '--eval',
  `${setUp}let next = 0
${reclaimer}memory.limit = ${limit}
for (; next < region.size; next += MiB) {
  region.commit(next, MiB)
  region.view(Uint8Array, next, MiB).fill(1)
}
memory.check()
console.log(JSON.stringify({ first, limit: memory.limit }))`,
]

// A program whose other memory grows by 4 MiB ten times a second, beside a cache that gives way.
const pressed = [
  '--input-type=module',
  '--eval',
  `${setUp}const next = 128 * MiB
region.commit(0, next)
region.view(Uint8Array, 0, next).fill(1)
${reclaimer}const heard = []
memory.onPressure(({ level, source, given }) => heard.push({ level, source, given: given.map(({ name }) => name) }))
const others = []
let waited = 0
const timer = setInterval(() => {
  if (others.length < 40) return void others.push(Buffer.alloc(4 * MiB, 1))
  // A look comes once a second. On a slow machine the last one may have been before the memory was short.
  if (heard.length === 0 && (waited += 1) < 100) return
  clearInterval(timer)
  memory.check()
  console.log(JSON.stringify({ first, heard }))
}, 100)`,
]

interface Told {
  readonly first: number
  readonly limit: { readonly bytes: number; readonly source: string }
  readonly heard: readonly { readonly level: string; readonly source: string; readonly given: readonly string[] }[]
}

const timesKilled = (): number =>
  Number(/^oom_kill (\d+)/m.exec(readFileSync(join(group, 'memory.events'), 'utf8'))?.[1])

describe('a control group of version 2', () => {
  beforeAll(() => {
    spawnSync('mount', ['-t', 'cgroup2', 'none', root])
    writeFileSync(join(root, 'cgroup.subtree_control'), '+memory')
    mkdirSync(group)
  })

  it('tells memory.max and memory.high, and what the group uses', () => {
    const both = limitsOf(String(900 * MiB), String(800 * MiB))
    expect([both.groupLimit, both.groupHigh]).toEqual([900 * MiB, 800 * MiB])
    // Pages that the kernel has counted for another group, as of the program's file, are not among them.
    expect(both.groupUsed).toBeGreaterThan(4 * MiB)
    expect(both.groupHighUsed).toBeGreaterThan(4 * MiB)
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

  it('bounds a cache that has a limit, and kills one that has none', () => {
    const before = timesKilled()
    const told = JSON.parse(inGroup(String(256 * MiB), 'max', cache("{ bytes: 'auto', of: 'process' }"))) as Told
    expect([timesKilled(), told.limit.source]).toEqual([before, "the control group's memory.max"])
    expect(told.limit.bytes).toBe(Math.floor(0.9 * 256 * MiB))
    expect(told.first).toBeGreaterThan(256 * MiB)
    expect(run(String(256 * MiB), 'max', cache('null'))).toMatchObject({ signal: 'SIGKILL', stdout: '' })
    expect(timesKilled()).toBe(before + 1)
  })

  it('tells of pressure before its limit, and from the time that threads waited for memory', () => {
    const before = timesKilled()
    const near = JSON.parse(inGroup(String(320 * MiB), 'max', pressed)) as Told
    const sources = near.heard.map(({ source }) => source)
    expect(
      sources.some((source) => /^the control group's (memory\.max|PSI|counters)$/.test(source)),
      sources.join(),
    ).toBe(true)
    expect(near.heard.flatMap(({ given }) => given)).toContain('cache')
    expect([timesKilled(), near.first > 0]).toEqual([before, true])
    const stalled = JSON.parse(inGroup('max', String(256 * MiB), pressed)) as Told
    // On a slow machine threads wait before the group is near its bound, and then it is told once.
    const stalls = stalled.heard.map(({ source }) => source).join()
    expect(stalls).toMatch(/the control group's (memory\.high|PSI|counters)/)
  })
})
