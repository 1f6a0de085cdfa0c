// The layer and `memlayer doctor` in processes that their host limits: filters of system calls, limits of the shell,
// control groups, a missing /proc, other allocators. host-life.mjs is the program. The table of packages/docs/hosts.md
// has a row for each situation, and what doctor says there is what it says here.
import { execFile, execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findEngine, requireEngine, type EngineName } from '@memlayer/engines'
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest'
import type { Finding } from '../dist/finding.js'

const MiB = 2 ** 20
const life = join(import.meta.dirname, 'host-life.mjs')
const cli = join(import.meta.dirname, '..', 'dist', 'cli.js')
const onLinux = process.platform === 'linux' && ['x64', 'arm64'].includes(process.arch)

interface End {
  /** The exit code, or the signal that ended it. */
  readonly end: number | string
  readonly stdout: string
  readonly stderr: string
}

interface Told {
  readonly wrong: readonly string[]
  readonly refused: readonly string[]
  readonly warnings: readonly string[]
  readonly left?: number
  readonly skipped?: string
  readonly doctor?: readonly Finding[]
}

/** Runs a command to its end. */
function run(words: readonly string[], variables: Readonly<Record<string, string>> = {}): Promise<End> {
  const [command = '', ...args] = words
  const options = { env: { ...process.env, ...variables }, timeout: 60_000, maxBuffer: 2 ** 26 }
  return new Promise((resolve) => {
    execFile(command, args, options, (error, stdout, stderr) => {
      resolve({ end: error?.signal ?? (error?.code as number | undefined) ?? 0, stdout, stderr })
    })
  })
}

/** The numbers of system calls, <asm/unistd.h>. arm64 has only the newer ones. */
const calls: Readonly<Record<string, { readonly x64?: number; readonly arm64?: number }>> = {
  read: { x64: 0, arm64: 63 },
  close: { x64: 3, arm64: 57 },
  mmap: { x64: 9, arm64: 222 },
  mprotect: { x64: 10, arm64: 226 },
  munmap: { x64: 11, arm64: 215 },
  ioctl: { x64: 16, arm64: 29 },
  access: { x64: 21, arm64: 48 },
  mincore: { x64: 27, arm64: 232 },
  madvise: { x64: 28, arm64: 233 },
  getpid: { x64: 39, arm64: 172 },
  tgkill: { x64: 234, arm64: 131 },
  openat: { x64: 257, arm64: 56 },
  getrandom: { x64: 318, arm64: 278 },
  pidfd_open: { x64: 434, arm64: 434 },
  process_madvise: { x64: 440, arm64: 440 },
}
/** Calls of which one argument is looked at: its number and its value. */
const special: Readonly<Record<string, string>> = {
  'madvise(MADV_POPULATE_WRITE)': 'madvise,2,23',
  'madvise(MADV_HUGEPAGE)': 'madvise,2,14',
  'madvise(MADV_NOHUGEPAGE)': 'madvise,2,15',
  'ioctl(PAGEMAP_SCAN)': 'ioctl,1,0xc0606610',
  'mmap(MAP_FIXED_NOREPLACE)': 'mmap,3,0x104022',
}

/** What the filter takes: the number of the call, and its argument. */
function filtered(name: string): string {
  const [call = '', ...argument] = (special[name] ?? name).split(',')
  return [calls[call]?.[process.arch as 'x64' | 'arm64'], ...argument].join(',')
}

let folder: string
/** The program of host-limit.c; null: there is no compiler. */
let limit: string | null = null
const group = `/sys/fs/cgroup/memory/memlayer-${process.pid}`
let hasGroup = false

beforeAll(() => {
  if (!onLinux) return
  folder = mkdtempSync(join(tmpdir(), 'memlayer-hosts-'))
  const program = join(folder, 'host-limit')
  try {
    const source = join(import.meta.dirname, 'host-limit.c')
    execFileSync('cc', ['-O1', '-Wall', '-Werror', source, '-o', program], { stdio: 'pipe' })
    limit = program
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ENOENT') throw error
  }
  try {
    mkdirSync(group)
    writeFileSync(join(group, 'memory.limit_in_bytes'), String(512 * MiB))
    hasGroup = true
  } catch {
    // It is not a host with version 1, or this is not its root.
  }
})
afterAll(() => {
  if (!onLinux) return
  rmSync(folder, { recursive: true })
  if (hasGroup) rmdirSync(group)
})

