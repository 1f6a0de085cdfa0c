// `memlayer doctor` and `memlayer explain`, as commands on the real host.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const cli = join(import.meta.dirname, '..', 'dist', 'cli.js')
const run = (args: readonly string[], options: { env?: Record<string, string>; node?: readonly string[] } = {}) =>
  spawnSync(process.execPath, [...(options.node ?? []), cli, ...args], { encoding: 'utf8', env: { ...process.env, ...options.env } })

interface Told {
  readonly exitCode: number
  readonly findings: readonly { level: string; topic: string; says: string; hint?: string }[]
}

describe.skipIf(process.platform !== 'linux')('memlayer doctor', () => {
  it('finds this host sound: the backend and why, pages, limits, and the self-test', () => {
    const { status, stdout } = run(['doctor', '--json'])
    const { exitCode, findings } = JSON.parse(stdout) as Told
    expect(findings.map(({ topic }) => topic)).toEqual(['backend', 'pages', 'mappings', 'address space', 'locked memory', 'overcommit', 'control group', 'self-test'])
    expect(findings.filter(({ level }) => level === 'error')).toEqual([])
    expect(findings[0]?.says).toContain('@memlayer/os-linux serves, for linux: process.platform is linux')
    expect(status).toBe(exitCode)
  })

  it('warns where addons are switched off, and names the flag', () => {
    const { status, stdout } = run(['doctor'], { node: ['--no-addons'] })
    expect(stdout).toMatch(/^WARNING .*os-js serves in place of this host's own: .*--no-addons/m)
    expect(status).toBe(1)
  })

  it('cannot work where a backend is asked for that is none, and says what to do', () => {
    const { status, stdout } = run(['doctor'], { env: { MEMLAYER_OS: 'beos' } })
    expect(stdout).toMatch(/^ERROR .*MEMLAYER_OS is 'beos'.* Set it to one of/m)
    expect(status).toBe(2)
  })

  it('warns of an address space that leaves little room for reservations', () => {
    const { status, stdout } = spawnSync('prlimit', [`--as=${40 * 2 ** 30}`, process.execPath, cli, 'doctor'], { encoding: 'utf8' })
    expect(stdout).toMatch(/^WARNING Address space is limited to 40(\.0)? GiB/m)
    expect(status).toBe(1)
  })
})

describe.skipIf(process.platform !== 'linux')('memlayer explain', () => {
  it('says where the resident memory is', () => {
    const { status, stdout } = run(['explain'])
    expect(stdout).toMatch(/^JavaScript's heaps .*\n(.*\n)*resident in all +\d/)
    expect(status).toBe(0)
  })
})
