// Tests the command for authors of backends: its arguments, its output, and its exit codes.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'

const home = join(import.meta.dirname, '..')
const packages = join(home, 'node_modules', '@memlayer')
const linux = join(packages, 'os-linux')
const folder = mkdtempSync(join(tmpdir(), 'memlayer-command-'))
afterAll(() => rmSync(folder, { recursive: true }))

function run(...args: string[]): { code: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(packages, 'conformance', 'dist', 'command.js'), ...args],
    { cwd: home, encoding: 'utf8' },
  )
  return { code: status, stdout, stderr }
}

/** Writes a module into the test's own folder. */
function module(name: string, text: string): string {
  const file = join(folder, name)
  writeFileSync(file, text)
  return file
}

/** Writes a subject: os-linux over a simulated kernel, with one function replaced. */
function mutant(name: string, replaced: string): string {
  const [os, sim] = [join(linux, 'dist/index.js'), join(packages, 'simkernel/dist/index.js')]
  return module(
    name,
    `import { createOS } from ${JSON.stringify(os)}
import { simulate } from ${JSON.stringify(sim)}
export const subject = {
  name: 'mine',
  kernel: (options) => simulate('linux', options),
  createOS: ({ kernel }) => { const os = createOS({ kernel }); ${replaced}; return os },
}
`,
  )
}

describe('memlayer-conformance', () => {
  it('runs a package over a simulated kernel and exits with 0 when it conforms', () => {
    const { code, stdout } = run(linux, '--kernel', 'linux', '--seed', '7')
    expect(stdout).toMatch(/^.*os-linux on linux, seed 7\n\nshape\n {2}pass {5}shape\/functions/)
    const passed = stdout.match(/^ {2}pass /gm)?.length ?? 0
    const absent = stdout.match(/^ {2}absent /gm)?.length ?? 0
    expect(passed).toBeGreaterThan(120)
    expect(stdout).toMatch(/, 0 not run, 0 fail: .* conforms in all cases that ran\.\n$/)
    expect(stdout).toContain(`\n${passed} pass, ${absent} absent by trait, 0 not run, `)
    expect(code).toBe(0)
  })

  it('prints equal output for equal seeds', () => {
    expect(run(linux, '--kernel', 'linux', '--seed', '7').stdout).toBe(
      run(linux, '--kernel', 'linux', '--seed', '7').stdout,
    )
  })

  it('exits with 1 when a backend does not conform, and names the case, the reason and the seed', () => {
    const { code, stdout } = run(mutant('idle.mjs', 'os.sysFaultOS = () => {}'), '--seed', '7')
    expect(stdout).toMatch(/^ {2}FAIL {5}fault\/traps .*\n {11}\S+/m)
    expect(stdout).toMatch(/^ {11}alone: npx memlayer-conformance \S+idle\.mjs --only fault\/traps --seed 7$/m)
    expect(stdout).toContain('mine does not conform.\nRun it again with --seed 7 to repeat this result.')
    expect(code).toBe(1)
  })

  it('runs only the cases with a text in their id, and prints the report as JSON', () => {
    const { code, stdout } = run(mutant('json.mjs', 'os.sysFaultOS = () => {}'), '--only', 'fault/', '--json')
    const { conforms, counts, results } = JSON.parse(stdout) as {
      conforms: boolean
      counts: { fail: number }
      results: { id: string; status: string }[]
    }
    expect(conforms).toBe(false)
    expect(results.filter(({ status }) => status === 'fail').length).toBe(counts.fail)
    expect(results.every(({ id }) => id.includes('fault/'))).toBe(true)
    expect(code).toBe(1)
  })

  it('accepts a package whose manifest names the module, and a module that only exports createOS', () => {
    const own = join(folder, 'own')
    mkdirSync(own)
    writeFileSync(join(own, 'package.json'), '{ "memlayer": { "conformance": "./subject.mjs" } }')
    writeFileSync(join(own, 'subject.mjs'), `export { subject } from '../named.mjs'`)
    mutant('named.mjs', '')
    expect(run(own, '--only', 'shape').stdout).toContain('mine, seed')
    const bare = module('bare.mjs', `export { createOS } from ${JSON.stringify(join(linux, 'dist/index.js'))}`)
    expect(run(bare, '--only', 'shape/traits', '--kernel', 'linux').code).toBe(0)
  })

  it.each<[string, string[], string]>([
    ['nothing', [], 'give one backend: a package or a file'],
    ['two backends', [linux, linux], 'give one backend: a package or a file'],
    ['a path where nothing is', ['./nowhere'], 'nowhere does not exist: name a package'],
    ['a folder that is no package', [folder], 'without a package.json: name a file that exports'],
    ['a package that is not built', [join(folder, 'unbuilt')], 'does not exist: build the package first'],
    [
      'a module without a backend',
      [join(packages, 'kernel/dist/index.js')],
      "exports neither 'subject' nor 'createOS'",
    ],
    ['a kernel that is not simulated', [linux, '--kernel', 'vms'], 'vms'],
    ['a seed that is no number', [linux, '--seed', 'x'], "--seed is 'x': give a whole number"],
    ['cases that are not there', [linux, '--only', 'xyzzy'], "no case has 'xyzzy' in its id"],
    ['an option that is not there', [linux, '--fast'], "'--fast'"],
  ])('exits with 2 for %s, and says what to do', (_, args, words) => {
    mkdirSync(join(folder, 'unbuilt'), { recursive: true })
    writeFileSync(join(folder, 'unbuilt/package.json'), '{ "exports": "./dist/index.js" }')
    const { code, stdout, stderr } = run(...args)
    rmSync(join(folder, 'unbuilt'), { recursive: true })
    expect(stderr).toContain(words)
    expect(stderr).toContain('usage: memlayer-conformance')
    expect(stdout).toBe('')
    expect(code).toBe(2)
  })

  it('prints an error that a backend throws at import', () => {
    const { code, stderr } = run(module('broken.mjs', `throw new Error('no such kernel')`))
    expect(stderr).toContain('no such kernel')
    expect(code).toBe(2)
  })
})
