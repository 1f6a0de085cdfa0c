// Bun's and Deno's engines on those runtimes. They give the same answers as koffi, and Deno refuses without its
// permission. tooling/matrix runs whole kernels on them, from the packed package.
import { readFileSync } from 'node:fs'
import { requireEngine, runModule, type Engine, type SkippingContext } from '@memlayer/engines'
import { describe, expect, it } from 'vitest'
import { koffiEngine } from '../dist/koffi.js'
import type { Engine as Foreign } from '../dist/engine.js'

const onLinux = process.platform === 'linux' && process.arch === 'x64'
const addresses = [0x0a00000000000000, 0xfffffd7fff000000, 2 ** 64 - 4096, 0x7fffffffffff000, -1, 0, -0]

/** The calls that an engine gets. This function's own text runs elsewhere. */
function ask(engine: Foreign, given: readonly number[]): Record<string, unknown> {
  const mmap = engine.func(null, 'mmap', 'address', ['address', 'size', 'int', 'int', 'int', 'offset'])
  const munmap = engine.func(null, 'munmap', 'int', ['address', 'size'])
  const memset = engine.func(null, 'memset', 'address', ['address', 'int', 'size'])
  const errno = new Int32Array(engine.view(engine.func(null, '__errno_location', 'address', [])(), 4))
  const v = mmap(0, 8192, 3, 0x22, -1, 0)
  const buffer = engine.view(v, 8192)
  const bytes = new Uint8Array(buffer)
  memset(v + 4096, 5, 4096)
  engine.write(v, Uint8Array.of(1, 2, 3))
  const copy = new Uint8Array(4)
  engine.read(v, copy)
  engine.read(v, new Uint8Array(0))
  engine.write(v, new Uint8Array(0))
  const seen = [...bytes.subarray(0, 4), bytes[4096]]
  const failed = [
    mmap(0, 2 ** 47, 0, 0x22, -1, 0),
    errno[0],
    munmap(v + 1, 4096),
    errno[0],
    mmap(-0, 4096, 3, 2, 1000000, -0),
    errno[0],
  ]
  buffer.transfer(0)
  let noSymbol = ''
  try {
    engine.func(null, 'no_such_function', 'int', [])
  } catch {
    noSymbol = 'throws'
  }
  // memset over 0 bytes returns the address that it got.
  const whole = given.map((address) => memset(address, 0, 0))
  return { seen, copy: [...copy], failed, detached: bytes.length, unmapped: munmap(v, 8192), whole, noSymbol }
}

function answersOn(engine: Engine, module: string, opener: string): Record<string, unknown> {
  const url = new URL(`../dist/bundle/${module}.js`, import.meta.url).href
  const given = addresses.map((address) => (Object.is(address, -0) ? '-0' : String(address))).join(', ')
  const text = [
    `import { ${opener} } from '${url}'`,
    ask.toString(),
    `console.log(JSON.stringify(ask(${opener}(), [${given}])))`,
  ].join('\n')
  return JSON.parse(runModule(engine, text)) as Record<string, unknown>
}

const deno = (context: SkippingContext, permissions: readonly string[]): Engine => ({
  ...requireEngine('deno', context),
  args: ['run', '--no-prompt', ...permissions, '-'],
})

describe.skipIf(!onLinux)('the engines of other runtimes (need Linux on x64)', () => {
  const expected = {
    seen: [1, 2, 3, 0, 5],
    copy: [1, 2, 3, 0],
    failed: [-1, 12, -1, 22, -1, 9],
    detached: 0,
    unmapped: 0,
    whole: [0x0a00000000000000, 0xfffffd7fff000000, 2 ** 64 - 4096, 0x7fffffffffff000, -1, 0, 0],
    noSymbol: 'throws',
  }

  it('bun:ffi answers correctly, also with addresses above 2^53 and 2^63', (context) => {
    expect(answersOn(requireEngine('bun', context), 'bun-ffi', 'bunEngine')).toEqual(expected)
  })

  it('Deno.dlopen answers correctly, with --allow-ffi and no other permission', (context) => {
    expect(answersOn(deno(context, ['--allow-ffi']), 'deno-ffi', 'denoEngine')).toEqual(expected)
  })

  it('koffi gives the same answers for the addresses that it takes', () => {
    const { whole, ...rest } = expected
    expect(ask(koffiEngine(), [-1, 0, 4096])).toEqual({ ...rest, whole: [-1, 0, 4096] })
    expect(whole).toHaveLength(addresses.length)
  })

  it('without --allow-ffi Deno does not prompt, and the error names the flag', (context) => {
    const url = new URL('../dist/deno-ffi.js', import.meta.url).href
    const text = `import { denoEngine } from '${url}'
      try { denoEngine() } catch ({ code, reason, hint }) { console.log(JSON.stringify({ code, reason, hint })) }`
    expect(JSON.parse(runModule(deno(context, []), text))).toEqual({
      code: 'ERR_MEMLAYER_NO_ENGINE',
      reason: 'Deno forbids foreign calls without its permission',
      hint: 'Start deno with --allow-ffi.',
    })
  })

  it('a view that Bun can’t make throws a RangeError with the longest length', (context) => {
    const url = new URL('../dist/bun-ffi.js', import.meta.url).href
    const text = `import { bunEngine } from '${url}'
      try { bunEngine().view(4096, 2 ** 32 + 4096) } catch ({ name, message }) { console.log(name, message) }`
    expect(runModule(requireEngine('bun', context), text)).toMatch(
      /^RangeError cannot view 4294971392 bytes: a view in Bun has at most 4 GiB/,
    )
  })

  it('a view that an asynchronous call has on Bun can’t be detached until the call has ended', (context) => {
    const [ffi, kernel] = ['../dist/bun-ffi.js', '../../kernel/dist/bundle.js'].map(
      (path) => new URL(path, import.meta.url).href,
    )
    const text = `import { open } from 'node:fs/promises'
      import { bunEngine } from '${ffi}'
      import { detachView } from '${kernel}'
      const engine = bunEngine()
      const mmap = engine.func(null, 'mmap', 'address', ['address', 'size', 'int', 'int', 'int', 'offset'])
      const bytes = new Uint8Array(engine.view(mmap(0, 8192, 3, 0x22, -1, 0), 8192))
      const file = await open(process.execPath)
      const read = file.read(bytes, 0, 8192, 0)
      try { detachView(bytes.buffer) } catch ({ name, message }) { console.log(name, message) }
      console.log(bytes.length, (await read).bytesRead)
      detachView(bytes.buffer)
      console.log(bytes.length)
      await file.close()`
    expect(runModule(requireEngine('bun', context), text)).toBe(
      'TypeError a native call that has not ended uses its bytes\n8192 8192\n0\n',
    )
  })

  it('are chosen by the manifest’s conditions, with the default for Node and for bundles', () => {
    const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
    const { imports } = JSON.parse(manifest) as { imports: { '#engine': Record<string, string> } }
    expect(Object.entries(imports['#engine'])).toEqual([
      ['types', './dist/any-engine.d.ts'],
      ['bun', './dist/bundle/bun-ffi.js'],
      ['deno', './dist/bundle/deno-ffi.js'],
      ['default', './dist/bundle/any-engine.js'],
    ])
  })
})
