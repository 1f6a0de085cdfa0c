// The transitions on real WebAssembly memories in this engine: 32-bit, 64-bit, shared, and one that a module made.
import { createMemory, UsageError, viewOffset, type Memory } from '@memlayer/core'
import type { WasmKernel } from '@memlayer/kernel'
import { createOS, wasmKernel, type JsOS, type WasmKernelOptions } from '@memlayer/os-js'
import { runChild } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'
import { moduleMemory, wideAddress, withDiscard } from './history/memories.js'
import { PAGE } from './history/shadow.js'

const MiB = 2 ** 20
const GiB = 2 ** 30

function open(options: WasmKernelOptions = {}): { memory: Memory; os: JsOS; kernel: WasmKernel } {
  const kernel = wasmKernel(options)
  const os = createOS({ kernel })
  return { memory: createMemory(os), os, kernel }
}

/** The bytes of a range, in the way that this backend requires. */
function bytesOf(memory: Memory, v: number, n: number): Uint8Array {
  const buffer = memory.os.view(v, n)
  return new Uint8Array(buffer, viewOffset(buffer, v, n), n)
}

const kinds = [
  ['32-bit', () => ({})],
  ['64-bit', (ctx: { skip(note?: string): never }) => ({ address: wideAddress(ctx) })],
  ['shared', () => ({ shared: true, maximum: 2 ** 16 })],
  ['module’s own', () => ({ memory: moduleMemory(2, 2 ** 16) })],
] as const

describe.each(kinds)('os-js on a %s memory', (_, optionsOf) => {
  it('runs a whole life: reserve, map, use, give back, use again, fault, free', (ctx) => {
    const { memory, kernel } = open(optionsOf(ctx))
    const stat = memory.stat('test')
    const v = memory.sysReserve(null, 16 * MiB)
    memory.sysMap(v, 8 * MiB, stat)
    memory.sysUsed(v, 4 * MiB)
    const bytes = bytesOf(memory, v, 4 * MiB)
    expect(bytes.every((byte) => byte === 0)).toBe(true)
    bytes.fill(7)
    memory.sysUnused(v + MiB, MiB)
    expect(memory.stats().total).toMatchObject({ reserved: 8 * MiB, prepared: 5 * MiB, ready: 3 * MiB })
    memory.sysUsed(v + MiB, MiB)
    memory.sysHugePage(v, 4 * MiB)
    memory.sysFault(v, MiB)
    expect(bytes.subarray(2 * MiB).every((byte) => byte === 7)).toBe(true)
    memory.sysFree(v, 16 * MiB, stat)
    expect(memory.stats().total).toMatchObject({ reserved: 0, prepared: 0, ready: 0, held: 0 })
    memory.check()
    expect(kernel.currentMemory() * PAGE).toBe(v + 16 * MiB)
  })

  it('hands a freed range out again, zeroed, without growth', (ctx) => {
    const { memory, kernel } = open(optionsOf(ctx))
    const first = memory.sysAlloc(4 * MiB, null)
    const second = memory.sysAlloc(MiB, null)
    bytesOf(memory, first, 4 * MiB).fill(9)
    bytesOf(memory, second, MiB).fill(5)
    const pages = kernel.currentMemory()
    memory.sysFree(first, 4 * MiB, null)
    // In pieces, from the start of the free memory.
    const pieces = [memory.sysAlloc(MiB, null), memory.sysAlloc(3 * MiB, null)]
    expect(pieces).toEqual([first, first + MiB])
    expect(kernel.currentMemory()).toBe(pages)
    expect(bytesOf(memory, first, 4 * MiB).every((byte) => byte === 0)).toBe(true)
    expect(bytesOf(memory, second, MiB).every((byte) => byte === 5)).toBe(true)
  })

  it('joins ranges that were freed separately into one that is large enough', (ctx) => {
    const { memory, kernel } = open(optionsOf(ctx))
    const parts = Array.from({ length: 8 }, () => memory.sysAlloc(PAGE, null))
    const last = memory.sysAlloc(PAGE, null)
    const pages = kernel.currentMemory()
    for (const i of [1, 5, 3, 7, 0, 6, 2, 4]) memory.sysFree(parts[i] as number, PAGE, null)
    expect(memory.sysReserve(null, 8 * PAGE)).toBe(parts[0])
    expect(kernel.currentMemory()).toBe(pages)
    expect(last).toBe((parts[7] as number) + PAGE)
  })

  it('grows only by the missing pages, when the memory ends in a freed range', (ctx) => {
    const { memory, kernel } = open(optionsOf(ctx))
    const v = memory.sysAlloc(4 * PAGE, null)
    memory.sysFree(v + PAGE, 3 * PAGE, null)
    const pages = kernel.currentMemory()
    expect(memory.sysReserve(null, 5 * PAGE)).toBe(v + PAGE)
    expect(kernel.currentMemory()).toBe(pages + 2)
  })

  it('reserves at an alignment, and hands out the trimmed parts next', (ctx) => {
    const { memory } = open(optionsOf(ctx))
    const { address, size } = memory.sysReserveAligned(null, MiB, 16 * MiB)
    expect(address % (16 * MiB)).toBe(0)
    expect(memory.stats().total.reserved).toBe(size)
    expect(memory.sysReserve(null, MiB)).toBeLessThan(address)
  })
})