type Prefix = (context: TestContext) => readonly string[]

interface Situation {
  /** The command that limits the process. */
  readonly under: Prefix
  readonly env?: Readonly<Record<string, string>>
  /** What the layer refuses by an error of its own; absent: nothing. `'engine'`: Node itself does not live there. */
  readonly refuses?: RegExp | 'engine' | 'ended'
  /** What `process.on('warning')` hears of. */
  readonly warns?: RegExp
  /** The exit codes of doctor. Default 0 and 1. */
  readonly exits?: readonly (number | string)[]
  /** Whether the program makes a worker, and so threads that end. */
  readonly worker?: boolean
  /** Flags of the program. With them doctor runs in it. */
  readonly flags?: readonly string[]
}

const filter =
  (answer: string, name: string): Prefix =>
  (context) => {
    if (limit === null) {
      if (process.env['CI'] === 'true') throw new Error('a C compiler is missing: apt-get install gcc libc6-dev')
      return context.skip('needs a C compiler: apt-get install gcc libc6-dev')
    }
    return [limit, answer, filtered(name)]
  }

const prlimit =
  (option: string): Prefix =>
  () => ['prlimit', option]

const needsRoot = (context: TestContext): void => {
  if (process.getuid?.() !== 0) context.skip('needs the right to mount and to lock: run as root')
}

const withoutProc: Prefix = (context) => {
  needsRoot(context)
  return ['unshare', '--mount', 'sh', '-c', 'mount -t tmpfs none /proc && exec "$@"', 'sh']
}

const inGroup: Prefix = (context) => {
  if (!hasGroup) context.skip('needs version 1 of control groups, and root')
  return ['sh', '-c', `echo $$ > ${group}/cgroup.procs && exec "$@"`, 'sh']
}

function preload(library: RegExp, name: string): Prefix {
  return (context) => {
    for (const place of ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib64', '/usr/lib']) {
      const file = filesIn(place).find((one) => library.test(one))
      if (file !== undefined) return ['env', `LD_PRELOAD=${place}/${file}`]
    }
    return context.skip(`needs ${name}: .ci/run installs it`)
  }
}

function filesIn(place: string): string[] {
  try {
    return readdirSync(place)
  } catch {
    return []
  }
}

const tooMuchData = /^commit: ERR_MEMLAYER_OUT_OF_MEMORY .* private writable memory\. .*RLIMIT_DATA.*engineHeap/
const tooMuchSpace = /^reserve: ERR_MEMLAYER_OUT_OF_MEMORY .* address space\. .*RLIMIT_AS.*engineHeap/

/** The filters that the layer lives with: an answer in place of the call. */
const answered = (name: string, answers: readonly string[], more: Partial<Situation> = {}): [string, Situation][] =>
  answers.map((answer) => [`filter: \`${name}\` answers ${answer}`, { under: filter(answer, name), ...more }])

const [both, all] = [
  ['EPERM', 'ENOSYS'],
  ['EPERM', 'ENOSYS', 'EINVAL'],
]

