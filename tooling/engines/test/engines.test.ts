// Each engine is the one it is called, takes a module, and tells how that ended.
import { engineNames, requireEngine, runModule } from '@memlayer/engines'
import { afterEach, describe, expect, it, vi } from 'vitest'

afterEach(() => vi.unstubAllEnvs())

const whoAmI = `
  const { Bun, Deno, process } = globalThis
  const name = Bun ? 'bun' : Deno ? 'deno' : 'node' + process.versions.node.split('.')[0]
  console.log(await Promise.resolve(name))
`

describe.each(engineNames)('%s', (name) => {
  it('runs a module, and is what it is called', (ctx) => {
    expect(runModule(requireEngine(name, ctx), whoAmI)).toBe(`${name}\n`)
  })

  it('tells of what the module throws', (ctx) => {
    const engine = requireEngine(name, ctx)
    expect(() => runModule(engine, 'throw new Error("on purpose")')).toThrow(/on purpose/)
  })
})

describe('an engine that is missing', () => {
  it('skips the test with what it needs, and fails it in CI', async () => {
    vi.doMock('node:fs', () => ({ existsSync: () => false }))
    vi.resetModules()
    const { requireEngine: requireAnew } = await import('@memlayer/engines')
    const notes: (string | undefined)[] = []
    const context = {
      skip(note?: string): never {
        notes.push(note)
        throw new Error('skipped')
      },
    }
    vi.stubEnv('CI', '')
    expect(() => requireAnew('bun', context)).toThrow('skipped')
    expect(notes).toEqual([expect.stringContaining('needs bun')])
    vi.stubEnv('CI', 'true')
    expect(() => requireAnew('bun', context)).toThrow('needs bun')
  })
})