describe('os-js and the buffers that growth detaches', () => {
  it('reports each growth, after which old buffers have length 0 and new ones have the old bytes', () => {
    const { memory, os } = open()
    let told = 0
    const stop = os.onDetach(() => (told += 1))
    const v = memory.sysAlloc(MiB, null)
    expect(told).toBe(1)
    const old = bytesOf(memory, v, MiB).fill(3)
    memory.sysAlloc(MiB, null)
    expect(told).toBe(2)
    expect(old.length).toBe(0)
    expect(old[0]).toBeUndefined()
    expect(bytesOf(memory, v, MiB).every((byte) => byte === 3)).toBe(true)
    // Without growth, nothing is detached and the listener is not called.
    const kept = bytesOf(memory, v, MiB)
    memory.sysFree(v, MiB, null)
    memory.sysAlloc(MiB, null)
    expect(told).toBe(2)
    expect(kept.length).toBe(MiB)
    stop()
    memory.sysAlloc(MiB, null)
    expect(told).toBe(2)
  })

  it('has the new buffer before it calls a listener, which may reserve', () => {
    const { memory, os } = open()
    const seen: number[] = []
    let inner = 0
    const stop = os.onDetach(() => {
      stop()
      seen.push(os.view(0, 0).byteLength)
      inner = memory.sysAlloc(PAGE, null)
    })
    const outer = memory.sysAlloc(PAGE, null)
    expect(inner).not.toBe(outer)
    expect(seen).toEqual([outer + PAGE])
    memory.check()
    expect(memory.ranges()).toMatchObject([{ address: Math.min(outer, inner), size: 2 * PAGE, state: 'Ready' }])
  })

  it('detaches nothing while growth stays inside `initial`', () => {
    const { memory, os } = open({ initial: 64 })
    const v = memory.sysAlloc(PAGE, null)
    const bytes = bytesOf(memory, v, PAGE)
    os.onDetach(() => expect.unreachable())
    memory.sysAlloc(62 * PAGE, null)
    expect(bytes.length).toBe(PAGE)
  })

  it('leaves the buffers of a shared memory as they are', () => {
    const { memory } = open({ shared: true, maximum: 1024 })
    const v = memory.sysAlloc(PAGE, null)
    const bytes = bytesOf(memory, v, PAGE)
    memory.sysAlloc(MiB, null)
    bytesOf(memory, v, PAGE)[0] = 8
    expect(bytes[0]).toBe(8)
    expect(Atomics.add(new Int32Array(memory.os.view(v, PAGE), v, 1), 0, 1)).toBe(8)
  })
})

