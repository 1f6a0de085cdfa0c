// Windows: views on one buffer that a region keeps, and how a growable buffer uses them. The OS counts the buffers that
// it makes, because each costs the garbage collector its length.
import { createMemory, GrowableBuffer, OutOfMemoryError, type Memory, type Region } from '@memlayer/core'
import { beforeEach, describe, expect, it } from 'vitest'
import { errorOf } from './errors-of.js'
import { PageOS } from './page-os.js'

const page = 4096
const MiB = 2 ** 20

class CountingOS extends PageOS {
  /** The bytes of each buffer that it made. */
  readonly made: number[] = []
  /** Untouched pages cost nothing. */
  readonly quarantine = { space: 2 ** 40, writable: Infinity }

  override view(v: number, n: number): ArrayBuffer {
    this.made.push(n)
    return super.view(v, n)
  }
}

let os: CountingOS
let memory: Memory

beforeEach(() => {
  os = new CountingOS({ pages: 64 * 256 })
  memory = createMemory(os)
})

describe('region.window', () => {
  let region: Region

  beforeEach(() => {
    region = memory.reserve(64 * page, { name: 'rows' })
    region.commit(0, 32 * page)
  })

  it('is on one buffer over the Ready pages around it, however often it is made', () => {
    const first = region.window(Uint8Array, 3 * page, 100)
    for (let i = 0; i < 1000; i++) expect(region.window(Float32Array, 4 * i, 1024).byteOffset).toBe(4 * i)
    expect([os.made, first.byteOffset, first.length]).toEqual([[32 * page], 3 * page, 100])
    region.window(Uint8Array, 0, 4)[0] = 7
    expect(region.window(DataView, 0, 4).getUint8(0)).toBe(7)
  })

  it('gets a longer buffer beyond the first, which goes on', () => {
    const first = region.window(Uint8Array, 0, 32 * page)
    region.commit(32 * page, 16 * page)
    expect(region.window(Uint8Array, 0, 48 * page).length).toBe(48 * page)
    expect([first.length, os.made]).toEqual([32 * page, [32 * page, 48 * page]])
  })

  it.each(['unused', 'fault', 'free', 'idle'] as const)('ends when a page under its buffer leaves Ready: %s', (op) => {
    const [window, view] = [region.window(Uint8Array, 0, 100), region.view(Uint8Array, 0, 100)]
    region[op](20 * page, page)
    expect([window.length, view.length]).toEqual([0, 100])
    expect(region.window(Uint8Array, 0, 100).length).toBe(100)
    // Up to the page that is gone.
    expect(os.made.at(-1)).toBe(20 * page)
  })

  it('goes on through zero, commit and a hold', () => {
    const window = region.window(Uint8Array, 0, 32 * page)
    region.hold(0, page).release()
    region.zero(0, 4 * page)
    region.commit()
    expect(window.length).toBe(32 * page)
  })

  it('covers pages of another category', () => {
    const v = region.address + 32 * page
    memory.sysMap(v, 4 * page, memory.stat('other'))
    memory.sysUsed(v, 4 * page)
    expect(region.window(Uint8Array, 31 * page, 2 * page).length).toBe(2 * page)
    expect(region.window(Uint8Array, 31 * page, 5 * page).length).toBe(5 * page)
  })

  it('of no elements makes no buffer', () => {
    expect([region.window(Uint8Array, 8, 0).length, os.made]).toEqual([0, []])
  })

  it('is a view where the engine makes no buffer so long', () => {
    os.view = (_v, n) => {
      if (n > 8 * page) throw new RangeError('too long')
      return new ArrayBuffer(n)
    }
    const window = region.window(Uint8Array, 0, 8 * page)
    expect([window.length, window.buffer.byteLength]).toEqual([8 * page, 8 * page])
    expect(errorOf(() => region.window(Uint8Array, 0, 9 * page))).toMatchObject({ code: 'ERR_MEMLAYER_VIEW' })
  })

  it('is a view where one buffer serves all ranges', () => {
    const whole = new ArrayBuffer(2 ** 21)
    const shared = createMemory(Object.assign(new PageOS(), { view: () => whole, detach: () => undefined }))
    const one = shared.reserve(page)
    one.commit()
    const window = one.window(Uint8Array, 8, 8)
    expect([window.buffer === whole, window.byteOffset]).toEqual([true, one.address + 8])
  })

  it('keeps its bytes from being moved unseen', () => {
    memory = createMemory(Object.assign(new PageOS(), { view: (_v: number, n: number) => new ArrayBuffer(n) }))
    region = memory.reserve(4 * page)
    region.commit()
    const window = region.window(Uint8Array, page, 2 * page)
    expect(() => window.buffer.transfer()).toThrow(/cannot transfer a view of a region/)
    const moved = structuredClone(window.buffer, { transfer: [window.buffer] })
    expect(errorOf(() => region.unused(0, page)).code).toBe('ERR_MEMLAYER_VIEW')
    expect([moved.byteLength, region.window(Uint8Array, page, 2 * page).length]).toEqual([4 * page, 2 * page])
  })

  it.each<[string, (region: Region) => unknown, string, RegExp]>([
    ['pages that are not Ready', (r) => r.window(Uint8Array, 31 * page, 2 * page), 'ERR_MEMLAYER_STATE', /^window\(/],
    ['a place outside', (r) => r.window(Uint8Array, 64 * page, 1), 'ERR_MEMLAYER_RANGE', /bytes 262144 to 262145/],
    ['a wrong type', (r) => r.window(Map as never, 0, 1), 'ERR_MEMLAYER_VIEW', /^window: /],
    ['a wrong alignment', (r) => r.window(Float64Array, 4, 1), 'ERR_MEMLAYER_VIEW', /cannot begin at/],
    ['half an element', (r) => r.window(Uint16Array, 0, 0.5), 'ERR_MEMLAYER_VIEW', /the length is 0\.5/],
  ])('refuses %s, with or without a kept buffer', (_, make, code, words) => {
    for (let time = 0; time < 2; time++) {
      const error = errorOf(() => make(region))
      expect(error).toMatchObject({ code, op: 'window' })
      expect(error.message).toMatch(words)
      region.window(Uint8Array, 0, 8)
    }
  })

  it('refuses a region that was freed', () => {
    region.window(Uint8Array, 0, 8)
    region.free()
    expect(errorOf(() => region.window(Uint8Array, 0, 8)).code).toBe('ERR_MEMLAYER_DISPOSED')
  })
})

describe('a growable buffer that is viewed as a whole', () => {
  const make = (length: number, maximum = 48 * MiB): GrowableBuffer =>
    new GrowableBuffer(memory, { maximum, length, name: 'log' })

  it('makes no new buffer for an append', () => {
    using buffer = make(8 * MiB)
    const first = buffer.bytes()
    for (let i = 0; i < 1000; i++) {
      buffer.grow(512)
      expect(buffer.bytes().length).toBe(8 * MiB + 512 * (i + 1))
    }
    // An eighth was made Ready ahead. The small ones are pages of which a part was zeroed.
    expect(os.made.filter((bytes) => bytes > 2 * page)).toEqual([9 * MiB])
    expect(first.length).toBe(8 * MiB)
  })

  it('makes a buffer each time that it doubles, and every older view stays', () => {
    using buffer = make(0)
    const views: Uint8Array[] = []
    for (let length = MiB / 4; length <= 48 * MiB; length += MiB / 4) {
      buffer.resize(length)
      views.push(buffer.bytes())
    }
    expect(os.made.filter((bytes) => bytes > 2 * page).map((bytes) => bytes / MiB)).toEqual([1, 2, 4, 8, 16, 32, 48])
    expect(views.every(({ length }, i) => length === (i + 1) * (MiB / 4))).toBe(true)
    memory.check()
  })

  it('ends its windows when it shrinks, but no view of a page that stays', () => {
    using buffer = make(4 * MiB)
    const [window, small] = [buffer.bytes(), buffer.view(Uint8Array, 8, 8)]
    buffer.resize(MiB)
    expect([window.length, small.length, buffer.bytes().length]).toEqual([0, 8, MiB])
  })

  it('has a small view of its own page, and one of a small part on its own buffer', () => {
    using buffer = make(4 * MiB)
    const whole = buffer.bytes().buffer
    expect(buffer.view(Uint8Array, 0, 3 * MiB).buffer).toBe(whole)
    expect(buffer.view(Uint8Array, 0, 64 * 1024).buffer.byteLength).toBe(64 * 1024)
    expect(buffer.view(Uint8Array, 0, 8).buffer.byteLength).toBe(page)
  })

  it('makes only what it needs Ready under a limit, and where untouched pages are charged', () => {
    memory.limit = { bytes: 40 * MiB }
    {
      using buffer = make(8 * MiB)
      buffer.bytes()
      buffer.grow(1)
      expect([buffer.capacity, memory.stats().total.ready]).toEqual([9 * MiB, 9 * MiB])
    }
    memory.limit = null
    Object.assign(os, { quarantine: { space: 2 ** 40, writable: 2 ** 28 } })
    using buffer = make(8 * MiB)
    buffer.bytes()
    buffer.grow(1)
    expect(buffer.capacity).toBe(9 * MiB)
  })

  it('makes what it needs Ready where the OS refuses more', () => {
    using buffer = make(0)
    buffer.resize(2 * MiB)
    buffer.bytes()
    os.fate = (fn) => {
      const size = Number(os.calls.at(-1)?.match(/, (\d+)\)$/)?.[1])
      return fn === 'sysUsedOS' && size > MiB ? new OutOfMemoryError('sysUsed: pages refused it') : undefined
    }
    buffer.grow(1)
    expect([buffer.length, buffer.capacity, buffer.bytes().length]).toEqual([2 * MiB + 1, 3 * MiB, 2 * MiB + 1])
    expect(errorOf(() => buffer.resize(8 * MiB)).code).toBe('ERR_MEMLAYER_OUT_OF_MEMORY')
    expect(buffer.length).toBe(2 * MiB + 1)
    os.fate = undefined
    memory.check()
  })
})
