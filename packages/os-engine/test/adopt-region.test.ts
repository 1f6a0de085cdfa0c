// Buffers of other code as regions of a memory: states, bytes, account, and what that code does to them meanwhile.
import { createMemory, type Adoptable, type AdoptedRegion } from '@memlayer/core'
import { posixKernel } from '@memlayer/ffi'
import { createOS } from '@memlayer/os-engine'
import { errorOf } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'
import { kinds, Memory, size, wasmPages } from './made-buffers.js'

const bytesOf = (made: Adoptable): Uint8Array => new Uint8Array('buffer' in made ? made.buffer : made)

const codeOf = (run: () => unknown): unknown => (errorOf(run) as { readonly code?: unknown }).code

describe.skipIf(process.platform !== 'linux')('memory.adopt (needs Linux)', () => {
  const memory = createMemory(createOS())
  const page = memory.os.traits.pageSize
  const totals = (): object => {
    const { reserved, prepared, ready } = memory.stats().total
    return { reserved, prepared, ready }
  }
  const none = { reserved: 0, prepared: 0, ready: 0 }

  describe.each(Object.entries(kinds))('of %s', (kind, make) => {
    it('is a region of its whole pages, Ready with their bytes, that moves through the states', () => {
      const made = make()
      bytesOf(made).fill(7)
      using region = memory.adopt(made, { name: kind })
      expect(region.size).toBeGreaterThanOrEqual(size - page)
      expect(region.buffer).toBe(bytesOf(made).buffer)
      expect(totals()).toEqual({ ...none, ready: region.size })
      expect(Object.keys(memory.stats().categories)).toContain(kind)
      const view = region.view(Uint8Array)
      expect(view.byteOffset).toBe(region.byteOffset)
      expect(view.every((byte) => byte === 7)).toBe(true)

      region.unused(0, 64 * page)
      expect(memory.residency(region.address, 64 * page)?.resident).toBe(0)
      expect(totals()).toEqual({ ...none, prepared: 64 * page, ready: region.size - 64 * page })
      expect(codeOf(() => region.view(Uint8Array, 0, 1))).toBe('ERR_MEMLAYER_STATE')
      region.commit(0, 64 * page)
      region.zero(64 * page + 1, 3 * page)
      expect(region.populate(0, 8 * page)).toBe(true)
      expect(view.findIndex((byte) => byte === 7)).toBe(64 * page)
      expect(bytesOf(made)[region.byteOffset + 64 * page + 1]).toBe(0)
      memory.check()
    })

    it('leaves the bytes to their owner when it is released, and can be adopted again', () => {
      const made = make()
      bytesOf(made).fill(7)
      const region = memory.adopt(made)
      region.fault(0, page)
      region.release()
      region.release()
      expect(region.disposed).toBe(true)
      expect(totals()).toEqual(none)
      const bytes = bytesOf(made)
      expect(bytes.reduce((sum, byte) => sum + byte, 0)).toBe(7 * (size - page))
      bytes.fill(8)
      using again = memory.adopt(made)
      expect(again.view(Uint8Array).every((byte) => byte === 8)).toBe(true)
    })

    it('is refused a second time, with the account as it was', () => {
      const made = make()
      using region = memory.adopt(made)
      region.free(0, page)
      const before = totals()
      expect(errorOf(() => memory.adopt(made))).toMatchObject({
        code: 'ERR_MEMLAYER_OPTION',
        message: expect.stringContaining('already') as string,
      })
      expect(totals()).toEqual(before)
      memory.check()
    })
  })

  const losses: readonly (readonly [string, () => ArrayBuffer, (buffer: ArrayBuffer) => unknown])[] = [
    ['transferred', () => new ArrayBuffer(size), (buffer) => buffer.transfer()],
    ['posted', () => new ArrayBuffer(size), (buffer) => structuredClone(1, { transfer: [buffer] })],
    ['shrunk', () => new ArrayBuffer(size, { maxByteLength: size }), (buffer) => buffer.resize(size / 2)],
  ]
  const calls: Readonly<Record<string, (region: AdoptedRegion) => unknown>> = {
    unused: (region) => region.unused(),
    view: (region) => region.view(Uint8Array),
    write: (region) => region.write(0, new Uint8Array(8)),
    free: (region) => region.free(),
    unusedAll: (region) => region.unusedAll([0, page]),
  }

  describe.each(losses)('of a buffer that is %s', (_, make, lose) => {
    it.each(Object.entries(calls))('says so at %s, and the pages leave the account', (_name, call) => {
      const buffer = make()
      const region = memory.adopt(buffer)
      lose(buffer)
      expect(codeOf(() => call(region))).toBe('ERR_MEMLAYER_DISPOSED')
      expect([region.disposed, region.byteOffset, totals()]).toEqual([true, NaN, none])
      memory.check()
    })

    it('leaves what lies there now alone when the range is named by its address', () => {
      const buffer = make()
      const region = memory.adopt(buffer)
      const { address } = region
      lose(buffer)
      memory.sysUnused(address, page)
      memory.sysUsed(address, page)
      expect(codeOf(() => memory.view(Uint8Array, address, 1))).toBe('ERR_MEMLAYER_VIEW')
      memory.sysFree(address, region.size, null)
      expect(totals()).toEqual(none)
    })
  })

  it('of what has the place of a lost buffer is a new region', () => {
    const buffer = new ArrayBuffer(size)
    const lost = memory.adopt(buffer, { name: 'lost' })
    const moved = buffer.transfer()
    // The transfer moves no byte, so the new buffer lies where the old one did.
    using region = memory.adopt(moved)
    expect(region.address).toBe(lost.address)
    expect([lost.disposed, totals()]).toEqual([true, { ...none, ready: region.size }])
  })

  it('of a WebAssembly memory stays where it is when the memory grows, with the new buffer', () => {
    const made = new Memory({ initial: wasmPages, maximum: 2 * wasmPages })
    using region = memory.adopt(made)
    region.view(Uint8Array)[5] = 9
    const before = made.buffer
    made.grow(wasmPages)
    expect(region.buffer).not.toBe(before)
    expect([region.size, region.view(Uint8Array)[5], region.buffer.byteLength]).toEqual([size, 9, 2 * size])
    region.unused()
    expect(new Uint8Array(made.buffer)[5]).toBe(0)
  })

  it.each([
    ['a number', 1, 'ERR_MEMLAYER_OPTION'],
    ['null', null, 'ERR_MEMLAYER_OPTION'],
    ['a view', new Uint8Array(size), 'ERR_MEMLAYER_OPTION'],
    ['an object with a buffer', { buffer: new ArrayBuffer(size) }, 'ERR_MEMLAYER_OPTION'],
    ['an object with the tag of a buffer', { [Symbol.toStringTag]: 'ArrayBuffer' }, 'ERR_MEMLAYER_OPTION'],
    ['a buffer of a few bytes', new ArrayBuffer(10), 'ERR_MEMLAYER_SIZE'],
    ['an empty buffer', new SharedArrayBuffer(0), 'ERR_MEMLAYER_SIZE'],
  ])('refuses %s', (_, value, code) => {
    expect(codeOf(() => memory.adopt(value as Adoptable))).toBe(code)
    expect(totals()).toEqual(none)
  })

  it('refuses wrong options, and a category of another memory', () => {
    const buffer = new SharedArrayBuffer(size)
    expect(codeOf(() => memory.adopt(buffer, { name: '' }))).toBe('ERR_MEMLAYER_OPTION')
    const { stat } = createMemory(createOS())
    expect(codeOf(() => memory.adopt(buffer, { stat: stat('x') }))).toBe('ERR_MEMLAYER_STAT')
    expect(totals()).toEqual(none)
  })

  it('refuses where the kernel can not tell where a buffer is, with its word', () => {
    const kernel = posixKernel()
    const deaf = createMemory(
      createOS({ kernel: { ...kernel, madvise: kernel.madvise.bind(kernel), addressOf: () => -38 } }),
    )
    expect(errorOf(() => deaf.adopt(new SharedArrayBuffer(size)))).toMatchObject({
      code: 'ERR_MEMLAYER_OUT_OF_MEMORY',
      syscall: 'addressOf',
    })
    deaf.check()
  })
})
