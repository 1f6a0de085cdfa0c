// Without an engine: what a person reads when neither koffi nor node:ffi can serve. The flags in the message must
// be the ones that help.
import { readFileSync } from 'node:fs'
import { otherNode, runChild, type ChildEnd } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'
import { koffiBuilds } from '../dist/koffi.js'

const onLinux = process.platform === 'linux'
const koffi = `@koromix/koffi-${process.platform}-${process.arch}`

const attempt = `
  import { NoEngineError, posixKernel } from '@memlayer/ffi'
  try {
    console.log(JSON.stringify({ pageSize: posixKernel().pageSize }))
  } catch (error) {
    const { name, code, message, hint, cause } = error
    console.log(JSON.stringify({ is: error instanceof NoEngineError, name, code, message, hint, cause: cause?.code }))
  }
`

function run(nodeArgs: readonly string[], node?: string): Record<string, unknown> {
  const child: ChildEnd = runChild(attempt, {
    from: import.meta.dirname,
    nodeArgs: ['--no-warnings', ...nodeArgs],
    ...(node === undefined ? {} : { node }),
  })
  expect(child.stderr).toBe('')
  return JSON.parse(child.stdout) as Record<string, unknown>
}

// Node 24 has no node:ffi. On a newer Node, the test passes the flag that disables it.
const hasNodeFfi = process.getBuiltinModule('node:ffi') !== undefined
const withoutNodeFfi = hasNodeFfi ? ['--no-experimental-ffi'] : []

describe.skipIf(!onLinux)('without an engine (needs Linux)', () => {
  it.each([
    ['--no-addons', ['--no-addons'], '--no-addons'],
    ['--permission', ['--permission', '--allow-fs-read=*'], '--allow-addons'],
  ])('opening a kernel under %s throws a NoEngineError that names the package and the flag', (_, nodeArgs, flag) => {
    const said = run([...nodeArgs, ...withoutNodeFfi])
    expect(said).toMatchObject({
      is: true,
      name: 'NoEngineError',
      code: 'ERR_MEMLAYER_NO_ENGINE',
      cause: 'ERR_DLOPEN_DISABLED',
    })
    expect(said['message']).toContain(koffi)
    expect(said['message']).toContain(flag)
    expect(said['message']).toContain('node:ffi')
    expect(said['hint']).toContain(flag)
  })

  it('--allow-addons together with --permission is enough, as the message claims', () => {
    expect(run(['--permission', '--allow-fs-read=*', '--allow-addons'])).toHaveProperty('pageSize')
  })

  it('also names --allow-ffi when node:ffi is forbidden, and with that flag node:ffi serves', (context) => {
    const node = otherNode('node26', import.meta.url, context)
    const said = run(['--permission', '--allow-fs-read=*'], node)
    expect(said).toMatchObject({ code: 'ERR_MEMLAYER_NO_ENGINE' })
    expect(said['message']).toContain(koffi)
    expect(said['hint']).toMatch(/--allow-addons.*--allow-ffi/)
    expect(run(['--permission', '--allow-fs-read=*', '--allow-ffi'], node)).toHaveProperty('pageSize')
  })

  it('names --no-experimental-ffi when node:ffi was switched off', (context) => {
    const said = run(['--no-addons', '--no-experimental-ffi'], otherNode('node26', import.meta.url, context))
    expect(said['hint']).toContain('--no-experimental-ffi')
  })

  it('says that koffi has no build for a host, instead of naming a package to install', () => {
    const child = runChild(
      `
      Object.defineProperty(process, 'platform', { value: 'netbsd' })
      const { posixKernel } = await import('@memlayer/ffi')
      try { posixKernel() } catch ({ message }) { console.log(message) }
      `,
      { from: import.meta.dirname, nodeArgs: withoutNodeFfi },
    )
    expect(child.stderr).toBe('')
    expect(child.stdout).toContain(`koffi has no build for netbsd-${process.arch}`)
    expect(child.stdout).toContain('Node 26')
    expect(child.stdout).not.toContain('npm install')
  })
})

describe('the koffi builds', () => {
  it('are the optional dependencies of this package', () => {
    const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
    const { optionalDependencies } = JSON.parse(manifest) as { optionalDependencies: Record<string, string> }
    expect(koffiBuilds.map((host) => `@koromix/koffi-${host}`)).toEqual(Object.keys(optionalDependencies))
  })
})

describe.skipIf(!onLinux)('koffi under a setter of Object.prototype that throws (needs Linux)', () => {
  // Each name that koffi sets makes it abort. A name that it does not set changes nothing.
  it.each(['name', 'type', 'result', 'arguments', 'async', 'other'])(
    "declares nothing under '%s', and lives",
    (name) => {
      const child = runChild(
        `
      import { koffiEngine } from ${JSON.stringify(new URL('../dist/koffi.js', import.meta.url).href)}
      const engine = koffiEngine()
      const set = () => { throw new Error('set') }
      Object.defineProperty(Object.prototype, process.argv.at(-1), { set, configurable: true })
      let error
      try {
        engine.func(null, 'mincore', 'int', ['address', 'size', 'address'])
      } catch (thrown) {
        error = thrown
      }
      delete Object.prototype[process.argv.at(-1)]
      console.log(JSON.stringify([error?.code ?? null, error?.message ?? null]))
    `,
        { from: import.meta.dirname, args: [name] },
      )
      expect(child).toMatchObject({ code: 0, signal: null })
      const [code, message] = JSON.parse(child.stdout) as [string | null, string | null]
      expect(code).toBe(name === 'other' ? null : 'ERR_MEMLAYER_NO_ENGINE')
      if (name !== 'other') expect(message).toContain(`Delete Object.prototype.${name}`)
    },
  )
})
