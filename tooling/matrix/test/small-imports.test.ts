// A program that imports an error class or a text function alone gets no region, no ledger and no timer with it.
import { build } from 'esbuild'
import { rolldown } from 'rolldown'
import { describe, expect, it } from 'vitest'

const bytesMax = 2048

async function byEsbuild(contents: string): Promise<string> {
  const stdin = { contents, resolveDir: import.meta.dirname }
  const { outputFiles } = await build({
    stdin,
    bundle: true,
    minify: true,
    write: false,
    platform: 'node',
    format: 'esm',
  })
  return outputFiles[0]?.text ?? ''
}

async function byRolldown(contents: string): Promise<string> {
  const entry = 'virtual:entry'
  const plugin = {
    name: 'entry',
    resolveId: (id: string, importer: string | undefined) =>
      importer === undefined ? entry : id.startsWith('virtual:') ? id : undefined,
    load: (id: string) => (id === entry ? contents : undefined),
  }
  const bundle = await rolldown({ input: entry, plugins: [plugin], platform: 'node', cwd: import.meta.dirname })
  const { output } = await bundle.generate({ format: 'esm', minify: true })
  await bundle.close()
  return output[0].code
}

describe.each(['@memlayer/core', 'memlayer'])('an import from %s', (name) => {
  it.each(['UsageError', 'OutOfMemoryError', 'formatBytes', 'formatAddress'])(
    'of %s alone is less than 2 KiB, by esbuild and by rolldown',
    async (what) => {
      const program = `import { ${what} } from '${name}'; console.log(${what})`
      for (const code of [await byEsbuild(program), await byRolldown(program)]) {
        expect(code.length).toBeGreaterThan(20)
        expect(code.length).toBeLessThan(bytesMax)
        expect(code).not.toMatch(/FinalizationRegistry|WeakMap|setTimeout/)
      }
    },
  )
})

it('an ES module of memlayer is bundled without a warning, by esbuild and by rolldown', async () => {
  const contents = "import { memory } from 'memlayer'; console.log(memory.os.name)"
  const stdin = { contents, resolveDir: import.meta.dirname }
  const { warnings } = await build({ stdin, bundle: true, write: false, platform: 'node', format: 'esm' })
  const logs: string[] = []
  const bundle = await rolldown({
    input: import.meta.resolve('memlayer').slice('file://'.length),
    platform: 'node',
    onLog: (_, { message }) => logs.push(message),
  })
  await bundle.generate({ format: 'esm' })
  await bundle.close()
  expect([warnings.map(({ text }) => text), logs]).toEqual([[], []])
})
