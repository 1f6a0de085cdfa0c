// Tests that memlayer says what to do about a broken install. Also tests require() on every runtime, and Deno with
// the only permission that memlayer needs.
import { cpSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { installApp, openLab, programOf, run, runtimes, type End, type Lab } from '@memlayer/matrix'
import { requireEngine } from '@memlayer/engines'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'

const onLinux = process.platform === 'linux' && process.arch === 'x64'

const choice = `import { memory } from 'memlayer'
  const print = (value) => console.log(JSON.stringify(value))
  try { print({ os: memory.os.name, ...memory.choice }) }
  catch ({ name, code, message, cause }) { print({ name, code, message, cause: cause?.message }) }`

const withoutNodeFfi = process.getBuiltinModule('node:ffi') === undefined ? [] : ['--no-experimental-ffi']

describe.skipIf(!onLinux)('an installed memlayer (needs Linux on x64)', () => {
  let lab: Lab
  let good: string
  let app: string
  beforeAll(async () => {
    lab = await openLab()
    good = await installApp(lab)
  })
  beforeEach(() => {
    app = join(lab.folder('broken'), 'app')
    rmSync(app, { recursive: true, force: true })
    cpSync(good, app, { recursive: true })
  })
  afterAll(async () => lab[Symbol.asyncDispose]())

  const ours = (...path: string[]): string => join(app, 'node_modules', '@memlayer', ...path)

  async function ask(
    nodeArgs: readonly string[] = [],
    env: Readonly<Record<string, string>> = {},
  ): Promise<End & { said: Record<string, string> }> {
    writeFileSync(join(app, 'ask.mjs'), choice)
    const end = await run(process.execPath, [...nodeArgs, 'ask.mjs'], { cwd: app, env })
    return { ...end, said: JSON.parse(end.stdout || '{}') as Record<string, string> }
  }

  it('uses os-js without its backend, and names the package to install', async () => {
    rmSync(ours('os-linux'), { recursive: true })
    const { said, stderr } = await ask()
    expect(said).toMatchObject({ os: 'js', how: 'fallback', backend: '@memlayer/os-js' })
    expect(said['reason']).toContain('npm install @memlayer/os-linux')
    expect(stderr).toMatch(/MEMLAYER_FALLBACK.*npm install @memlayer\/os-linux/)
    expect((await ask([], { MEMLAYER_STRICT: '1' })).said).toMatchObject({
      name: 'BackendError',
      code: 'ERR_MEMLAYER_BACKEND',
    })
  })

  it('uses os-js without koffi, and names the package and its place in a bundle', async () => {
    rmSync(join(app, 'node_modules', '@koromix'), { recursive: true })
    const { said } = await ask(withoutNodeFfi)
    expect(said).toMatchObject({ os: 'js', how: 'fallback' })
    expect(said['reason']).toMatch(/npm install @koromix\/koffi-linux-\w+, .*koffi\.node beside the bundle/)
  })

  it('uses os-js when koffi fails to load, and reports the error', async () => {
    const folder = join(app, 'node_modules', '@koromix', `koffi-linux-${process.arch}`)
    writeFileSync(join(folder, 'index.js'), 'throw new Error("wrong glibc")')
    const { said } = await ask(withoutNodeFfi)
    expect(said).toMatchObject({ os: 'js', how: 'fallback' })
    expect(said['reason']).toMatch(/does not load: wrong glibc/)
  })

  it('uses the next engine, or os-js with the reason, where no external buffers are allowed', async (ctx) => {
    const file = join(app, 'node_modules', '@koromix', `koffi-linux-${process.arch}`, 'index.js')
    // As Electron answers. None was to be had.
    const refuse = `view() { throw new Error('External buffers are not allowed') }`
    writeFileSync(file, `module.exports = { ...require('./linux_${process.arch}/koffi.node'), ${refuse} }`)
    const { said, stderr } = await ask(withoutNodeFfi)
    expect(said).toMatchObject({ os: 'js', how: 'fallback' })
    expect(said['reason']).toMatch(/allows koffi no view of memory: External buffers are not allowed.*child process/)
    expect(stderr).toContain('MEMLAYER_FALLBACK')
    expect((await ask(withoutNodeFfi, { MEMLAYER_OS: 'linux' })).said).toMatchObject({ code: 'ERR_MEMLAYER_BACKEND' })
    const doctor = join(app, 'node_modules', 'memlayer', 'dist', 'cli.js')
    const { stdout, code } = await run(process.execPath, [...withoutNodeFfi, doctor, 'doctor'], { cwd: app })
    expect([code, stdout]).toEqual([1, expect.stringMatching(/os-linux can't serve: .*allows koffi no view/s)])
    requireEngine('node26', ctx)
    const next = await run(programOf('node26') ?? '', ['ask.mjs'], { cwd: app })
    expect(JSON.parse(next.stdout)).toMatchObject({ os: 'linux', how: 'host' })
  })

  it('throws when the backend throws at import, and does not use another backend', async () => {
    writeFileSync(ours('os-linux', 'dist', 'bundle.js'), 'throw new TypeError("half an install")')
    const { said } = await ask()
    expect(said).toMatchObject({ name: 'BackendError', code: 'ERR_MEMLAYER_BACKEND', cause: 'half an install' })
    expect(said['message']).toMatch(
      /@memlayer\/os-linux is installed but does not load: half an install.*Install it again, or set MEMLAYER_OS=js/,
    )
    expect((await ask([], { MEMLAYER_OS: 'js' })).said).toMatchObject({ os: 'js', how: 'asked' })
  })

  it('names the missing package when a dependency of the backend is missing', async () => {
    renameSync(ours('ffi'), ours('gone'))
    const { said } = await ask()
    expect(said).toMatchObject({ code: 'ERR_MEMLAYER_BACKEND' })
    expect(said['message']).toMatch(/@memlayer\/ffi/)
  })

  it('works with two copies of core, and says where they are and how to remove one', async () => {
    cpSync(ours('core'), ours('os-linux', 'node_modules', '@memlayer', 'core'), { recursive: true })
    const { said, stderr } = await ask()
    expect(said).toMatchObject({ os: 'linux', how: 'host' })
    expect(stderr.match(/\[MEMLAYER_TWO_CORES\]/g)).toHaveLength(1)
    expect(stderr).toMatch(/os-linux\/node_modules\/@memlayer\/core\/dist/)
    expect(stderr).toMatch(/npm ls @memlayer\/core.*npm dedupe/)
  })

  const engines = [...new Set(runtimes.map(({ engine }) => engine))]
  it.for(engines)('loads by require() on %s', async (engine, context) => {
    if (engine !== 'node24') requireEngine(engine, context)
    writeFileSync(
      join(app, 'ask.cjs'),
      `const { memory } = require('memlayer')
       const v = memory.sysAlloc(2 ** 20, null); memory.sysFree(v, 2 ** 20, null)
       console.log(memory.os.name)`,
    )
    const args = engine === 'deno' ? ['run', '--no-prompt', '--allow-all', 'ask.cjs'] : ['ask.cjs']
    const { stdout, stderr } = await run(programOf(engine) ?? engine, args, { cwd: app })
    expect([stdout, stderr]).toEqual(['linux\n', ''])
  })

  it.for([
    ['bun', 'bun-ffi.js'],
    ['deno', 'deno-ffi.js'],
    ['node24', 'any-engine.js'],
  ] as const)('loads only the engine of %s on that runtime', async ([engine, own], context) => {
    if (engine !== 'node24') requireEngine(engine, context)
    for (const other of ['bun-ffi.js', 'deno-ffi.js', 'any-engine.js'].filter((file) => file !== own)) {
      // Node's engine is also for bundles, so it imports the other engines.
      if (own !== 'any-engine.js') rmSync(ours('ffi', 'dist', 'bundle', other))
    }
    writeFileSync(join(app, 'engine.mjs'), `import { engineName } from '@memlayer/ffi'; console.log(engineName())`)
    const args = engine === 'deno' ? ['run', '--no-prompt', '--allow-ffi', 'engine.mjs'] : ['engine.mjs']
    const { stdout, stderr } = await run(programOf(engine) ?? engine, args, { cwd: app })
    expect([stdout, stderr]).toEqual([`${{ bun: 'bun:ffi', deno: 'deno', node24: 'koffi' }[engine]}\n`, ''])
  })

  it('calls the kernel and reads its facts on Deno with --allow-ffi alone', async (context) => {
    requireEngine('deno', context)
    writeFileSync(
      join(app, 'deno.mjs'),
      `import { memory } from 'memlayer'
       const region = memory.reserve(2 ** 24)
       region.commit(0, 2 ** 20); region.view(Uint8Array, 0, 1)[0] = 1; region.unused(0, 2 ** 20)
       let hint; try { memory.sysReserve(null, 2 ** 47) } catch (error) { hint = error.hint }
       const { os: { name: os, traits: { hugePageSize: huge } } } = memory
       console.log(JSON.stringify({ os, huge, mappings: memory.mappings().limit > 0, hint }))`,
    )
    const { stdout, stderr } = await run(
      programOf('deno') ?? 'deno',
      ['run', '--no-prompt', '--allow-ffi', 'deno.mjs'],
      { cwd: app },
    )
    expect(stderr).toBe('')
    expect(JSON.parse(stdout)).toMatchObject({
      os: 'linux',
      mappings: true,
      hint: expect.stringContaining('128 TiB') as string,
    })
    writeFileSync(
      join(app, 'node.mjs'),
      `import { memory } from 'memlayer'; console.log(memory.os.traits.hugePageSize)`,
    )
    const byNode = await run(process.execPath, ['node.mjs'], { cwd: app })
    expect((JSON.parse(stdout) as { huge: number }).huge).toBe(Number(byNode.stdout))
  })
})