const situations: Readonly<Record<string, Situation>> = Object.fromEntries<Situation>([
  ...answered('process_madvise', both),
  ['filter: `process_madvise` ends the process', { under: filter('kill', 'process_madvise'), refuses: 'ended' }],
  ['the same, with MEMLAYER_NO_BATCH=1', { under: filter('kill', 'process_madvise'), env: { MEMLAYER_NO_BATCH: '1' } }],
  ...answered('pidfd_open', both),
  ['filter: `pidfd_open` ends the process', { under: filter('kill', 'pidfd_open'), refuses: 'ended' }],
  ...answered('madvise(MADV_POPULATE_WRITE)', all),
  ...answered('madvise(MADV_HUGEPAGE)', all),
  ...answered('madvise(MADV_NOHUGEPAGE)', all),
  ...answered('ioctl(PAGEMAP_SCAN)', both),
  ...answered('mincore', both),
  ['filter: `mincore` ends the process', { under: filter('kill', 'mincore') }],
  ...answered('tgkill', both, { worker: true }),
  ['filter: `tgkill` ends the process', { under: filter('kill', 'tgkill') }],
  ...answered('mmap(MAP_FIXED_NOREPLACE)', both, { worker: true }),
  ...answered('access', both, { worker: true }),
  ...answered('getpid', both),
  ['`prlimit --data=2000000000`', { under: prlimit('--data=2000000000') }],
  ['`prlimit --data=800000000`', { under: prlimit('--data=800000000'), refuses: tooMuchData, exits: [2] }],
  ['`prlimit --data=400000000`', { under: prlimit('--data=400000000'), refuses: 'engine' }],
  ['`prlimit --as=4000000000`', { under: prlimit('--as=4000000000') }],
  ['`prlimit --as=2000000000`', { under: prlimit('--as=2000000000'), refuses: tooMuchSpace, exits: [2] }],
  ['`prlimit --nofile=32`', { under: prlimit('--nofile=32') }],
  ['`prlimit --nofile=23`', { under: prlimit('--nofile=23') }],
  ['`prlimit --memlock=0`', { under: prlimit('--memlock=0') }],
  [
    '`mlockall(MCL_FUTURE)`',
    { under: () => [], flags: ['--lock', '--doctor'], warns: /^MEMLAYER_KEPT sysUnused: .*madvise answered EINVAL/ },
  ],
  ['`unshare --mount`, without /proc', { under: withoutProc }],
  ['`prctl(PR_SET_THP_DISABLE)`', { under: (context) => [...filter('no-huge-pages', '-')(context).slice(0, 2), '-'] }],
  ['a control group of version 1', { under: inGroup }],
  ['jemalloc by LD_PRELOAD', { under: preload(/^libjemalloc\.so\.2$/, 'jemalloc') }],
  ['tcmalloc by LD_PRELOAD', { under: preload(/^libtcmalloc_minimal\.so\.4$/, 'tcmalloc') }],
  ['mimalloc by LD_PRELOAD', { under: preload(/^libmimalloc\.so\.\d$/, 'mimalloc') }],
])

/** The rows of the page: the situation, what the layer does, what doctor says. */
const rows = new Map(
  readFileSync(new URL('../../docs/hosts.md', import.meta.url), 'utf8')
    .split('\n')
    .filter((line) => /^\| [^|]+ \| [^|]+ \| [^|]+ \|$/.test(line) && !line.startsWith('| --- |'))
    .map((line) => line.slice(2, -2).split(' | '))
    .filter(([name]) => name !== 'situation')
    .map(([name = '', does = '', says = '']) => [name, { does, says }]),
)

