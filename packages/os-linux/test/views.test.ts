// Views over real pages: at full speed while the pages are Ready, and only undefined afterwards. If a view lived on
// after its pages were unmapped, it would end this process.
import { closeSync, openSync, readSync } from 'node:fs'
import { createMemory, UsageError, type Region, type ViewConstructor } from '@memlayer/core'
import { posixKernel } from '@memlayer/ffi'
import { createOS } from '@memlayer/os-linux'
import { residentBytes } from '@memlayer/witness'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const page = process.platform === 'linux' ? posixKernel().pageSize : 4096
const ready = 1024 * page
const whole = 4096 * page

interface Numbers extends ArrayBufferView {
  length: number
  [index: number]: number | bigint
}

const types = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
  // It came with Node 24.
  ...('Float16Array' in globalThis ? [(globalThis as { Float16Array?: unknown }).Float16Array] : []),
] as unknown as ViewConstructor<Numbers>[]

describe.skipIf(process.platform !== 'linux')('views over regions (needs Linux)', () => {
  const memory = createMemory(createOS())
  let region: Region

  beforeEach(() => {
    region = memory.reserve(whole, { name: 'views' })
    region.commit(0, ready)
  })
  afterEach(() => {
    region[Symbol.dispose]()
    memory.check()
    expect(memory.stats().total.ready).toBe(0)
  })

  const leaving: [string, (offset: number, length: number) => void][] = [
    ['unused', (offset, length) => region.unused(offset, length)],
    ['fault', (offset, length) => region.fault(offset, length)],
    ['free', (offset, length) => region.free(offset, length)],
    ['sysUnused by address', (offset, length) => memory.sysUnused(region.address + offset, length)],
    ['sysFree by address', (offset, length) => memory.sysFree(region.address + offset, length, null)],
    ['unusedAll', (offset, length) => region.unusedAll([offset, length])],
    ['dispose', () => region[Symbol.dispose]()],
  ]

  for (const [title, leave] of leaving) {
    it(`leaves nothing to read or to write after ${title}, for every type of view`, () => {
      const views = types.map((type) => region.view(type, 0, page))
      const bytes = new DataView(region.view(Uint8Array, 0, 100).buffer)
      const data = region.view(DataView, 8, 64)
      for (const view of views) view[0] = view instanceof BigInt64Array || view instanceof BigUint64Array ? 1n : 1
      leave(0, page)
      for (const view of views) {
        expect([view.length, view.byteLength, view.buffer.byteLength]).toEqual([0, 0, 0])
        expect(view[0]).toBeUndefined()
        view[0] = view instanceof BigInt64Array || view instanceof BigUint64Array ? 2n : 2
        expect(view[0]).toBeUndefined()
      }
      expect(() => data.getUint8(0)).toThrow(TypeError)
      expect(() => bytes.setUint8(0, 1)).toThrow(TypeError)
    })
  }

  it('detaches a thousand-page view when one of its pages is given back, and no other view', () => {
    const pages = region.view(Float64Array, 0, (1000 * page) / 8)
    const before = region.view(Uint8Array, 0, 500 * page)
    const after = region.view(Uint8Array, 501 * page, 400 * page)
    before[0] = 1
    after[0] = 2
    region.unused(500 * page, page)
    expect(pages.length).toBe(0)
    expect([before.length, before[0], after.length, after[0]]).toEqual([500 * page, 1, 400 * page, 2])
  })

  it('sees what other views over the same bytes write, and what write copies in', () => {
    const words = region.view(Uint32Array, page, 4)
    const bytes = region.view(Uint8Array, page, 16)
    words[1] = 0x01020304
    expect([...bytes.subarray(4, 8)]).toEqual([4, 3, 2, 1])
    region.write(page + 8, new Uint16Array([7, 8]))
    expect(words[2]).toBe(0x00080007)
    const copy = new Float32Array(1)
    region.read(page + 4, copy)
    expect(new Uint32Array(copy.buffer)[0]).toBe(0x01020304)
  })

  it('leaves nothing in a kept Buffer, subarray, decoder or pending callback', async () => {
    const view = region.view(Uint8Array, 0, page)
    view.fill(0x61)
    const kept = {
      buffer: Buffer.from(view.buffer, 0, 16),
      part: view.subarray(4, 8),
      iterator: view[Symbol.iterator](),
    }
    const later = new Promise<number>((resolve) => setImmediate(() => resolve(view.length)))
    expect(kept.buffer.toString()).toBe('a'.repeat(16))
    region.free(0, page)
    expect(kept.buffer.length).toBe(0)
    expect(kept.buffer.toString()).toBe('')
    expect(kept.part[0]).toBeUndefined()
    expect(() => kept.iterator.next()).toThrow(TypeError)
    expect(new TextDecoder().decode(kept.part)).toBe('')
    expect(await later).toBe(0)
    expect(() => Atomics.add(new Int32Array(view.buffer), 0, 1)).toThrow()
  })

  it('reads no file into pages that were given back', () => {
    const target = region.view(Uint8Array, 0, page)
    const file = openSync('/proc/self/exe', 'r')
    try {
      expect(readSync(file, target, 0, 64, 0)).toBe(64)
      expect(target[1]).toBe(0x45)
      region.unused(0, page)
      expect(() => readSync(file, target, 0, 64, 0)).toThrow(/empty/)
    } finally {
      closeSync(file)
    }
  })

  it('is refused over pages that are not Ready, with their offset', () => {
    region.unused(8 * page, page)
    expect(() => region.view(Uint8Array, 0, 16 * page)).toThrow(
      new RegExp(
        `view\\(0, ${16 * page}\\) of the region 'views' at 0x[0-9a-f]+: ` +
          `the range has to be Ready, and is Prepared from offset ${8 * page}`,
      ),
    )
    expect(() => region.view(Uint8Array, 2 * ready, 1)).toThrow(/has to be Ready, and is Reserved/)
    expect(() => region.read(8 * page, new Uint8Array(1))).toThrow(UsageError)
    expect(() => region.write(8 * page, new Uint8Array(1))).toThrow(UsageError)
  })

  it('is refused for a wrong type, length, alignment or end', () => {
    const code = (run: () => unknown): unknown => {
      try {
        run()
      } catch (error) {
        return error instanceof UsageError ? error.code : error
      }
      return 'nothing thrown'
    }
    expect(code(() => region.view(Map as unknown as typeof Uint8Array, 0, 1))).toBe('ERR_MEMLAYER_VIEW')
    expect(code(() => region.view(Array as unknown as typeof Uint8Array, 0, 1))).toBe('ERR_MEMLAYER_VIEW')
    expect(code(() => region.view(null as unknown as typeof Uint8Array, 0, 1))).toBe('ERR_MEMLAYER_VIEW')
    expect(code(() => region.view(Float64Array, 4, 1))).toBe('ERR_MEMLAYER_VIEW')
    expect(code(() => region.view(Uint8Array, 0, -1))).toBe('ERR_MEMLAYER_RANGE')
    expect(code(() => region.view(Uint8Array, 0, NaN))).toBe('ERR_MEMLAYER_RANGE')
    expect(code(() => region.view(Float64Array, whole - 8, 2))).toBe('ERR_MEMLAYER_RANGE')
    expect(code(() => region.view(Uint8Array, 2 ** 53, 1))).toBe('ERR_MEMLAYER_RANGE')
    expect(region.view(Uint8Array, 0, 0).length).toBe(0)
  })

  it('does not let its bytes be moved to a buffer that can’t be detached', () => {
    const view = region.view(Uint8Array, 0, page)
    expect(() => view.buffer.transfer()).toThrow(/cannot transfer a view of a region/)
    expect(() => view.buffer.transferToFixedLength()).toThrow(UsageError)
    expect(structuredClone(view).buffer.byteLength).toBe(page)
    region.free(0, page)
    expect(view.length).toBe(0)
  })

  it('finds bytes that were moved all the same, and keeps the pages of the buffer that has them', () => {
    const other = createMemory(createOS())
    const moved = other.reserve(2 * page, { name: 'moved' })
    moved.commit(0, page)
    const view = moved.view(Uint8Array, 0, page)
    view[0] = 7
    const clone = structuredClone(view, { transfer: [view.buffer] })
    expect(view.length).toBe(0)
    for (const call of [() => moved.free(), () => moved.unused(0, page), () => moved.fault(0, page)]) {
      expect(call).toThrow(expect.objectContaining({ code: 'ERR_MEMLAYER_VIEW' }))
    }
    other.check()
    expect(other.stats().total).toMatchObject({ ready: page, reserved: page })
    expect(clone[0]).toBe(7)
  })

  it('is forgotten when its user drops it, and never keeps the pages', () => {
    for (let i = 0; i < 20_000; i++) region.view(Uint8Array, (i % 900) * page, page)[0] = 1
    region.unused(0, ready)
    expect(region.view(Uint8Array, 0, 0).length).toBe(0)
    region.free()
    expect(residentBytes(region.address, region.size, page)).toBe(0)
  })
})
