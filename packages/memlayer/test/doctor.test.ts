// `memlayer doctor` and `memlayer explain`: as commands on the real host, and with made-up limits and memories.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createMemory, formatBytes, type Explanation, type OS } from '@memlayer/core'
import { createOS } from '@memlayer/os-linux'
import { describe, expect, it } from 'vitest'
import { doctor, exitCode, type Finding } from '../dist/doctor.js'
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
  it('finds no error on this host: backend, engine, pages, limits and self-test', () => {
    const { status, stdout } = run(['doctor', '--json'])
    const { exitCode: code, findings } = JSON.parse(stdout) as Told
    const topics = [
      'backend',
      'engine',
      'pages',
      'huge pages',
      'mappings',
      'address space',
      'locked memory',
      'overcommit',
      'control group',
      'self-test',
    ]
    expect(findings.map(({ topic }) => topic)).toEqual(topics)
    expect(findings.filter(({ level }) => level === 'error')).toEqual([])
    expect(findings[0]?.says).toContain('@memlayer/os-linux serves, for linux: process.platform is linux')
    expect(findings[1]?.says).toBe('Foreign calls are made by koffi.')
    expect(status).toBe(code)
    expect(stdout).not.toContain('NaN')
  })

  it('warns when addons are switched off, and names the flag', () => {
    const { status, stdout } = run(['doctor'], { node: ['--no-addons'] })
    expect(stdout).toMatch(/^WARNING @memlayer\/os-js serves in place of this host's own\. /m)
    expect(stdout).toMatch(
      new RegExp(
        '^WARNING @memlayer/os-linux was tried and not taken: .*native addons are switched off.* ' +
          'Start node without --no-addons\\.',
        'm',
      ),
    )
    expect(stdout).toMatch(/^ok +The limits on the memory of this process are not known/m)
    expect(status).toBe(1)
  })

  it('warns under the permission model, and names the missing flags', () => {
    const { status, stdout } = run(['doctor'], { node: ['--permission', '--allow-fs-read=*'] })
    expect(stdout).toMatch(
      /^WARNING @memlayer\/os-linux was tried and not taken: .* Start node with --allow-addons beside --permission/m,
    )
    expect(status).toBe(1)
    const allowed = run(['doctor'], { node: ['--permission', '--allow-fs-read=*', '--allow-addons'] })
    expect(allowed.stdout).toMatch(/^ok +@memlayer\/os-linux serves/m)
    expect(allowed.stdout).toMatch(/^ok +Whether a faulted range traps and a freed one is gone was not tried/m)
  })

  it('ends with an error when MEMLAYER_OS names no backend, and says what to do', () => {
    const { status, stdout } = run(['doctor'], { env: { MEMLAYER_OS: 'beos' } })
    expect(stdout).toMatch(/^ERROR .*MEMLAYER_OS is 'beos'.* Set it to one of/m)
    expect(status).toBe(2)
  })

  it('warns when the address space leaves little room for reservations', () => {
    const { status, stdout } = spawnSync('prlimit', [`--as=${40 * 2 ** 30}`, process.execPath, cli, 'doctor'], {
      encoding: 'utf8',
    })
    expect(stdout).toMatch(/^WARNING Address space is limited to 40(\.0)? GiB/m)
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
    ['--json', 'no command given: run doctor or explain'],
  ])('refuses %s with exit code 2 before it does anything, and prints the usage', (words, says) => {
    // No backend has this name, so an access to the memory would throw.
    const { status, stdout, stderr } = run(words.split(' '), { env: { MEMLAYER_OS: 'beos' } })
    expect([status, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(
      new RegExp(`^${says}\n\nusage: memlayer <command>(.*\n)+ +doctor .*\n +explain .*\n +--json .*\n`),
    )
  })

  it('prints its version and its usage', () => {
    const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string }
    expect(run(['--version'])).toMatchObject({ status: 0, stdout: `${version}\n`, stderr: '' })
    for (const args of [[], ['--help'], ['doctor', '--help']]) {
      const { status, stdout, stderr } = run(args)
      expect([status, stderr, stdout.split('\n')[0]]).toEqual([0, '', 'usage: memlayer <command> [--json]'])
    }
  })

  it('accepts a flag before the command, too', () => {
    const { status, stdout } = run(['--json', 'doctor'], { env: { MEMLAYER_OS: 'beos' } })
    expect([status, (JSON.parse(stdout) as Told).exitCode]).toEqual([2, 2])
  })
})