describe('os-js under the views of a region', () => {
  it('detaches all views before the pages of one leave Ready, and calls the listeners', () => {
    const { memory, os } = open()
    using one = memory.reserve(4 * PAGE, { name: 'one' })
    using two = memory.reserve(4 * PAGE, { name: 'two' })
    for (const region of [one, two]) region.commit(0, 4 * PAGE)
    const [lost, other] = [one.view(Float64Array, PAGE, 8), two.view(Uint8Array, 0, 16)]
    expect(lost.byteOffset).toBe(one.address + PAGE)
    lost.fill(1.5)
    other.fill(7)
    let told = 0
    os.onDetach(() => (told += 1))
    one.unused(0, PAGE)
    expect([lost.length, other.length, told]).toEqual([8, 16, 0])
    one.unused(PAGE, PAGE)
    expect([lost.length, lost[0], other.length, other[0], told]).toEqual([0, undefined, 0, undefined, 1])
    // New views have their bytes.
    expect(two.view(Uint8Array, 0, 16).every((byte) => byte === 7)).toBe(true)
    expect(() => one.view(Float64Array, PAGE, 8)).toThrow(UsageError)
  })

  it('copies in and out while views come and go', () => {
    const { memory } = open()
    using region = memory.reserve(PAGE)
    region.commit(0, PAGE)
    region.write(10, Uint8Array.of(1, 2, 3))
    memory.sysFree(memory.sysAlloc(64 * PAGE, null), 64 * PAGE, null)
    const copy = new Uint8Array(3)
    region.read(10, copy)
    expect([...copy]).toEqual([1, 2, 3])
  })

  it('refuses to share a region, because another thread has another memory', () => {
    const { memory } = open()
    using region = memory.reserve(PAGE)
    region.commit(0, PAGE)
    expect(() => region.share({ once: () => {} })).toThrow(/threads do not share addresses on js/)
  })

  it('makes views of a shared memory in the same way, and detaches none', () => {
    const { memory } = open({ shared: true, maximum: 64 })
    using region = memory.reserve(2 * PAGE)
    region.commit(0, 2 * PAGE)
    const view = region.view(Int32Array, 0, 4)
    expect(Atomics.add(view, 0, 5)).toBe(0)
    region.unused(0, PAGE)
    expect(view.length).toBe(4)
  })
})

describe('os-js in a module’s memory', () => {
  it('never touches the module’s own pages', () => {
    const wasm = moduleMemory(3, 64)
    new Uint8Array(wasm.buffer).fill(0xee)
    const { memory, os } = open({ memory: wasm })
    let told = 0
    os.onDetach(() => (told += 1))
    const v = memory.sysAlloc(PAGE, null)
    expect(v).toBe(3 * PAGE)
    memory.sysFree(v, PAGE, null)
    // The module's malloc takes two pages for itself.
    expect(wasm.grow(2)).toBe(4)
    new Uint8Array(wasm.buffer).fill(0xee, 4 * PAGE)
    expect(memory.sysAlloc(2 * PAGE, null)).toBe(6 * PAGE)
    // Once for the module's growth, found at the next reservation, and twice for its own growth.
    expect(told).toBe(3)
    // The page before the module's is still free.
    expect(memory.sysAlloc(PAGE, null)).toBe(3 * PAGE)
    const bytes = new Uint8Array(wasm.buffer)
    expect(bytes.subarray(0, 3 * PAGE).every((byte) => byte === 0xee)).toBe(true)
    expect(bytes.subarray(4 * PAGE, 6 * PAGE).every((byte) => byte === 0xee)).toBe(true)
    expect(bytes.subarray(3 * PAGE, 4 * PAGE).every((byte) => byte === 0)).toBe(true)
  })

  it('takes the memory above `end`, and hands it out zeroed', () => {
    const wasm = moduleMemory(4, 64)
    new Uint8Array(wasm.buffer).fill(0xee)
    const { memory } = open({ memory: wasm, end: PAGE + 100 })
    const v = memory.sysAlloc(2 * PAGE, null)
    expect(v).toBe(2 * PAGE)
    expect(wasm.buffer.byteLength).toBe(4 * PAGE)
    expect(bytesOf(memory, v, 2 * PAGE).every((byte) => byte === 0)).toBe(true)
    expect(new Uint8Array(wasm.buffer, 0, 2 * PAGE).every((byte) => byte === 0xee)).toBe(true)
  })

  it('never hands out page 0, because that address means refused', () => {
    expect(open({ memory: new WebAssembly.Memory({ initial: 0 }) }).memory.sysAlloc(PAGE, null)).toBe(PAGE)
    expect(open({ memory: moduleMemory(1, 8), end: 0 }).memory.sysAlloc(PAGE, null)).toBe(PAGE)
    expect(open({ initial: 0 }).memory.sysAlloc(PAGE, null)).toBe(PAGE)
  })

  it('shares it with a second layer, and neither hands out the other’s pages', () => {
    const wasm = moduleMemory(1, 1024)
    const [one, two] = [open({ memory: wasm }).memory, open({ memory: wasm }).memory]
    const taken = Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? one : two).sysAlloc(PAGE * (1 + (i % 3)), null))
    taken.forEach((v, i) => new Uint8Array(wasm.buffer, v, PAGE * (1 + (i % 3))).fill(i + 1))
    taken.forEach((v, i) =>
      expect(new Uint8Array(wasm.buffer, v, PAGE * (1 + (i % 3))).every((byte) => byte === i + 1)).toBe(true),
    )
  })
})

