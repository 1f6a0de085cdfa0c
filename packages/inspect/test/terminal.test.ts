// Snapshots, the terminal, the trace and the command.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { text as textOf } from 'node:stream/consumers'
import { stripVTControlCharacters } from 'node:util'
import { createMemory } from '@memlayer/core'
import { drawTerminal, momentOf, takeSnapshot, traceOf, type LogEntry, type Snapshot } from '@memlayer/inspect'
import { createOS } from '@memlayer/os-js'
import { expect, it, onTestFinished, vi } from 'vitest'

const inUse = () => {
  const memory = createMemory(createOS())
  const page = memory.os.traits.pageSize
  const v = memory.sysReserve(null, 16 * page)
  memory.sysMap(v, 8 * page, memory.stat('cache'))
  memory.sysUsed(v, 4 * page)
  return { memory, v, page }
}

it('takes a snapshot with the statistics and the ranges, and without bytes of the memory', () => {
  const { memory, v, page } = inUse()
  new Uint8Array(memory.os.view(v, page)).fill(0x5a)
  const snapshot = takeSnapshot(memory)
  expect(snapshot.stats).toEqual(memory.stats())
  expect(snapshot.ranges).toEqual([v, 4 * page, 3, 1, v + 4 * page, 4 * page, 2, 1, v + 8 * page, 8 * page, 1, 0])
  expect(JSON.stringify(snapshot)).not.toContain('ZZZZ')
})

it('draws each state in the terminal by its share', () => {
  const { memory } = inUse()
  const lines = drawTerminal(takeSnapshot(memory), 64, false)
  expect(lines).toContain(`${'#'.repeat(16)}${'-'.repeat(16)}${'.'.repeat(32)}`)
  expect(lines.join('\n')).toContain('Ready 256 KiB')
  expect(drawTerminal(takeSnapshot(createMemory(createOS())), 20, true).length).toBeGreaterThan(4)
})

it('takes and draws a snapshot where the engine can not read its size, as without /proc', () => {
  const engine = vi.spyOn(process, 'memoryUsage').mockImplementation(() => {
    throw new Error('ENOENT: no such file or directory, uv_resident_set_memory')
  })
  onTestFinished(() => engine.mockRestore())
  const snapshot = takeSnapshot(inUse().memory)
  expect(snapshot.process).toMatchObject({ resident: null, arrayBuffers: null })
  expect(snapshot.process.heapUsed).toBeGreaterThan(0)
  const history = [momentOf(snapshot), momentOf(snapshot)]
  const text = drawTerminal(snapshot, 80, false, history).join('\n')
  expect(text).toContain('resident –   JS heap ')
  expect(text).not.toMatch(/NaN|null|Infinity/)
  const counters = traceOf([], history).traceEvents.filter(({ name }) => name === 'process')
  expect(counters.map(({ args }) => Object.keys(args))).toEqual(history.map(() => ['heapUsed', 'external']))
})

/** A snapshot with everything that the terminal draws. */
const full = (): Snapshot => {
  const { memory } = inUse()
  const region = memory.reserve(memory.os.traits.pageSize, { name: 'rows\u001B[31m\u0007\u202E\u061C of 表' })
  region.commit(0, memory.os.traits.pageSize)
  const snapshot = takeSnapshot(memory)
  region.free()
  const explanation = {
    allocator: 'glibc' as const,
    resident: 10e6,
    jsHeap: 4e6,
    arrayBuffers: 1e6,
    layer: 3e6,
    retired: 0,
    otherMemories: 0,
    otherThreads: 0,
    layerParts: [],
    threadParts: [],
    malloc: 5e5,
    mallocSlack: 5e5,
    files: 9e5,
    stacks: 1e5,
    unexplained: 0,
    external: 0,
    at: snapshot.at,
  }
  const refused: LogEntry = {
    at: 1,
    op: 'sysReserve',
    address: null,
    size: 2 ** 50,
    category: null,
    region: null,
    outcome: 'refused',
    answer: 'mmap answered ENOMEM',
  }
  const history = Array.from({ length: 300 }, (_, i) => ({ ...momentOf(snapshot), resident: 1e6 * (1 + (i % 8)) }))
  return { ...snapshot, explanation, log: [refused], history }
}

