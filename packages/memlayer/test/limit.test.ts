// MEMLAYER_LIMIT: its texts, and caches that live in a control group because of it, or because they hear of pressure.
import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { PressureEvent } from 'memlayer'
import { limitOf } from '../src/limit.js'

const MiB = 2 ** 20
const fileOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

describe('MEMLAYER_LIMIT', () => {
  it.each([
    ['2GiB', { bytes: 2 ** 31, of: 'process' }],
    ['1.5 gib', { bytes: 1.5 * 2 ** 30, of: 'process' }],
    ['4096', { bytes: 4096, of: 'process' }],
    ['80%', { bytes: 'auto', ratio: 0.8, of: 'process' }],
    ['auto', { bytes: 'auto', of: 'process' }],
    ['off', null],
    [undefined, null],
  ])('%s', (text, expected) => {
    expect(limitOf(text)).toEqual(expected)
  })

  it.each(['2GB', '0%', '101%', '-1', 'all', '1e9', ' '])("'%s' is refused", (text) => {
    expect(() => limitOf(text)).toThrow(`MEMLAYER_LIMIT is '${text}'`)
    expect(() => limitOf(text)).toThrow(/Set it to a part of the host's limit/)
  })

  it('is what memory.limit says', async () => {
    const program = "import { memory } from 'memlayer'; console.log(JSON.stringify(memory.limit))"
    const of = async (text: string): Promise<Ended> =>
      run([process.execPath, '--input-type=module', '--eval', program], { MEMLAYER_LIMIT: text })
    expect(JSON.parse((await of('1GiB')).stdout)).toMatchObject({ bytes: 2 ** 30, source: 'memory.limit' })
    expect(JSON.parse((await of('50%')).stdout)).toMatchObject({ of: 'process', beyond: 'refuse' })
    const { end, stderr } = await of('lots')
    expect([end, stderr]).toEqual([1, expect.stringContaining("MEMLAYER_LIMIT is 'lots'")])
  })
})

interface Ended {
  readonly end: number | string
  readonly stdout: string
  readonly stderr: string
}

function run([command = '', ...args]: readonly string[], variables: Readonly<Record<string, string>>): Promise<Ended> {
  return new Promise((resolve) => {
    const options = { cwd: import.meta.dirname, env: { ...process.env, ...variables }, timeout: 120_000 }
    const child = execFile(command, args, options, (_, stdout, stderr) => {
      resolve({ end: child.signalCode ?? child.exitCode ?? NaN, stdout, stderr })
    })
  })
}

const group = `/sys/fs/cgroup/memory/memlayer-limit-${process.pid}`
let hasGroup = false

describe.skipIf(process.platform !== 'linux')('a cache in a control group of 256 MiB', () => {
  beforeAll(() => {
    try {
      mkdirSync(group)
      writeFileSync(`${group}/memory.limit_in_bytes`, String(256 * MiB))
      hasGroup = true
    } catch {
      // It is not a host with version 1, or this is not its root.
    }
  })
  afterAll(() => {
    if (hasGroup) rmdirSync(group)
  })

  const inGroup = (file: string, ...args: readonly string[]): string[] => [
    'sh',
    '-c',
    `echo $$ > ${group}/cgroup.procs && exec "$@"`,
    'sh',
    process.execPath,
    fileOf(file),
    ...args,
  ]
  const killed = (): string => /oom_kill (\d+)/.exec(readFileSync(`${group}/memory.oom_control`, 'utf8'))?.[1] ?? ''

  it('asked to hold 1 GiB lives with MEMLAYER_LIMIT=auto, and its limit can be lowered', async (context) => {
    if (!hasGroup) context.skip('needs version 1 of control groups, and root')
    const { end, stdout, stderr } = await run(inGroup('limit-life.mjs', '1024', '192'), { MEMLAYER_LIMIT: 'auto' })
    expect([end, stderr]).toEqual([0, ''])
    const told = JSON.parse(stdout) as { wrong: number; reclaimed: number; rss: number; limit: { bytes: number } }
    expect([told.wrong, told.limit.bytes, killed()]).toEqual([0, 192 * MiB, '0'])
    expect(told.reclaimed).toBeGreaterThan(700 * MiB)
    // The group counts no file pages, and the process has some.
    expect(told.rss).toBeLessThan(256 * MiB)
  })

  it('asked to hold 1 GiB is killed without it', async (context) => {
    if (!hasGroup) context.skip('needs version 1 of control groups, and root')
    expect(await run(inGroup('limit-life.mjs', '1024'), {})).toMatchObject({ end: 'SIGKILL', stdout: '' })
  })

  it('hears of pressure from other memory of the process, and gives way to it', async (context) => {
    if (!hasGroup) context.skip('needs version 1 of control groups, and root')
    const before = killed()
    const { end, stdout, stderr } = await run(inGroup('pressure-life.mjs', 'reclaims'), {})
    expect([end, stderr, killed()]).toEqual([0, '', before])
    const { heard, reclaimed } = JSON.parse(stdout) as { heard: PressureEvent[]; reclaimed: number }
    expect(reclaimed).toBeGreaterThan(16 * MiB)
    expect(heard.flatMap(({ given }) => given.map(({ name }) => name))).toContain('cache')
    // The kernel's counters, or its PSI, may tell of it before a look at the limit does.
    const named = heard.filter(({ source }) => source === "the control group's memory.max")
    for (const { limit, used } of named) expect([limit, used > 0.9 * limit]).toEqual([256 * MiB, true])
    for (const { limit } of heard) expect(limit).toBe(256 * MiB)
  })

  it('is killed where nothing gives way', async (context) => {
    if (!hasGroup) context.skip('needs version 1 of control groups, and root')
    expect(await run(inGroup('pressure-life.mjs'), {})).toMatchObject({ end: 'SIGKILL', stdout: '' })
  })
})