describe('os-js in memories as large as this engine makes', () => {
  it('grows a 32-bit memory to its end at 4 GiB, where the last byte can be written', () => {
    const { memory, kernel } = open()
    const v = memory.sysReserve(null, 4 * GiB - PAGE)
    expect(kernel.currentMemory()).toBe(65536)
    memory.sysMap(v, 4 * GiB - PAGE, null)
    memory.sysUsed(v, 4 * GiB - PAGE)
    bytesOf(memory, 4 * GiB - PAGE, PAGE)[PAGE - 1] = 6
    expect(new Uint8Array(memory.os.view(v, 1))[4 * GiB - 1]).toBe(6)
  })

  it.skipIf(process.platform !== 'linux')('reserves 1 GiB without making any page resident (needs Linux)', () => {
    const child = runChild(
      `
      import { createMemory } from '@memlayer/core'
      import { createOS } from '@memlayer/os-js'
      import { processResident } from '@memlayer/witness'
      const memory = createMemory(createOS())
      const resident = () => { globalThis.gc(); return processResident(4096) }
      const start = resident()
      const v = memory.sysReserve(null, 2 ** 30)
      const reserved = resident()
      new Uint8Array(memory.os.view(v, 2 ** 28), v, 2 ** 28).fill(1)
      console.log(JSON.stringify({ reserved: reserved - start, touched: resident() - reserved }))
      `,
      { from: import.meta.dirname, nodeArgs: ['--expose-gc'] },
    )
    expect(child.stderr).toBe('')
    const { reserved, touched } = JSON.parse(child.stdout) as { reserved: number; touched: number }
    expect(reserved).toBeLessThan(32 * MiB)
    expect(touched / 2 ** 28).toBeGreaterThan(0.9)
    expect(touched / 2 ** 28).toBeLessThan(1.1)
  })

  it('zeroes a freed range of more than 1 GiB to its last byte', () => {
    const { memory } = open()
    const n = GiB + PAGE
    const v = memory.sysAlloc(n, null)
    const ends = [0, 1, GiB - 1, GiB, n - 1]
    const bytes = bytesOf(memory, v, n)
    for (const at of ends) bytes[at] = 1
    memory.sysFree(v, n, null)
    expect(memory.sysAlloc(n, null)).toBe(v)
    const again = bytesOf(memory, v, n)
    expect(ends.map((at) => again[at])).toEqual([0, 0, 0, 0, 0])
  })

  it('hands out exact addresses beyond 4 GiB of a 64-bit memory', (ctx) => {
    const { memory } = open({ address: wideAddress(ctx) })
    const v = memory.sysReserve(null, 6 * GiB)
    const after = memory.sysAlloc(PAGE, null)
    expect(after).toBe(v + 6 * GiB)
    const bytes = bytesOf(memory, after, PAGE)
    bytes[1] = 4
    expect(bytes.byteOffset).toBe(after)
    expect(bytesOf(memory, after, PAGE)[1]).toBe(4)
  })
})

