// Tests that each engine has the right name, runs a module, and reports an error of the module.
import { engineNames, requireEngine, runModule } from '@memlayer/engines'
import { afterEach, describe, expect, it, vi } from 'vitest'

afterEach(() => vi.unstubAllEnvs())

const whoAmI = `
  const { Bun, Deno, process } = globalThis
  const name = Bun ? 'bun' : Deno ? 'deno' : 'node' + process.versions.node.split('.')[0]
  console.log(await Promise.resolve(name))
`

describe.each(engineNames)('%s', (name) => {
  it('runs a module, which finds that engine’s name', (ctx) => {
    expect(runModule(requireEngine(name, ctx), whoAmI)).toBe(`${name}\n`)
  })

  it('reports an error that the module throws', (ctx) => {
    const engine = requireEngine(name, ctx)
    expect(() => runModule(engine, 'throw new Error("on purpose")')).toThrow(/on purpose/)
  })
})

describe('a missing engine', () => {
  it('skips the test and says what it needs, and fails it in CI', async () => {
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