/** Whether doctor says this sentence of the page. `…` stands for what differs between hosts. */
function expectSaid(sentence: string, said: string): void {
  const parts = sentence.split('…').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`))
  expect(said).toMatch(new RegExp(parts.join('.+')))
}

/** The findings as the page has them. */
const textOf = (findings: readonly Finding[]): string =>
  findings.map(({ says, hint }) => `${says}${hint === undefined ? '' : ` ${hint}`}`).join('\n')

async function doctorUnder(words: readonly string[], variables: Readonly<Record<string, string>>): Promise<Said> {
  const { end, stdout, stderr } = await run([...words, process.execPath, cli, 'doctor', '--json'], variables)
  expect(stderr).toBe('')
  return { end, says: textOf((JSON.parse(stdout) as { findings: readonly Finding[] }).findings) }
}

interface Said {
  readonly end: number | string
  readonly says: string
}

async function lived(words: readonly string[], flags: readonly string[], situation: Situation): Promise<Told | null> {
  const { end, stdout, stderr } = await run([...words, process.execPath, life, ...flags], situation.env)
  if (situation.refuses === 'ended') {
    expect([end, stdout]).toEqual(['SIGSYS', ''])
    return null
  }
  expect([end, situation.warns === undefined ? stderr : '']).toEqual([0, ''])
  return JSON.parse(stdout) as Told
}

describe.skipIf(!onLinux)('a process that its host limits', () => {
  it('has a row on the page for each situation, and no other', () => {
    expect([...rows.keys()]).toEqual(Object.keys(situations))
  })

  it.concurrent.for(Object.entries(situations))('%s', { timeout: 120_000 }, async ([name, situation], context) => {
    const words = situation.under(context)
    const says = rows.get(name)?.says ?? ''
    if (situation.refuses === 'engine') {
      const { end } = await run([...words, process.execPath, '--eval', '0'], situation.env)
      expect(end).not.toBe(0)
      return
    }
    const { refuses, flags = situation.worker === true ? ['--worker'] : [], env = {}, warns } = situation
    const told = await lived(words, flags, situation)
    if (told?.skipped !== undefined) context.skip(told.skipped)
    expect(told?.wrong ?? []).toEqual([])
    // What comes after a refusal is refused as well, because nothing is committed.
    expect(told?.refused[0] ?? '').toMatch(refuses instanceof RegExp ? refuses : /^$/)
    expect(told?.warnings.join('\n') ?? '').toMatch(warns ?? /^$/)
    if (situation.worker === true) expect(told?.left).toBe(0)
    const said = told?.doctor === undefined ? await doctorUnder(words, env) : { end: 0, says: textOf(told.doctor) }
    expect(situation.exits ?? [0, 1]).toContain(said.end)
    for (const sentence of says.split('<br>')) expectSaid(sentence, said.says)
    expect(said.says).not.toMatch(/NaN|ENOENT|undefined/)
  })

  it.concurrent.for(['read', 'close', 'openat', 'mmap', 'munmap', 'mprotect', 'madvise', 'ioctl', 'getrandom'])(
    'Node itself does not live without %s',
    async (name, context) => {
      for (const answer of ['EPERM', 'ENOSYS', 'kill']) {
        const program = 'process.stdin.on("data", () => {}); process.stdin.destroy()'
        const { end } = await run([...filter(answer, name)(context), process.execPath, '--eval', program])
        expect([answer, end]).not.toEqual([answer, 0])
      }
    },
  )
})

const engines: readonly EngineName[] = ['node22', 'node26', 'bun', 'deno']
/** What each of them lives in. Bun and Deno themselves need /proc, and Bun more than 2 GB of writable memory. */
const elsewhere: readonly string[] = [
  'filter: `process_madvise` answers EPERM',
  'the same, with MEMLAYER_NO_BATCH=1',
  'filter: `tgkill` answers ENOSYS',
  '`prlimit --data=2000000000`',
  '`unshare --mount`, without /proc',
]

describe.skipIf(!onLinux).each(engines)('on %s, a process that its host limits', (name) => {
  const needsMore: Readonly<Partial<Record<EngineName, readonly string[]>>> = {
    bun: elsewhere.slice(3),
    deno: elsewhere.slice(4),
  }
  const lives = elsewhere.filter((one) => !(needsMore[name] ?? []).includes(one))

  it.concurrent.for(lives)('%s', async (situation, context) => {
    const { under, env } = situations[situation] as Situation
    const { command } = requireEngine(name, context)
    const flags = name === 'deno' ? ['run', '--no-prompt', '--allow-all'] : []
    const { end, stdout, stderr } = await run([...under(context), command, ...flags, life], env)
    expect([end, stderr]).toEqual([0, ''])
    const { wrong, refused, warnings } = JSON.parse(stdout) as Told
    expect({ wrong, refused, warnings }).toEqual({ wrong: [], refused: [], warnings: [] })
  })
})

it.skipIf(!onLinux || findEngine('bun') === null)(
  'Bun without memory for its JIT falls back, and says why',
  async () => {
    const { command = '' } = findEngine('bun') ?? {}
    const { end, stdout } = await run(['prlimit', '--data=2000000000', command, cli, 'doctor'])
    expect(stdout).toMatch(/^WARNING @memlayer\/os-linux can't serve: .*Bun has no JIT here.* Raise RLIMIT_DATA/m)
    expect(end).toBe(1)
  },
)