describe('os-js on an engine that discards pages', () => {
  it('gives pages back with sysUnused and sysFree, which then read zero, as its traits say', () => {
    const discarded: [number, number][] = []
    const { memory } = withDiscard(
      () => open(),
      function (v, n) {
        if (this.buffer.byteLength > 3 * PAGE) discarded.push([v, n])
        new Uint8Array(this.buffer, v, n).fill(0)
      },
    )
    expect(memory.os.traits).toMatchObject({ unusedReturnsMemory: true, unusedDropsContents: true })
    const v = memory.sysAlloc(8 * PAGE, null)
    bytesOf(memory, v, 8 * PAGE).fill(1)
    memory.sysUnused(v, 2 * PAGE)
    memory.sysFree(v + 4 * PAGE, PAGE, null)
    expect(discarded).toEqual([
      [v, 2 * PAGE],
      [v + 4 * PAGE, PAGE],
    ])
    memory.sysUsed(v, 2 * PAGE)
    expect(bytesOf(memory, v, 2 * PAGE).every((byte) => byte === 0)).toBe(true)
    expect(bytesOf(memory, v + 2 * PAGE, 2 * PAGE).every((byte) => byte === 1)).toBe(true)
    // The range was zeroed when it was freed. Zeroing it again would only bring the memory back.
    bytesOf(memory, v + 4 * PAGE, PAGE)[0] = 2
    expect(memory.sysAlloc(PAGE, null)).toBe(v + 4 * PAGE)
    expect(bytesOf(memory, v + 4 * PAGE, PAGE)[0]).toBe(2)
  })

  it('zeroes pages that the engine refuses to discard, and tells that it kept their memory', () => {
    let declines = false
    const { memory } = withDiscard(
      () => open(),
      function (v, n) {
        if (declines) throw new WebAssembly.RuntimeError('not now')
        new Uint8Array(this.buffer, v, n).fill(0)
      },
    )
    const v = memory.sysAlloc(2 * PAGE, null)
    bytesOf(memory, v, 2 * PAGE).fill(1)
    declines = true
    memory.sysUnused(v, PAGE)
    expect(memory.stats().kept).toBe(PAGE)
    expect(memory.os.traits).toMatchObject({ unusedReturnsMemory: false, unusedDropsContents: true })
    memory.sysFree(v + PAGE, PAGE, null)
    expect(bytesOf(memory, v, 2 * PAGE).every((byte) => byte === 0)).toBe(true)
  })

  it.each([
    [
      'takes a count of pages off the end, as V8’s first draft did',
      function (this: WebAssembly.Memory, pages: number) {
        new Uint8Array(this.buffer).fill(0, this.buffer.byteLength - Math.min(pages * PAGE, this.buffer.byteLength))
      },
    ],
    ['does nothing', () => {}],
    [
      'zeroes everything',
      function (this: WebAssembly.Memory) {
        new Uint8Array(this.buffer).fill(0)
      },
    ],
    [
      'throws',
      () => {
        throw new TypeError('no')
      },
    ],
  ])('does not use a discard that %s', (_, discard) => {
    const { memory } = withDiscard(() => open(), discard as (v: number, n: number) => void)
    expect(memory.os.traits).toMatchObject({ unusedReturnsMemory: false, unusedDropsContents: false })
    const v = memory.sysAlloc(PAGE, null)
    bytesOf(memory, v, PAGE).fill(1)
    memory.sysUnused(v, PAGE)
    memory.sysUsed(v, PAGE)
    expect(bytesOf(memory, v, PAGE).every((byte) => byte === 1)).toBe(true)
  })
})
