// `memory` and memlayer/os in child processes. Nothing is loaded before the first use, and a process makes one choice.
// The environment, flags and export conditions decide it.
import { runChild, type ChildEnd } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'

const onLinux = process.platform === 'linux'

function run(code: string, nodeArgs: readonly string[] = [], env: NodeJS.ProcessEnv = {}): ChildEnd {
  return runChild(code, { from: import.meta.dirname, nodeArgs, env: { ...process.env, ...env } })
}

function json(code: string, nodeArgs: readonly string[] = [], env: NodeJS.ProcessEnv = {}): unknown {
  const { stdout, stderr } = run(code, nodeArgs, env)
  if (stdout === '') throw new Error(stderr)
  return JSON.parse(stdout)
}

const choice = `
  import { memory } from 'memlayer'
  console.log(JSON.stringify({ ...memory.choice, os: memory.os.name }))
`

// Node 24 has no node:ffi. A runner with node:ffi gets the flag that removes it.
const withoutAddons = [
  '--no-addons',
  ...(process.getBuiltinModule('node:ffi') === undefined ? [] : ['--no-experimental-ffi']),
]

describe.skipIf(!onLinux)('memory (needs Linux)', () => {
  it('is the kernel’s own memory from the first use on, and one object', () => {
    const said = json(`
      import { createMemory, memory, SysMemStat, UsageError } from 'memlayer'
      import { createOS, hostChoice } from 'memlayer/os'
      const v = memory.sysAlloc(2 ** 20, memory.stat('heap'))
      memory.view(Uint8Array, v, 1)[0] = 7
      const own = createMemory(createOS({ madvDontNeed: false }))
      console.log(JSON.stringify({
        os: memory.os.name,
        byte: memory.view(Uint8Array, v, 1)[0],
        held: memory.stat('heap').load(),
        same: memory.os === memory.os && memory.choice === hostChoice(),
        classes: memory.stat('heap') instanceof SysMemStat,
        options: [memory.os.traits.unusedDropsContents, own.os.traits.unusedDropsContents],
      }))
    `)
    expect(said).toEqual({ os: 'linux', byte: 7, held: 2 ** 20, same: true, classes: true, options: [true, false] })
  })

  it('works where the program froze it before its first use', () => {
    const said = json(`
      import { memory } from 'memlayer'
      Object.freeze(memory)
      memory.limit = { bytes: 2 ** 30 }
      const { size } = memory.reserve(2 ** 20)
      console.log(JSON.stringify([size, memory.reserve(2 ** 21).size, memory.limit.bytes]))
    `)
    expect(said).toEqual([2 ** 20, 2 ** 21, 2 ** 30])
  })

  it('keeps what a test has put in the place of a method before its first use, and the method behind it', () => {
    const said = json(`
      import { memory } from 'memlayer'
      import { mock } from 'node:test'
      mock.method(memory, 'reserve')
      mock.method(memory, 'stats', () => 7)
      memory.ranges()
      const { size } = memory.reserve(2 ** 20)
      console.log(JSON.stringify([size, memory.stats(), memory.reserve.mock.callCount()]))
    `)
    expect(said).toEqual([2 ** 20, 7, 1])
  })

  it('is imported where Object.prototype has accessors that are no functions', () => {
    const said = json(`
      Object.prototype.get = 'poll'
      const { memory } = await import('memlayer')
      const names = Object.keys(memory)
      console.log(JSON.stringify([memory.reserve(2 ** 20).size, names.includes('toString'), String(memory)]))
    `)
    // koffi's addon does not load there, so os-js may serve.
    expect(said).toEqual([2 ** 20, false, expect.stringMatching(/^Memory of (linux|js): 1 MiB Reserved/)])
  })

  it('demands a real backend when the program does, with an error in place of the fallback', () => {
    const demand = (before: string): string => `
      import { memory } from 'memlayer'
      ${before}
      let code
      try { memory.require({ backend: 'native' }) } catch (error) { code = error.code + ' ' + error.message }
      console.log(JSON.stringify({ code }))`
    expect(json(demand(''))).toEqual({})
    const forbidden = run(demand(''), withoutAddons)
    expect(JSON.parse(forbidden.stdout)).toEqual({
      code: expect.stringMatching(/^ERR_MEMLAYER_BACKEND .*memory\.require\(\) forbids .*--no-addons/) as string,
    })
    expect(forbidden.stderr).not.toContain('MEMLAYER_FALLBACK')
    // The choice was made before, by another part of the program.
    expect(json(demand('memory.stats()'), withoutAddons)).toEqual({
      code: expect.stringMatching(/^ERR_MEMLAYER_BACKEND require: the backend is @memlayer\/os-js/) as string,
    })
    expect(json(demand(''), [], { MEMLAYER_OS: 'js' })).toEqual({
      code: expect.stringContaining('without MEMLAYER_OS=js') as string,
    })
    expect(json(demand('').replace('native', 'fast'))).toEqual({
      code: expect.stringMatching(/^ERR_MEMLAYER_OPTION/) as string,
    })
  })

  it('warns of the writes that a fallback can lose', () => {
    const { stderr } = run(choice, withoutAddons)
    expect(stderr).toMatch(/is lost without an error.*every view ends when the memory grows.*memory\.require/)
  })

  it('loads no native backend, no ffi and no addon before the first use', () => {
    const said = json(`
      import { registerHooks } from 'node:module'
      import { readFileSync } from 'node:fs'
      const loaded = []
      registerHooks({
        resolve(specifier, context, next) {
          const found = next(specifier, context)
          loaded.push(found.url)
          return found
        },
      })
      const { memory } = await import('memlayer')
      await import('memlayer/os')
      const addons = () => readFileSync('/proc/self/maps', 'latin1').includes('koffi.node')
      const native = () => loaded.filter((url) => /os-linux|ffi/.test(url)).length
      const before = [native(), addons()]
      memory.stats()
      console.log(JSON.stringify({ before, after: [native() > 0, addons()] }))
    `)
    expect(said).toEqual({ before: [0, false], after: [true, true] })
  })

  it('is made once by a function that was taken off it, however often that is called', () => {
    const said = json(`
      import { memory } from 'memlayer'
      const { stats, reserve } = memory
      const early = memory.stats
      stats()
      const made = memory.stats
      reserve(2 ** 20).free()
      stats()
      console.log(JSON.stringify([made === early, made === memory.stats, stats().total.calls]))
    `)
    expect(said).toEqual([false, true, 2])
  })

  it('is the same object through require()', () => {
    const said = json(`
      import { createRequire } from 'node:module'
      import { memory } from 'memlayer'
      const required = createRequire(import.meta.url)('memlayer')
      const keys = Object.keys(required)
      console.log(JSON.stringify([required.memory === memory, required.memory.os.name, keys.length > 10]))
    `)
    expect(said).toEqual([true, 'linux', true])
  })

  it.each([
    ['MEMLAYER_OS=js', [], { MEMLAYER_OS: 'js' }, { backend: '@memlayer/os-js', how: 'asked', os: 'js' }],
    ['MEMLAYER_OS=plan9', [], { MEMLAYER_OS: 'plan9' }, { backend: '@memlayer/os-plan9', how: 'asked', os: 'plan9' }],
    ['-C memlayer-os-js', ['-C', 'memlayer-os-js'], {}, { backend: '@memlayer/os-js', how: 'pin', os: 'js' }],
    [
      '-C memlayer-os-linux',
      ['-C', 'memlayer-os-linux'],
      {},
      { backend: '@memlayer/os-linux', how: 'pin', os: 'linux' },
    ],
    ['-C browser', ['-C', 'browser'], {}, { backend: '@memlayer/os-js', how: 'host', os: 'js' }],
    ['-C workerd', ['-C', 'workerd'], {}, { backend: '@memlayer/os-js', how: 'host', os: 'js' }],
    ['-C edge-light', ['-C', 'edge-light'], {}, { backend: '@memlayer/os-js', how: 'host', os: 'js' }],
    ['-C react-native', ['-C', 'react-native'], {}, { backend: '@memlayer/os-js', how: 'host', os: 'js' }],
    ['nothing', [], {}, { backend: '@memlayer/os-linux', how: 'host', os: 'linux' }],
    ['empty variables', [], { MEMLAYER_OS: '', MEMLAYER_STRICT: '0' }, { how: 'host' }],
  ])('with %s has the backend that this names', (_, nodeArgs, env, expected) => {
    expect(json(choice, nodeArgs, env)).toMatchObject(expected)
  })

  it('warns once with a code when os-js replaces the host’s own backend, and works', () => {
    const { code, stdout, stderr } = run(`${choice}\nmemory.sysAlloc(2 ** 20, null)\nmemory.check()`, withoutAddons)
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ backend: '@memlayer/os-js', how: 'fallback', os: 'js' })
    expect(stderr.match(/\[MEMLAYER_FALLBACK\] MemlayerWarning/g)).toHaveLength(1)
    expect(stderr).toMatch(/--no-addons/)
  })

  it('throws a BackendError under MEMLAYER_STRICT on every use', () => {
    const said = json(
      `
      import { BackendError, MemlayerError, memory } from 'memlayer'
      const codes = [1, 2].map(() => {
        try {
          return memory.os.name
        } catch (error) {
          return [error instanceof BackendError, error instanceof MemlayerError, error.code, error.name]
        }
      })
      console.log(JSON.stringify(codes))
      `,
      withoutAddons,
      { MEMLAYER_STRICT: '1' },
    )
    const expected = [true, true, 'ERR_MEMLAYER_BACKEND', 'BackendError']
    expect(said).toEqual([expected, expected])
  })
})

describe('a platform without a backend', () => {
  it('gets os-js, and the reason names the platform', () => {
    const { stdout, stderr } = run(`Object.defineProperty(process, 'platform', { value: 'haiku' })\n${choice}`)
    expect(JSON.parse(stdout)).toMatchObject({
      backend: '@memlayer/os-js',
      how: 'fallback',
      reason: expect.stringContaining("'haiku'") as string,
    })
    expect(stderr).toMatch(/MEMLAYER_FALLBACK/)
  })
})