/** The columns of a line in a terminal. The one wide character here takes two. */
const columnsOf = (line: string): number =>
  Array.from(stripVTControlCharacters(line)).reduce<number>((sum, one) => sum + (one === '表' ? 2 : 1), 0)

it('draws regions, where resident memory is, earlier moments, and what was refused', () => {
  const text = drawTerminal(full(), 100, false).join('\n')
  expect(text).toMatch(/^rows.*64 KiB +64 KiB +– +– +1 {2}full \(test\/terminal/m)
  expect(text).toMatch(/# This memory 2\.9 MiB +j JavaScript heaps 3\.8 MiB/)
  // The bar is as long as the line, and its parts are in proportion.
  const bar = /^#+j+b+~+c+f+s$/m.exec(text)?.[0] ?? ''
  expect([bar.length, bar.lastIndexOf('#') + 1, bar.lastIndexOf('j') + 1]).toEqual([100, 30, 70])
  expect(text).toMatch(/resident +[▁▂▃▄▅▆▇█]{66} 976\.6 KiB to 7\.6 MiB$/m)
  expect(text).toContain('sysReserve(anywhere, 1 PiB): mmap answered ENOMEM')
})

it('draws no line wider than its limit, and no character of a name that a terminal obeys', () => {
  for (const width of [1, 20, 40, 79, 80, 160]) {
    for (const line of drawTerminal(full(), width, true)) {
      expect([width, line, columnsOf(line) <= width]).toEqual([width, line, true])
      // oxlint-disable-next-line no-control-regex -- the test looks for them
      expect(line.replaceAll(/\u001B\[\d+m/g, '')).not.toMatch(/[\u0000-\u001F\u007F-\u009F]|\p{Cf}/u)
    }
  }
  expect(drawTerminal(full(), 160, false).join('\n')).toContain('\\u{202E}')
})

it('marks every cut column, figure or place, at any width', () => {
  const heads = ['size', 'Ready', 'resident', 'huge', 'mappings', 'reserved at']
  for (let width = 40; width <= 120; width++) {
    const lines = drawTerminal(full(), width, false)
    const at = lines.findIndex((text) => text.startsWith('region'))
    const [head = '', row = ''] = lines.slice(at, at + 2)
    const shown = head.split(/ {2,}/).slice(1)
    expect([width, shown]).toEqual([width, heads.slice(0, shown.length)])
    // As many columns as fit.
    const needed = [31, 42, 53, 64, 74, 87].filter((columns) => columns <= width).length
    expect([width, shown.length]).toEqual([width, needed])
    const place = /^rows.*64 KiB(?: +64 KiB(?: +–(?: +–(?: +1(?: {2}(.*))?)?)?)?)?$/.exec(row)
    expect([width, row, place !== null]).toEqual([width, row, true])
    if (shown.length === heads.length)
      expect([width, place?.[1]]).toEqual([width, expect.stringMatching(/…$|:\d+:\d+\)$/)])
    // Every part has its whole figure, and the sparkline has both of its figures.
    const parts = [
      'This memory 2.9 MiB',
      'JavaScript heaps 3.8 MiB',
      'C library, free 488.3 KiB',
      'Files 878.9 KiB',
      'Stacks 97.7 KiB',
    ]
    expect(parts.filter((part) => !lines.some((text) => text.includes(part)))).toEqual([])
    expect(lines.find((text) => /^resident +[▁▂▃▄▅▆▇█]/.test(text))).toMatch(/976\.6 KiB to 7\.6 MiB$/)
  }
})

it('ends a text that is too long for its cell or line in an ellipsis', () => {
  const snapshot = { ...full(), explanation: null, history: [] }
  const [region] = snapshot.regions
  if (region === undefined) throw new Error('no region')
  const long = { ...snapshot, regions: [{ ...region, name: 'a name of more than twenty' }] }
  const lines = drawTerminal(long, 44, true).map((text) => stripVTControlCharacters(text))
  expect(lines[0]).toMatch(/^memlayer on .{31}…$/)
  expect(lines.filter((text) => text.startsWith('a name'))).toEqual([
    `a name of more than…${'64 KiB'.padStart(11)}${'64 KiB'.padStart(11)}`,
  ])
  expect(lines).toContain('sysReserve(anywhere, 1 PiB): mmap answered …')
})

it('writes operations and moments as trace events, in order of time', () => {
  const { memory } = inUse()
  const entry: LogEntry = {
    at: 1,
    op: 'sysMap',
    address: 4096,
    size: 1,
    category: 'a',
    region: 'journal',
    outcome: 'done',
    answer: 'done',
  }
  const { traceEvents } = traceOf([{ ...entry, at: 9e15 }, entry], [momentOf(takeSnapshot(memory))])
  expect(traceEvents.map(({ name, ph }) => `${name} ${ph}`)).toEqual([
    'process_name M',
    'thread_name M',
    'thread_name M',
    'sysMap i',
    'layer C',
    'process C',
    'sysMap i',
  ])
  expect(traceEvents[3]).toMatchObject({ ts: 1000, tid: 2, args: { address: '0x1000', region: 'journal' } })
  expect(traceEvents[2]?.args).toEqual({ name: 'a' })
})

const run = (...args: string[]): { status: number | null; stdout: string; stderr: string } =>
  spawnSync(process.execPath, ['dist/cli.js', ...args], {
    cwd: new URL('..', import.meta.url),
    encoding: 'utf8',
    timeout: 20_000,
  })
const demo = (...args: string[]): ReturnType<typeof run> => run('demo', ...args)

it.each([[['--terminal', '--once']], [['--once']]])('draws the demo once by its command: %s', (args) => {
  const { status, stdout, stderr } = demo(...args)
  expect([status, stderr]).toEqual([0, ''])
  expect(stdout).not.toContain('Open http')
  expect(stdout).toMatch(/^region +size +Ready/m)
  expect(stdout).toMatch(/^cache +512 MiB/m)
  expect(stdout).toMatch(/^sysReserve\(anywhere, 4 PiB\)|^index/m)
})

it('ends after the given seconds, with nothing left to hold it', () => {
  expect(demo('--terminal', '--seconds=1')).toMatchObject({ status: 0, stderr: '' })
  expect(demo('--terminal', '--seconds', '1')).toMatchObject({ status: 0, stderr: '' })
  const page = demo('--seconds=1')
  expect([page.status, page.stderr]).toEqual([0, ''])
  expect(page.stdout).toMatch(/^Open http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]{32}$/m)
})

it.each([
  ['demo --bogus', "Unknown option '--bogus'"],
  ['demo --once=1', "Option '--once' does not take an argument"],
  ['demo --seconds', "Option '--seconds <value>' argument missing"],
  ['demo --seconds -1', "Option '--seconds' argument is ambiguous"],
  ['demo --seconds=', "--seconds is '': give a number of seconds, 0 or more"],
  ['demo --seconds=x', "--seconds is 'x': give a number of seconds, 0 or more"],
  ['demo again', "demo takes only flags: remove 'again'"],
  ['attach', 'attach takes the number of a process: give one'],
  ['attach x', "'x' is not the number of a process"],
  ['attach 1 2', "attach takes one number: remove '2'"],
  ['attach 1 --once', '--once is for demo alone: remove it'],
  ['show', "unknown command 'show': run demo or attach"],
  ['--once', 'no command given: run demo or attach'],
])('refuses %s with exit code 2 before it does anything, and prints the usage', (words, says) => {
  const { status, stdout, stderr } = run(...words.split(' '))
  expect([status, stdout]).toEqual([2, ''])
  expect(stderr.split('\n').slice(0, 3)).toEqual([
    says,
    '',
    'usage: memlayer-inspect demo [--terminal] [--once] [--seconds=N]',
  ])
})

it('prints its version and its usage', () => {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  expect(run('--version')).toMatchObject({ status: 0, stdout: `${version}\n`, stderr: '' })
  for (const args of [[], ['--help'], ['demo', '--help']]) {
    const { status, stdout, stderr } = run(...args)
    expect([status, stderr, stdout.split('\n')[0]]).toEqual([
      0,
      '',
      'usage: memlayer-inspect demo [--terminal] [--once] [--seconds=N]',
    ])
  }
})

it('ends normally when the reader of its output has gone', async () => {
  // Without --seconds nothing else ends it.
  const child = spawn(process.execPath, ['dist/cli.js', 'demo', '--terminal'], {
    cwd: new URL('..', import.meta.url),
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 20_000,
  })
  const [stderr, ended] = [textOf(child.stderr), once(child, 'exit')]
  await once(child.stdout, 'data')
  child.stdout.destroy()
  expect([await ended, await stderr]).toEqual([[0, null], ''])
})
