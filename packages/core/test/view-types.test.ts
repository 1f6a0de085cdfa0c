// What a view can be made of, and what is said of what can't: element sizes, lengths, and where elements may begin.
import vm from 'node:vm'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { checkElements, elementSize, viewOver } from '../src/borrows/view-types.js'
import { errorOf } from './errors-of.js'

const sizes: readonly [string, number][] = [
  ['Int8Array', 1],
  ['Uint8Array', 1],
  ['Uint8ClampedArray', 1],
  ['Int16Array', 2],
  ['Uint16Array', 2],
  ['Int32Array', 4],
  ['Uint32Array', 4],
  ['Float32Array', 4],
  ['Float64Array', 8],
  ['BigInt64Array', 8],
  ['BigUint64Array', 8],
  ['DataView', 1],
]

const globals = globalThis as unknown as Record<string, new () => ArrayBufferView>

afterEach(() => {
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
  vi.resetModules()
})

describe('the class of a view', () => {
  it.each(sizes)('%s has its elements, in this realm, in another one, and where a class extends it', (name, size) => {
    const type = globals[name] as never
    expect(elementSize('view', type)).toBe(size)
    expect(elementSize('view', vm.runInNewContext(name) as never)).toBe(size)
    expect(elementSize('view', class extends (type as typeof Uint8Array) {})).toBe(size)
  })

  it('may be Buffer, and Float16Array where the engine has it', async () => {
    expect(elementSize('view', Buffer as never)).toBe(1)
    class Float16Array extends Uint16Array {}
    vi.stubGlobal('Float16Array', Float16Array)
    vi.resetModules()
    const anew = await import('../src/borrows/view-types.js')
    expect([anew.elementSize('view', Float16Array as never), anew.elementSize('view', DataView)]).toEqual([2, 1])
  })

  it('is no other value, and no function that only has such a name', () => {
    const named = Object.defineProperty(() => undefined, 'name', { value: 'Float64Array' })
    for (const wrong of [Map, Object, ArrayBuffer, named, null, undefined, 8, 'Uint8Array', {}]) {
      const error = errorOf(() => elementSize('lend', wrong as never))
      expect(error).toMatchObject({ code: 'ERR_MEMLAYER_VIEW', op: 'lend' })
      expect(error.message).toMatch(/^lend: .* is not the class of a view/)
    }
  })
})

describe('the elements of a view', () => {
  it('are a whole number from 0 on', () => {
    checkElements('view', Uint8Array, 1, 4096, 0)
    checkElements('view', Uint8Array, 1, 4096, Number.MAX_SAFE_INTEGER)
    for (const wrong of [-1, 0.5, NaN, Infinity, 2 ** 53, '3', null]) {
      const error = errorOf(() => checkElements('view', Uint8Array, 1, 4096, wrong as number))
      expect(error).toMatchObject({ code: 'ERR_MEMLAYER_VIEW', op: 'view' })
      expect(error.message).toContain('the length is ')
    }
  })

  it('begin at a multiple of their size', () => {
    checkElements('view', Float64Array, 8, 4104, 1)
    const error = errorOf(() => checkElements('view', Float64Array, 8, 4100, 1))
    expect(error).toMatchObject({ code: 'ERR_MEMLAYER_VIEW', op: 'view', address: 4100 })
    expect(error.message).toMatch(/a Float64Array cannot begin at 0x1004.*a multiple of 8 bytes/)
  })
})

describe('a view over a buffer', () => {
  it('is of its class, at its offset, and a Buffer comes without a warning of Node', () => {
    const warned = vi.spyOn(process, 'emitWarning')
    const buffer = new ArrayBuffer(64)
    const [words, bytes] = [viewOver(Uint32Array, buffer, 8, 4), viewOver<Buffer<ArrayBuffer>>(Buffer, buffer, 8, 4)]
    expect([words.constructor, words.buffer === buffer, words.byteOffset, words.length]).toEqual([
      Uint32Array,
      true,
      8,
      4,
    ])
    expect([Buffer.isBuffer(bytes), bytes.buffer === buffer, bytes.byteOffset, bytes.length]).toEqual([
      true,
      true,
      8,
      4,
    ])
    expect(warned).not.toHaveBeenCalled()
  })

  it('is made of Buffer too where the host has it as a module only, and needs no host that has it', async () => {
    const own = Buffer
    vi.stubGlobal('Buffer', undefined)
    vi.resetModules()
    const anew = await import('../src/borrows/view-types.js')
    const bytes = anew.viewOver<Uint8Array<ArrayBuffer>>(own, new ArrayBuffer(8), 4, 4)
    expect([own.isBuffer(bytes), bytes.byteOffset]).toEqual([true, 4])
    vi.stubGlobal('process', undefined)
    vi.resetModules()
    const without = await import('../src/borrows/view-types.js')
    expect(without.viewOver(Uint8Array, new ArrayBuffer(8), 4, 4).length).toBe(4)
  })
})