describe('on a Node that is too old', () => {
  it('says so first, and what to do, before it loads the rest of memlayer', () => {
    // Give process the versions of an older Node. The real older Node is tested by hand.
    const old = 'globalThis.process = Object.create(process, { versions: { value: { node: "20.20.2" } } })'
    for (const command of ['doctor', 'explain']) {
      const { status, stdout, stderr } = run([command], {
        node: ['--import', `data:text/javascript,${encodeURIComponent(old)}`],
      })
      expect(stdout).toBe(
        'ERROR   memlayer needs Node 22.12 or later, but this is Node 20.20.2. ' +
          "Install a newer Node (https://nodejs.org), and check with 'node --version' that it runs.\n",
      )
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

  it('follows engines.node of the manifest, but not on Bun and Deno', () => {
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

/** The real memory with a backend that has some members replaced. */
function hostMemory(replaced: Partial<OS>, choice: Partial<HostMemory['choice']> = {}): HostMemory {
  const real = createOS()
  const os = new Proxy(real, {
    get(target, name) {
      if (Object.hasOwn(replaced, name)) return Reflect.get(replaced, name) as unknown
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

describe.skipIf(process.platform !== 'linux')('doctor with made-up limits', () => {
  it('ends with 0 when every limit has room', () => {
    const findings = findingsWith({})
    expect(warningsOf(findings)).toEqual([])
    expect(exitCode(findings)).toBe(0)
  })

  it.each([
    [
      'half of the mappings are used',
      { mappings: 40_000 },
      /^The process has 40000 kernel mappings; it may have 65530 \(vm\.max_map_count\)\. Raise vm\.max_map_count/,
    ],
    [
      'little address space is left',
      { addressSpace: 40 * GiB },
      /^Address space is limited to 40 GiB, and 1 GiB are in use \(ulimit -v\)\. Reservations count in full/,
    ],
    [
      'the process locks memory and may lock little more',
      { lockedMemoryUsed: 4 * MiB },
      /^The process has locked 4 MiB, and may lock memory up to 8 MiB \(ulimit -l\)\. Under mlockall/,
    ],
    [
      'overcommit is strict and little is left',
      { overcommit: 2, committed: 15.5 * GiB },
      /^The kernel counts what it hands out .*: 15\.5 GiB of 16 GiB are committed\. What is mapped counts/,
    ],
    [
      'the control group is nearly full',
      { groupUsed: 7 * GiB },
      /^Its control group has 7 GiB of 8 GiB, .* Beyond it the kernel ends the process/,
    ],
    [
      'there are no huge pages',
      { hugePages: 'never' },
      /^The kernel gives no huge pages, and sysHugePage does nothing .* echo madvise >/,
    ],
    [
      'little of the commit limit is left',
      { commitLimit: 8 * GiB, commitAvailable: GiB / 2, addressSpaceAvailable: 2 ** 46 },
      /^Of the commit limit, .* of 8 GiB, 512 MiB are left\. sysUsed commits/,
    ],
    [
      'little of the address space is left',
      { commitAvailable: 4 * GiB, addressSpace: 2 ** 37, addressSpaceAvailable: 2 ** 35 },
      /^Of an address space of 128 GiB, 32 GiB are neither reserved nor committed\. Reserve less/,
    ],
  ])('warns, with 1, when %s', (_, limits, says) => {
    const findings = findingsWith(limits)
    expect(warningsOf(findings)).toEqual([expect.stringMatching(says)])
    expect(exitCode(findings)).toBe(1)
  })

  it.each([
    ['strict overcommit with room', { overcommit: 2 }],
    ['locked memory without limit', { lockedMemory: Infinity, lockedMemoryUsed: GiB }],
    ['a control group without limit', { groupLimit: Infinity, groupUsed: NaN }],
    ['huge pages for all', { hugePages: 'always' }],
    ['a Windows host with room', { commitLimit: 64 * GiB, commitAvailable: 32 * GiB, addressSpaceAvailable: 2 ** 46 }],
  ])('does not warn of %s', (_, limits) => {
    expect(warningsOf(findingsWith(limits))).toEqual([])
  })

  it('says when a limit is not known, and does not warn about it', () => {
    const unknown = Object.fromEntries(Object.keys(sound).map((name) => [name, NaN]))
    const findings = findingsWith({ ...unknown, hugePages: undefined })
    const said = findings.filter(({ topic }) =>
      ['huge pages', 'mappings', 'address space', 'locked memory', 'overcommit', 'control group'].includes(topic),
    )
    expect(said).toHaveLength(6)
    for (const { level, says } of said) {
      expect([level, says]).toEqual(['ok', expect.stringContaining('not known')])
      expect(says).not.toMatch(/NaN|no limit|without limit|No control group|cost nothing/)
    }
    const windows = findingsWith({ ...unknown, commitAvailable: NaN, addressSpaceAvailable: NaN })
    expect(windows.map(({ says }) => says).join('\n')).not.toContain('NaN')
  })

  it('says which engines and backends were tried but not used, and why', () => {
    const foreignCalls = () => ({
      engine: 'node:ffi',
      passedOver: [
        { name: 'koffi', reason: 'it is out', hint: 'Ask it in.' },
        { name: 'smoke', reason: 'it rains', hint: '' },
      ],
    })
    const findings = doctor(hostMemory({ foreignCalls }))
    expect(
      findings
        .filter(({ topic }) => topic === 'engine' || topic === 'tried')
        .map(({ level, says, hint }) => [level, says, hint]),
    ).toEqual([
      ['ok', 'Foreign calls are made by node:ffi, whose calls cost three to five times those of koffi.', undefined],
      ['warning', 'koffi was tried for foreign calls and not taken: it is out.', 'Ask it in.'],
      ['ok', 'smoke was tried for foreign calls and not taken: it rains.', undefined],
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
    expect(warningsOf(tried)[1]).toBe(
      '@memlayer/os-haiku was tried and not taken: it has 17 syllables. Write a shorter one.',
    )
    expect(exitCode(tried)).toBe(1)
  })
})

describe.skipIf(process.platform !== 'linux')('the self-test', () => {
  it('finds no fault in the real memory, and frees its regions', () => {
    const memory = hostMemory({})
    expect(selfTest(memory)).toEqual({
      wrong: [],
      done: expect.stringMatching(/^16 regions were .* on real memory in \d\.\d s, as expected\.$/) as string,
      untried: [],
    })
    expect(memory.stats().total).toMatchObject({ reserved: 0, prepared: 0, ready: 0, held: 0 })
  })

  it.each([
    ['a faulted range can still be read', { sysFaultOS: () => {} }, 'A range that was faulted can still be read.'],
    ['a freed range is still there', { sysFreeOS: () => {} }, 'A range that was freed is still there.'],
    ['memory that was given back stays', { sysUnusedOS: () => {} }, 'Memory that was given back is still resident.'],
  ])('sees that %s', (_, replaced, says) => {
    const memory = hostMemory(replaced)
    expect(selfTest(memory).wrong).toContain(says)
    const findings = doctor(hostMemory(replaced))
    expect(findings.filter(({ level }) => level === 'error').map((finding) => finding.says)).toContain(says)
    expect(exitCode(findings)).toBe(2)
  })

  it('ends when its ten seconds are over, after at least one region', () => {
    let at = 0
    const slow = selfTest(hostMemory({}), () => (at += 4000))
    expect(slow.done).toMatch(/^3 regions were .*; the time was over before the rest\.$/)
    expect(selfTest(hostMemory({}), Date.now, 0).done).toMatch(
      /^1 region was .* as expected; the time was over before the rest\.$/,
    )
  })
})

describe.skipIf(process.platform !== 'linux')('memlayer explain', () => {
  it('says where resident memory is, with the layer by category and state', () => {
    const { status, stdout } = run(['explain'])
    expect(stdout).toMatch(/^JavaScript's heaps .*\n(.*\n)*resident in all +\d/)
    const layer = [
      'memlayer +3 MiB',
      ' {2}memlayer-explain, Prepared +0 bytes of 1 MiB',
      ' {2}memlayer-explain, Ready +3 MiB of 7 MiB',
      ' {2}\\(no category\\), Reserved +0 bytes of 8 MiB',
    ]
    expect(stdout).toMatch(new RegExp(`^${layer.join('\\n')}$`, 'm'))
    expect(status).toBe(0)
  })

  it('prints JSON with --json, in parts that sum to the resident memory', () => {
    const { status, stdout } = run(['explain', '--json'])
    const told = JSON.parse(stdout) as Explanation
    const { jsHeap, arrayBuffers, layer, otherMemories, malloc, mallocSlack, files, stacks, unexplained, resident } =
      told
    expect(jsHeap + arrayBuffers + layer + otherMemories + malloc + mallocSlack + files + stacks + unexplained).toBe(
      resident,
    )
    expect(told.layerParts).toContainEqual({
      category: 'memlayer-explain',
      state: 'Ready',
      resident: 3 * MiB,
      size: 7 * MiB,
    })
    expect(explanationLines(told).at(-1)).toContain(formatBytes(resident))
    expect(status).toBe(0)
  })

  it('ends with 2 when the host does not tell', () => {
    const { status, stdout } = run(['explain'], { env: { MEMLAYER_OS: 'js' } })
    expect(stdout).toBe('This host does not tell where its memory is. memory.explain() works only on Linux.\n')
    expect(status).toBe(2)
  })
})
