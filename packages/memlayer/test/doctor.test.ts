// `memlayer doctor` and `memlayer explain`, as commands on the real host, and over memories that are made up.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { formatBytes, type Explanation } from '@memlayer/core'
import { describe, expect, it } from 'vitest'
import { doctor } from 'memlayer/doctor'
import { exitCode } from '../dist/finding.js'
import type { Finding } from '../dist/finding.js'
import { explanationLines } from '../dist/commands.js'
import { tooOld } from '../dist/runtime.js'
import { selfTest } from '../dist/self-test.js'
import { hostMemory } from './host-memory.js'

const MiB = 2 ** 20
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
      'other memory',
      'engine',
      'allocator',
      'pages',
      'huge pages',
      'mappings',
      'address space',
      'data size',
      'locked memory',
      'descriptors',
      'overcommit',
      'control group',
      'engine heap',
      'pressure',
      'freed addresses',
      'system calls',
      'self-test',
    ]
    expect(findings.map(({ topic }) => topic)).toEqual(topics)
    expect(findings.filter(({ level }) => level === 'error')).toEqual([])
    expect(findings[0]?.says).toBe('@memlayer/os-linux serves linux because process.platform is linux.')
    expect(findings[1]?.says).toBe(
      'memlayer/engine has memory that the JavaScript engine owns. @memlayer/os-engine is installed.',
    )
    expect(findings[2]?.says).toBe('koffi makes the foreign calls.')
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
      otherThreads,
      malloc,
      mallocSlack,
      files,
      stacks,
      unexplained,
      resident,
    } = told
    expect(
      [jsHeap, arrayBuffers, layer, retired, otherMemories, otherThreads, malloc, mallocSlack, files, stacks].reduce(
        (sum, bytes) => sum + bytes,
        unexplained,
      ),
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
