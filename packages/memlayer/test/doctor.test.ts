// `memlayer doctor` and `memlayer explain`, as commands on the real host, and over made-up limits and memories.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createMemory, formatBytes, type Explanation, type OS } from '@memlayer/core'
import { createOS } from '@memlayer/os-linux'
import { describe, expect, it } from 'vitest'
import { doctor, exitCode } from '../dist/doctor.js'
import type { Finding } from '../dist/finding.js'
import { explanationLines } from '../dist/commands.js'
import type { HostMemory } from '../dist/memory.js'
import { tooOld } from '../dist/runtime.js'
import { selfTest } from '../dist/self-test.js'

const MiB = 2 ** 20
const GiB = 2 ** 30
const folder = join(import.meta.dirname, '..')
const cli = join(folder, 'dist', 'cli.js')
const run = (args: readonly string[], options: { env?: Record<string, string>; node?: readonly string[] } = {}) =>
  spawnSync(process.execPath, [...(options.node ?? []), cli, ...args], {
    encoding: 'utf8',
    env: { ...process.env, ...options.env },
  })

interface Told {
  readonly exitCode: number
  readonly findings: readonly Finding[]
}

describe.skipIf(process.platform !== 'linux')('memlayer doctor', () => {
  it('finds this host sound: the backend, the engine and why, pages, limits, and the self-test', () => {
    const { status, stdout } = run(['doctor', '--json'])
    const { exitCode: code, findings } = JSON.parse(stdout) as Told
    const topics = [
      'backend',
      'engine',
      'allocator',
      'pages',
      'huge pages',
      'mappings',
      'address space',
      'data size',
      'locked memory',
      'overcommit',
      'control group',
      'freed addresses',
      'self-test',
    ]
    expect(findings.map(({ topic }) => topic)).toEqual(topics)
    expect(findings.filter(({ level }) => level === 'error')).toEqual([])
    expect(findings[0]?.says).toBe('@memlayer/os-linux serves linux because process.platform is linux.')
    expect(findings[1]?.says).toBe('koffi makes the foreign calls.')
    expect(status).toBe(code)
    expect(stdout).not.toContain('NaN')
  })

  it('warns where addons are switched off, and names the flag', () => {
    const { status, stdout } = run(['doctor'], { node: ['--no-addons'] })
    expect(stdout).toMatch(/^WARNING @memlayer\/os-js serves in place of this host's own backend\. /m)
    expect(stdout).toMatch(
      /^WARNING @memlayer\/os-linux can't serve: .*native addons are switched off.* Start node without --no-addons\./m,
    )
    expect(stdout).toMatch(/^ok +The backend does not report the limits on this process's memory/m)
    expect(status).toBe(1)
  })

  it('warns under the permission model, and names the flags that are missing', () => {
    const { status, stdout } = run(['doctor'], { node: ['--permission', '--allow-fs-read=*'] })
    expect(stdout).toMatch(
      /^WARNING @memlayer\/os-linux can't serve: .* Start node with --allow-addons together with --permission/m,
    )
    expect(status).toBe(1)
    const allowed = run(['doctor'], { node: ['--permission', '--allow-fs-read=*', '--allow-addons'] })
    expect(allowed.stdout).toMatch(/^ok +@memlayer\/os-linux serves linux/m)
    expect(allowed.stdout).toMatch(/^ok +Not tested: that a faulted range traps, and that a freed range is gone/m)
  })

  it('cannot work where MEMLAYER_OS names no backend, and says what to do', () => {
    const { status, stdout } = run(['doctor'], { env: { MEMLAYER_OS: 'beos' } })
    expect(stdout).toMatch(/^ERROR .*MEMLAYER_OS is 'beos'.* Set it to one of/m)
    expect(status).toBe(2)
  })

  it('warns of an address space that leaves little room for reservations', () => {
    const { status, stdout } = spawnSync('prlimit', [`--as=${40 * 2 ** 30}`, process.execPath, cli, 'doctor'], {
      encoding: 'utf8',
    })
    expect(stdout).toMatch(/^WARNING The limit on address space is 40(\.0)? GiB/m)
    expect(status).toBe(1)
  })
})

describe('the command', () => {
  it.each([
    ['explain --jsno', "unknown flag '--jsno'"],
    ['doctor --bogus', "unknown flag '--bogus'"],
    ['--help --json=1', "unknown flag '--json=1'"],
    ['doctor explain', "unknown argument 'explain'"],
    ['docter --json', "unknown argument 'docter'"],
    ['--json', 'no command is given'],
  ])('refuses %s with 2, before it does anything, and says what there is', (words, says) => {
    // This backend does not exist. The command would say so if it asked for the memory.
    const { status, stdout, stderr } = run(words.split(' '), { env: { MEMLAYER_OS: 'beos' } })
    expect([status, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(
      new RegExp(`^${says}\n\nusage: memlayer <command>(.*\n)+ +doctor .*\n +explain .*\n +--json .*\n`),
    )
  })

  it('tells its version and its usage when it is asked', () => {
    const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string }
    expect(run(['--version'])).toMatchObject({ status: 0, stdout: `${version}\n`, stderr: '' })
    for (const args of [[], ['--help'], ['doctor', '--help']]) {
      const { status, stdout, stderr } = run(args)
      expect([status, stderr, stdout.split('\n')[0]]).toEqual([0, '', 'usage: memlayer <command> [--json]'])
    }
  })

  it('takes a flag before the command as after it', () => {
    const { status, stdout } = run(['--json', 'doctor'], { env: { MEMLAYER_OS: 'beos' } })
    expect([status, (JSON.parse(stdout) as Told).exitCode]).toEqual([2, 2])
  })
})

describe('on a Node that is too old', () => {
  it('says so first, and what to do, before anything of memlayer is loaded', () => {
    // This process tells the versions of an older one. That Node itself is run by hand.
    const old = 'globalThis.process = Object.create(process, { versions: { value: { node: "20.20.2" } } })'
    for (const command of ['doctor', 'explain']) {
      const { status, stdout, stderr } = run([command], {
        node: ['--import', `data:text/javascript,${encodeURIComponent(old)}`],
      })
      const says = 'memlayer needs Node 22.12 or later, but this is Node 20.20.2.'
      const hint = "Install a newer Node (https://nodejs.org), and check with 'node --version' that it runs."
      expect(stdout).toBe(`ERROR   ${says} ${hint}\n`)
      expect([status, stderr]).toEqual([2, ''])
    }
    const { stdout, status } = run(['doctor', '--json'], {
      node: ['--import', `data:text/javascript,${encodeURIComponent(old)}`],
    })
    expect((JSON.parse(stdout) as Told).findings.map(({ topic, level }) => [topic, level])).toEqual([
      ['runtime', 'error'],
    ])
    expect(status).toBe(2)
  })

  it('is judged by engines.node of the manifest, and Bun and Deno are not', () => {
    const { engines } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { engines: { node: string } }
    const least = engines.node.replace('>=', '')
    expect(tooOld({ node: `${least}.0` })).toBeNull()
    expect(tooOld({ node: '26.10.0' })).toBeNull()
    expect(tooOld({ node: '22.11.0' })?.says).toContain(`needs Node ${least} or later, but this is Node 22.11.0`)
    expect(tooOld({ node: '18.0.0', bun: '1.4.5' })).toBeNull()
    expect(tooOld({ node: '18.0.0', deno: '2.9.6' })).toBeNull()
  })
})

const sound = {
  addressSpace: Infinity,
  addressSpaceUsed: GiB,
  lockedMemory: 8 * MiB,
  lockedMemoryUsed: 0,
  maxMappings: 65530,
  mappings: 200,
  overcommit: 0,
  commitLimit: 16 * GiB,
  committed: GiB,
  groupLimit: 8 * GiB,
  groupUsed: GiB,
  hugePages: 'madvise',
} as const

/** The real memory behind a backend of which some members are replaced. */
function hostMemory(
  host: NonNullable<OS['host']>,
  choice: Partial<HostMemory['choice']> = {},
  replaced: Partial<OS> = {},
): HostMemory {
  const real = createOS()
  const os = new Proxy(real, {
    get(target, name) {
      if (Object.hasOwn(replaced, name)) return Reflect.get(replaced, name) as unknown
      if (name === 'host') return { ...target.host, ...host }
      const member: unknown = Reflect.get(target, name)
      return typeof member === 'function' ? (member.bind(target) as unknown) : member
    },
    set: (target, name, value) => Reflect.set(target, name, value),
  })
  return Object.assign(createMemory(os), {
    choice: { backend: '@memlayer/os-linux', how: 'host' as const, reason: 'process.platform is linux', ...choice },
  })
}

const findingsWith = (limits: object): Finding[] => doctor(hostMemory({ limits: () => ({ ...sound, ...limits }) }))
const warningsOf = (findings: readonly Finding[]): string[] =>
  findings.filter(({ level }) => level === 'warning').map(({ says, hint }) => `${says} ${hint}`)

describe.skipIf(process.platform !== 'linux')('doctor over limits that are made up', () => {
  it('ends with 0 where nothing bites', () => {
    const findings = findingsWith({})
    expect(warningsOf(findings)).toEqual([])
    expect(exitCode(findings)).toBe(0)
  })

  it.each([
    [
      'half of the mappings are used',
      { mappings: 40_000 },
      /^The process has 40000 kernel mappings\. The limit is 65530 \(vm\.max_map_count\)\. Raise vm\.max_map_count/,
    ],
    [
      'address space is short',
      { addressSpace: 40 * GiB },
      /^The limit on address space is 40 GiB \(ulimit -v\)\. The process uses 1 GiB\. Raise the limit with ulimit -v/,
    ],
    [
      'the process locks memory and may lock little more',
      { lockedMemoryUsed: 4 * MiB },
      /^The limit on locked memory is 8 MiB \(ulimit -l\)\. The process has locked 4 MiB\. .* Raise the limit with/,
    ],
    [
      'overcommit is strict and little is left',
      { overcommit: 2, committed: 15.5 * GiB },
      /^Reservations cost nothing .* counts each commit in full, .* 15\.5 GiB of 16 GiB are committed on this host\. Commit/,
    ],
    [
      'the control group is nearly full',
      { groupUsed: 7 * GiB },
      /^The control group uses 7 GiB of 8 GiB\. .* Give pages back with sysUnused/,
    ],
    [
      'the control group has no limit, and is close to being stalled',
      { groupLimit: Infinity, groupUsed: 7 * GiB, groupHigh: 8 * GiB, groupHighUsed: 7 * GiB },
      /^The kernel stalls the control group beyond 8 GiB \(memory\.high\)\. It uses 7 GiB\. .*MemoryHigh= of systemd/,
    ],
    [
      'the control group has a limit, and one of its parents is close to being stalled',
      { groupHigh: 4 * GiB, groupHighUsed: 4 * GiB },
      /^The kernel stalls the control group beyond 4 GiB \(memory\.high\)\. It uses 4 GiB\./,
    ],
    [
      'little may be mapped that is private and writable',
      { dataSize: 2 * GiB, dataSizeUsed: 1.5 * GiB },
      /^The limit on private writable memory is 2 GiB \(ulimit -d\)\. The process has mapped 1\.5 GiB of it\. .*LimitDATA/,
    ],
    [
      'huge pages are switched off for the process',
      { hugePages: 'never', hugePagesDisabled: true },
      /^Huge pages are switched off for this process by prctl\(PR_SET_THP_DISABLE\), .* children inherit it\.$/,
    ],
    [
      'there are no huge pages',
      { hugePages: 'never' },
      /^The kernel gives no huge pages, so sysHugePage does nothing .* echo madvise >/,
    ],
    [
      'little of the commit limit is left',
      { commitLimit: 8 * GiB, commitAvailable: GiB / 2, addressSpaceAvailable: 2 ** 46 },
      /^The commit limit is 8 GiB .* 512 MiB are left\. Enlarge the page file/,
    ],
    [
      'little of the address space is left',
      { commitAvailable: 4 * GiB, addressSpace: 2 ** 37, addressSpaceAvailable: 2 ** 35 },
      /^The address space has 128 GiB\. 32 GiB are neither reserved nor committed\. Reserve less/,
    ],
  ])('warns, with 1, when %s', (_, limits, says) => {
    const findings = findingsWith(limits)
    expect(warningsOf(findings)).toEqual([expect.stringMatching(says)])
    expect(exitCode(findings)).toBe(1)
  })

  it.each([
    ['strict overcommit with room', { overcommit: 2 }],
    ['locked memory without limit', { lockedMemory: Infinity, lockedMemoryUsed: GiB }],
    ['a group without limit', { groupLimit: Infinity, groupUsed: NaN }],
    ['a group that is far from being stalled', { groupHigh: 8 * GiB, groupHighUsed: GiB }],
    ['a group whose limit is above what the host has', { groupLimit: 64 * GiB, hostMemory: 16 * GiB, hostSwap: 0 }],
    ['writable memory with room', { dataSize: 8 * GiB, dataSizeUsed: GiB }],
    ['huge pages for all', { hugePages: 'always' }],
    ['a Windows host with room', { commitLimit: 64 * GiB, commitAvailable: 32 * GiB, addressSpaceAvailable: 2 ** 46 }],
  ])('does not warn of %s', (_, limits) => {
    expect(warningsOf(findingsWith(limits))).toEqual([])
  })

  it('says of what is not known that it is not known, and does not warn of it', () => {
    const unknown = Object.fromEntries(Object.keys(sound).map((name) => [name, NaN]))
    const findings = findingsWith({ ...unknown, hugePages: undefined })
    const said = findings.filter(({ topic }) =>
      ['huge pages', 'mappings', 'address space', 'data size', 'locked memory', 'overcommit', 'control group'].includes(
        topic,
      ),
    )
    expect(said).toHaveLength(7)
    for (const { level, says } of said) {
      expect([level, says]).toEqual(['ok', expect.stringContaining('not known')])
      expect(says).not.toMatch(/NaN|no limit|No control group|cost nothing/)
    }
    const windows = findingsWith({ ...unknown, commitAvailable: NaN, addressSpaceAvailable: NaN })
    expect(windows.map(({ says }) => says).join('\n')).not.toContain('NaN')
  })

  const saidOf = (topic: string, limits: object): string[] =>
    findingsWith(limits)
      .filter((finding) => finding.topic === topic)
      .map(({ says }) => says)

  it('says what each mode of overcommit grants', () => {
    const host = { hostMemory: 20 * GiB, hostSwap: 4 * GiB }
    const free = 'Reservations cost nothing (vm.overcommit_memory is'
    expect(saidOf('overcommit', { overcommit: 0, ...host })).toEqual([
      `${free} 0). The kernel refuses one commit larger than memory and swap together (24 GiB). In steps it grants more.`,
    ])
    expect(saidOf('overcommit', { overcommit: 0 })[0]).toContain('larger than memory and swap together. In steps')
    expect(saidOf('overcommit', { overcommit: 1, ...host })).toEqual([
      `${free} 1). The kernel grants every commit, and memory comes at the first touch.`,
    ])
    const counts = 'The kernel counts each commit in full, before its first touch.'
    expect(saidOf('overcommit', { overcommit: 2 })).toEqual([
      `${free} 2). ${counts} 1 GiB of 16 GiB are committed on this host.`,
    ])
  })

  it('does not say that no control group limits the process where one stalls it', () => {
    const limits = { groupLimit: Infinity, groupUsed: GiB, groupHigh: 8 * GiB, groupHighUsed: GiB }
    expect(saidOf('control group', limits)).toEqual([expect.stringMatching(/^The kernel stalls .* It uses 1 GiB\./)])
    expect(saidOf('control group', { groupLimit: Infinity, groupHigh: Infinity })).toEqual([
      'No control group limits the memory of this process.',
    ])
  })

  it('says that the host is the limit where the control group allows more than it has', () => {
    expect(saidOf('control group', { groupLimit: 64 * GiB, hostMemory: 16 * GiB, hostSwap: 0 })).toEqual([
      'The control group uses 1 GiB of 64 GiB. The host has less, 16 GiB, so that is the limit.',
    ])
  })

  it('says that unused pages stay where memory is locked, and only there', () => {
    const kept = 'Unused pages of locked memory stay resident'
    expect(saidOf('locked memory', { lockedMemory: Infinity, lockedMemoryUsed: 4096 })[0]).toContain(kept)
    expect(saidOf('locked memory', { lockedMemoryUsed: 0 })[0]).not.toContain(kept)
    expect(saidOf('locked memory', { lockedMemoryUsed: NaN })[0]).not.toContain(kept)
  })

  it('says that /proc is missing where all of its figures are', () => {
    const gone = { addressSpace: NaN, addressSpaceUsed: NaN, mappings: NaN, commitLimit: NaN }
    expect(warningsOf(findingsWith(gone))).toEqual([expect.stringMatching(/^\/proc is missing .* mount -t proc proc/)])
    expect(saidOf('/proc', { ...gone, mappings: 200 })).toEqual([])
  })

  it('names the allocator that serves malloc, and says what is unknown where it does not know it', () => {
    const memoryOf = createOS().host?.processMemory?.()
    const said = (allocator: 'jemalloc' | 'unknown' | undefined): string[] => {
      const { allocator: _, ...others } = memoryOf ?? expect.fail('the host should tell its memory')
      const told = { ...others, ...(allocator === undefined ? {} : { allocator }) }
      return doctor(hostMemory({ limits: () => sound, processMemory: () => told }))
        .filter(({ topic }) => topic === 'allocator')
        .map(({ level, says }) => `${level} ${says}`)
    }
    expect(said('jemalloc')).toEqual(['ok jemalloc serves malloc.'])
    expect(said('unknown')).toEqual([
      expect.stringMatching(/^ok An allocator that memlayer does not know serves malloc/),
    ])
    expect(said(undefined)).toEqual([])
  })

  it('says which engines and backends were tried, and why they were not taken', () => {
    const foreignCalls = {
      engine: 'node:ffi',
      passedOver: [
        { name: 'koffi', reason: 'it is out', hint: 'Ask it in.' },
        { name: 'smoke', reason: 'it rains', hint: '' },
      ],
    }
    const findings = doctor(hostMemory({ foreignCalls }))
    expect(
      findings
        .filter(({ topic }) => topic === 'engine' || topic === 'tried')
        .map(({ level, says, hint }) => [level, says, hint]),
    ).toEqual([
      ['ok', 'node:ffi makes the foreign calls. A call costs three to five times as much as with koffi.', undefined],
      ['warning', "koffi can't make foreign calls: it is out.", 'Ask it in.'],
      ['ok', "smoke can't make foreign calls: it rains.", undefined],
    ])
    const tried = doctor(
      hostMemory(
        {},
        {
          how: 'fallback',
          tried: [{ backend: '@memlayer/os-haiku', reason: 'it has 17 syllables', hint: 'Write a shorter one.' }],
        },
      ),
    )
    expect(warningsOf(tried)[1]).toBe("@memlayer/os-haiku can't serve: it has 17 syllables. Write a shorter one.")
    expect(exitCode(tried)).toBe(1)
  })
})

describe.skipIf(process.platform !== 'linux')('the self-test', () => {
  it('finds nothing wrong with the real memory, and frees what it takes', () => {
    const memory = hostMemory({})
    expect(selfTest(memory)).toEqual({
      wrong: [],
      done: expect.stringMatching(/^The self-test reserved, .* and freed 16 regions in \d\.\d s\.$/) as string,
      untried: [],
    })
    expect(memory.stats().total).toMatchObject({ reserved: 0, prepared: 0, ready: 0, held: 0 })
  })

  it.each([
    ['a faulted range can still be read', { sysFaultOS: () => {} }, 'A faulted range can still be read.'],
    ['a freed range is still there', { sysFreeOS: () => {} }, 'A freed range is still mapped.'],
    ['memory that was given back stays', { sysUnusedOS: () => {} }, 'Memory that was given back is still resident.'],
  ])('sees that %s', (_, replaced, says) => {
    const memory = hostMemory({}, {}, replaced)
    expect(selfTest(memory).wrong).toContain(says)
    const findings = doctor(hostMemory({}, {}, replaced))
    expect(findings.filter(({ level }) => level === 'error').map((finding) => finding.says)).toContain(says)
    expect(exitCode(findings)).toBe(2)
  })

  it('ends when its ten seconds are over, after one life at least', () => {
    let at = 0
    const slow = selfTest(hostMemory({}), () => (at += 4000))
    expect(slow.done).toMatch(/ 3 regions in .* s\. There was no time for more\.$/)
    expect(selfTest(hostMemory({}), Date.now, 0).done).toMatch(/ 1 region in .* s\. There was no time for more\.$/)
  })
})

describe.skipIf(process.platform !== 'linux')('memlayer explain', () => {
  it('says where the resident memory is, the layer by category and state', () => {
    const { status, stdout } = run(['explain'])
    expect(stdout).toMatch(/^JavaScript's heaps .*\n(.*\n)*resident in all +\d/)
    const layer = [
      /^memlayer +3 MiB/,
      / {2}memlayer-explain, Prepared +0 bytes of 1 MiB/,
      / {2}memlayer-explain, Ready +3 MiB of 7 MiB/,
      / {2}\(no category\), Reserved +0 bytes of 8 MiB$/,
    ]
    expect(stdout).toMatch(new RegExp(layer.map(({ source }) => source).join('\n'), 'm'))
    expect(status).toBe(0)
  })

  it('gives the parts as data with --json, and they sum to what is resident', () => {
    const { status, stdout } = run(['explain', '--json'])
    const told = JSON.parse(stdout) as Explanation
    const {
      jsHeap,
      arrayBuffers,
      layer,
      retired,
      otherMemories,
      malloc,
      mallocSlack,
      files,
      stacks,
      unexplained,
      resident,
    } = told
    expect(
      jsHeap + arrayBuffers + layer + retired + otherMemories + malloc + mallocSlack + files + stacks + unexplained,
    ).toBe(resident)
    expect(told.layerParts).toContainEqual({
      category: 'memlayer-explain',
      state: 'Ready',
      resident: 3 * MiB,
      size: 7 * MiB,
    })
    expect(explanationLines(told).at(-1)).toContain(formatBytes(resident))
    const untold = explanationLines({ ...told, allocator: 'unknown', malloc: NaN, mallocSlack: NaN })
    expect(untold.filter((line) => line.includes('the allocator'))).toEqual([
      expect.stringMatching(/^the allocator, in use +not known$/),
      expect.stringMatching(/^the allocator, held free +not known$/),
    ])
    expect(status).toBe(0)
  })

  it('ends with 2 where the host does not tell', () => {
    const { status, stdout } = run(['explain'], { env: { MEMLAYER_OS: 'js' } })
    expect(stdout).toBe(
      'This host does not report where its memory is. Run this command on Linux, where /proc is mounted.\n',
    )
    expect(status).toBe(2)
  })
})
