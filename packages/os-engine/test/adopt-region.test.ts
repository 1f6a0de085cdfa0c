// Buffers of other code as regions of a memory: states, bytes, account, and what that code does to them meanwhile.
import { createMemory, type Adoptable, type AdoptedRegion } from '@memlayer/core'
import { posixKernel } from '@memlayer/ffi'
import { createOS } from '@memlayer/os-engine'
import { errorOf, runChild } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'
import { bufferOf, grow, kinds, Memory, size, wasmPages, type Made } from './made-buffers.js'

const bytesOf = (made: Adoptable): Uint8Array => new Uint8Array(bufferOf(made as Made))

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

    it('is refused a second time, as a memory and as its buffer, by the name of the region that has it', () => {
      const made = make()
      using region = memory.adopt(made, { name: 'first' })
      region.free(0, page)
      const before = memory.stats().total
      for (const again of [made, bufferOf(made)]) {
        const error = errorOf(() => memory.adopt(again, { name: 'second' }))
        expect(error).toMatchObject({ name: 'UsageError', code: 'ERR_MEMLAYER_OPTION', op: 'adopt' })
        expect((error as Error).message).toMatch(
          /: the region 'first' has pages of this buffer already\. Use that region, or call its release\(\) first\.$/,
        )
      }
      // The refusals of the OS are among the figures.
      expect(memory.stats().total).toEqual(before)
      memory.check()
    })

    it('is refused where the buffer has grown since, and taken once its region was released', () => {
      const made = make()
      const region = memory.adopt(made, { name: 'first' })
      if (!grow(made)) return region.release()
      const before = memory.stats().total
      expect(errorOf(() => memory.adopt(made))).toMatchObject({
        code: 'ERR_MEMLAYER_OPTION',
        message: expect.stringContaining("the region 'first' has pages of this buffer already") as string,
      })
      expect(memory.stats().total).toEqual(before)
      region.release()
      using all = memory.adopt(made)
      expect(all.size).toBe(2 * size)
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
    zero: (region) => region.zero(),
    hugePages: (region) => (region.hugePages = 'on'),
    hugePageUse: (region) => region.hugePageUse(),
  }

  describe.each(losses)('of a buffer that is %s', (_, make, lose) => {
    it.each(Object.entries(calls))('says so at %s, and the pages leave the account', (name, call) => {
      const buffer = make()
      const region = memory.adopt(buffer)
      lose(buffer)
      // The second time it says so as well.
      for (let times = 0; times < 2; times++) {
        expect(errorOf(() => call(region))).toMatchObject({
          code: 'ERR_MEMLAYER_DISPOSED',
          message: expect.stringMatching(
            `^${name}: the buffer of the region 'adopted' was detached, has shrunk or has moved`,
          ) as string,
        })
      }
      expect([region.disposed, region.byteOffset, totals()]).toEqual([true, NaN, none])
      memory.check()
    })

    it('says so where a hold keeps the pages, which ends with them', () => {
      const buffer = make()
      const region = memory.adopt(buffer)
      const hold = region.hold(0, page)
      lose(buffer)
      expect(memory.holds().map(({ kind }) => kind)).toEqual(['hold'])
      expect(codeOf(() => region.zero(page, page))).toBe('ERR_MEMLAYER_DISPOSED')
      expect([region.disposed, memory.holds(), totals()]).toEqual([true, [], none])
      // What has the place now is not held by it.
      hold.release()
      expect(hold.released).toBe(true)
      memory.check()
    })

    it.each<[string, (region: AdoptedRegion) => void]>([
      ['release()', (region) => region.release()],
      ['the end of a using block', (region) => region[Symbol.dispose]()],
    ])('is over with %s, which throws neither the first nor the second time', (_name, end) => {
      const buffer = make()
      const region = memory.adopt(buffer)
      const hold = region.hold()
      lose(buffer)
      end(region)
      end(region)
      expect([region.disposed, memory.holds(), totals()]).toEqual([true, [], none])
      hold.release()
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

  it('of what has the place of a lost buffer is free of the holds on the lost one', () => {
    const buffer = new ArrayBuffer(size)
    const hold = memory.adopt(buffer).hold()
    using region = memory.adopt(buffer.transfer())
    region.unused()
    expect([hold.released, memory.holds()]).toEqual([false, []])
    hold.release()
  })

  it('names the method that was called where a hold keeps the pages', () => {
    const region = memory.adopt(new ArrayBuffer(size), { name: 'held' })
    const hold = region.hold()
    for (const op of ['release', 'free'] as const) {
      const error = errorOf(() => region[op]())
      expect(error).toMatchObject({ code: 'ERR_MEMLAYER_SHARED', op })
      expect((error as Error).message).toContain(`${op}(0, ${region.size}) of the region 'held' at 0x`)
    }
    hold.release()
    region.release()
    expect(errorOf(() => region.zero())).toMatchObject({
      code: 'ERR_MEMLAYER_DISPOSED',
      message: "zero: the region 'held' was released. Adopt the buffer again.",
    })
  })

  it('refuses the buffer of its own region and of its own range, and says which', () => {
    const region = memory.reserve(size, { name: 'own' })
    region.commit()
    const v = memory.sysAlloc(size, null)
    const before = memory.stats().total
    expect((errorOf(() => memory.adopt(region.view(Uint8Array).buffer)) as Error).message).toMatch(
      /the region 'own' has pages of this buffer already\. Use that region, or call its free\(\) first\.$/,
    )
    expect((errorOf(() => memory.adopt(memory.view(Uint8Array, v, size).buffer)) as Error).message).toContain(
      `this memory has the page at 0x${v.toString(16)} of this buffer already`,
    )
    expect(memory.stats().total).toEqual(before)
    region.free()
    memory.sysFree(v, size, null)
    memory.check()
  })

  it('says of a region that was collected how its pages are freed', () => {
    const { stdout } = runChild(
      `
      import { createMemory } from '@memlayer/core'
      import { createOS } from '@memlayer/os-engine'
      const memory = createMemory(createOS())
      const buffer = new SharedArrayBuffer(${size})
      ;(() => memory.adopt(buffer, { name: 'dropped' }))()
      const wait = () => new Promise((resolve) => setTimeout(resolve, 1))
      for (let i = 0; memory.leaks().length === 0 && i < 1000; i++) { await wait(); gc() }
      const messageOf = () => { try { memory.adopt(buffer).release() } catch ({ message }) { return message } }
      const first = messageOf()
      for (const { parts } of memory.leaks()) for (const [v, n] of parts) memory.sysFree(v, n, null)
      console.log(JSON.stringify([first, messageOf() ?? 'none', memory.stats().total.ready]))
      `,
      { from: import.meta.dirname, nodeArgs: ['--expose-gc'] },
    )
    const [first, second, ready] = JSON.parse(stdout) as [string, string, number]
    expect(first).toMatch(
      /'dropped' has pages of this buffer already\. It was collected without being freed: free its parts in memory/,
    )
    expect([second, ready]).toEqual(['none', 0])
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
  ])('refuses %s', (_, value, code) => {
    expect(codeOf(() => memory.adopt(value as Adoptable))).toBe(code)
    expect(totals()).toEqual(none)
  })

  it('refuses a buffer without a whole page, and says how large a buffer has to be', () => {
    const kernel = posixKernel()
    // V8 begins a fixed buffer within a page, so of up to two pages none may be whole.
    const within = createMemory(
      createOS({ kernel: { ...kernel, madvise: kernel.madvise.bind(kernel), addressOf: () => 2 ** 30 + 16 } }),
    )
    for (const length of [0, 10, page - 1, page, page + 1, 2 * page - 17]) {
      const error = errorOf(() => within.adopt(new ArrayBuffer(length)))
      expect(error).toMatchObject({ name: 'UsageError', code: 'ERR_MEMLAYER_SIZE', op: 'adopt' })
      const what = length === 0 ? 'has no bytes: it is empty, or was detached' : `of ${length} bytes has no whole page`
      expect((error as Error).message).toContain(
        `the buffer ${what}. Adopt a buffer of at least two pages of ${page} bytes. One of them lies whole in it`,
      )
      expect(within.stats().total).toMatchObject({ ready: 0, refusals: 0 })
    }
    using whole = within.adopt(new ArrayBuffer(2 * page - 16))
    expect([whole.size, whole.byteOffset]).toEqual([page, page - 16])
    // A buffer that can change its size begins with a page.
    using first = memory.adopt(new ArrayBuffer(page, { maxByteLength: page }))
    expect([first.size, first.byteOffset]).toEqual([page, 0])
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
