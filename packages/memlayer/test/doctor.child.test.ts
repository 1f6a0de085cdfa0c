// doctor in processes whose limits are real: a child has switched huge pages off, locks its memory, has a limit on
// data, or has no /proc.
import { spawnSync, type SpawnSyncReturns } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const folder = join(import.meta.dirname, '..')
const cli = join(folder, 'dist', 'cli.js')
const run = (command: string, args: readonly string[]): SpawnSyncReturns<string> =>
  spawnSync(command, args, { cwd: folder, encoding: 'utf8' })

/** Calls libc in the child, then runs `code` with `memory` and the command. */
function inChild(calls: string, code: string, prefix: readonly string[] = []): SpawnSyncReturns<string> {
  const program = `
    import { createRequire } from 'node:module'
    import { memory } from 'memlayer'
    const require = createRequire(createRequire(import.meta.resolve('memlayer')).resolve('@memlayer/os-linux'))
    const build = '@koromix/koffi-' + process.platform + '-' + process.arch
    const koffi = createRequire(require.resolve('@memlayer/ffi'))(build)
    const libc = koffi.load(null)
    ${calls}
    const { run } = await import(${JSON.stringify(join(folder, 'dist', 'commands.js'))})
    ${code}`
  const node = [process.execPath, '--input-type=module', '--eval', program]
  const [command, ...rest] = [...prefix, ...node]
  return run(command ?? process.execPath, rest)
}

describe.skipIf(process.platform !== 'linux')('doctor in a real process', () => {
  it('says that prctl switched huge pages off, which the child of that process inherits', () => {
    const calls = `
      if (libc.func('prctl', 'int', ['int', 'size_t', 'size_t', 'size_t', 'size_t'])(41, 1, 0, 0, 0) !== 0) throw 0
      const { spawnSync } = await import('node:child_process')`
    const { stdout, stderr } = inChild(
      calls,
      `const doctor = spawnSync(process.execPath, [${JSON.stringify(cli)}, 'doctor'], { encoding: 'utf8' })
       console.log(memory.os.host.limits().hugePages, doctor.stdout)`,
    )
    expect(stderr).toBe('')
    expect(stdout).toMatch(/^never /)
    expect(stdout).toMatch(/^WARNING Huge pages are switched off for this process by prctl\(PR_SET_THP_DISABLE\)/m)
    expect(stdout).not.toContain('The kernel gives huge pages')
  })

  it('says that unused pages of locked memory stay, where the process locks what it maps', (context) => {
    const calls = `if (libc.func('mlockall', 'int', ['int'])(2) !== 0) { console.log('refused'); process.exit(0) }`
    const { stdout } = inChild(calls, "run(['doctor'])")
    if (stdout === 'refused\n' || stdout === '') context.skip('needs the right to lock memory')
    expect(stdout).toMatch(/The process has locked .* Unused pages of locked memory stay resident/)
    expect(stdout).toMatch(/^ok +Not tested: that memory is given back\. The process locks all that it maps/m)
    expect(stdout).not.toMatch(/^ERROR/m)
  })

  it('tells a limit on data with its use', () => {
    const { stdout } = run('prlimit', ['--data=1200000000', process.execPath, cli, 'doctor'])
    expect(stdout).toMatch(
      /^WARNING The limit on private writable memory is 1\.1 GiB \(ulimit -d\)\. The process has .* LimitDATA/m,
    )
  })

  it('refuses one commit above memory and swap together, and grants it in steps', (context) => {
    const { stdout, stderr } = inChild(
      '',
      `const { overcommit, hostMemory, hostSwap } = memory.os.host.limits()
       if (overcommit !== 0) { console.log('other'); process.exit(0) }
       const most = Math.ceil((hostMemory + hostSwap) / 2 ** 21) * 2 ** 21
       using region = memory.reserve(2 * most)
       try { region.commit(0, most + 2 ** 21) } catch (error) { console.log(error.code) }
       region.commit(0, most / 2)
       region.commit(most / 2, most / 2)
       region.commit(most, most / 2)
       console.log('granted')`,
    )
    if (stdout === 'other\n') context.skip('needs vm.overcommit_memory 0')
    expect([stdout, stderr]).toEqual(['ERR_MEMLAYER_OUT_OF_MEMORY\ngranted\n', ''])
  })

  const withoutProc = (code: string): SpawnSyncReturns<string> =>
    inChild('', code, ['unshare', '--mount', 'sh', '-c', 'mount -t tmpfs none /proc && exec "$@"', 'sh'])
  const mayMount = run('unshare', ['--mount', 'sh', '-c', 'mount -t tmpfs none /proc']).status === 0

  it('says that /proc is missing and what is unknown then, and nothing throws', (context) => {
    if (!mayMount) context.skip('needs the right to mount: run as root')
    const { stdout, stderr } = withoutProc(`
      using region = memory.reserve(2 ** 20)
      region.commit(0, 2 ** 20)
      region.view(Uint8Array, 0, 4096).fill(1)
      console.log(memory.explain(), memory.trimHost(), memory.residency(region.address, region.size).resident)
      run(['doctor'])`)
    expect(stderr).toBe('')
    expect(stdout).toMatch(/^null 0 4096$/m)
    expect(stdout).toMatch(/^WARNING \/proc is missing or can't be read\. .* explain\(\) returns null/m)
    expect(stdout).toMatch(/^ok +The self-test reserved/m)
    expect(stdout).not.toMatch(/NaN|ENOENT|^ERROR/m)
  })
})
