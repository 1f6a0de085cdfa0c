// What a shared heap promises, call by call, in the thread that creates it.
import { inspect } from 'node:util'
import { Worker } from 'node:worker_threads'
import { createMemory, OutOfMemoryError, UsageError, type Memory } from '@memlayer/core'
import { attachHeap, createHeap, type HeapToken, type SharedHeap, type SharedHeapOptions } from '@memlayer/heap'
import { createOS as createEngine } from '@memlayer/os-engine'
import { createOS as createJS } from '@memlayer/os-js'
import { createOS as createLinux } from '@memlayer/os-linux'
import { simulate } from '@memlayer/simkernel'
import { errorOf } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'

const MiB = 2 ** 20
const onLinux = process.platform === 'linux'
const simulated = (): Memory => createMemory(createLinux({ kernel: simulate('linux') }))

function heapOf(options: Partial<SharedHeapOptions> = {}, memory: Memory = simulated()): SharedHeap {
  return createHeap(memory, { maximum: 16 * MiB, threads: true, ...options })
}

function codeOf(run: () => unknown): string | undefined {
  const error = errorOf(run)
  expect(error).toBeInstanceOf(UsageError)
  return (error as UsageError).code
}

describe('createHeap with threads', () => {
  it('refuses options that are wrong, before it reserves', () => {
    const memory = simulated()
    for (const wrong of [{ check: true }, { grow: true }, { threads: 0 }, { threads: 1025 }, { threads: 1.5 }])
      expect(codeOf(() => heapOf(wrong as Partial<SharedHeapOptions>, memory))).toBe('ERR_MEMLAYER_OPTION')
    expect(codeOf(() => heapOf({ threads: false as unknown as true }, memory))).toBe('ERR_MEMLAYER_OPTION')
    for (const maximum of [0, 8192, 2 ** 33 + 1, NaN])
      expect(codeOf(() => heapOf({ maximum }, memory))).toBe('ERR_MEMLAYER_SIZE')
    expect(codeOf(() => createHeap(null as unknown as Memory, { threads: true }))).toBe('ERR_MEMLAYER_OPTION')
    expect(memory.stats().total.held).toBe(0)
  })

  it('is refused where threads share no memory', () => {
    const memory = createMemory(createJS())
    expect(codeOf(() => heapOf({}, memory))).toBe('ERR_MEMLAYER_SHARED')
    expect(memory.stats().total.held).toBe(0)
  })

  it('has its figures, its name and its text', () => {
    const heap = heapOf({ name: 'records', threads: 3 })
    heap.alloc(100)
    heap.alloc(100_000)
    expect(heap.stats()).toMatchObject({ objects: 2, live: 104 + 106_496, threads: 1, spans: 1, orphans: 0 })
    expect(heap.stats().large).toEqual({ objects: 1, bytes: 106_496 })
    expect(heap.memory.stats().categories['records']?.ready).toBeGreaterThan(16 * MiB)
    expect([heap.name, heap.maximum, heap.isCreator]).toEqual(['records', 16 * MiB, true])
    expect(inspect(heap)).toBe("Heap 'records' of 1 thread: 112 KiB of 16 MiB in use")
  })
})

describe('an object of a shared heap', () => {
  it('is a handle that counts units of 8 bytes in the typed arrays, and never 0', () => {
    const heap = heapOf()
    const handle = heap.alloc(24)
    expect(handle).toBeGreaterThan(0)
    heap.u32[handle * 2 + 1] = 7
    heap.f64[handle + 1] = 0.5
    heap.i16[handle * 4 + 8] = -2
    const bytes = heap.view(handle)
    const view = new DataView(bytes.buffer, bytes.byteOffset)
    expect([view.getUint32(4, true), view.getFloat64(8, true), view.getInt16(16, true)]).toEqual([7, 0.5, -2])
    expect(heap.u8.length).toBe(16 * MiB)
    for (const { length, BYTES_PER_ELEMENT } of [heap.i8, heap.u16, heap.i32, heap.u64, heap.i64, heap.f32])
      expect(length * BYTES_PER_ELEMENT).toBe(16 * MiB)
  })

  it('takes every size from 0 to the maximum, and refuses others before any effect', () => {
    const heap = heapOf()
    expect([0, 65_536, 65_537].map((bytes) => heap.size(heap.alloc(bytes)))).toEqual([8, 65_536, 73_728])
    const before = heap.stats()
    for (const bytes of [-1, 1.5, NaN, Infinity, 16 * MiB + 1, '8', undefined, null, 2n, {}] as number[]) {
      for (const run of [heap.alloc(8)].flatMap((at) => [
        () => heap.alloc(bytes),
        () => heap.allocZeroed(bytes),
        () => heap.allocAligned(bytes, 8),
        () => heap.realloc(at, bytes),
      ]))
        expect(codeOf(run)).toBe('ERR_MEMLAYER_SIZE')
    }
    expect(heap.stats().objects).toBe(before.objects + 10)
    for (const align of [0, 3, 16_384, NaN, '8'] as number[])
      expect(codeOf(() => heap.allocAligned(8, align))).toBe('ERR_MEMLAYER_ALIGNMENT')
    expect((heap.allocAligned(100, 4096) * 8) % 4096).toBe(0)
  })

  it('keeps its bytes in realloc, and stays where it is while its size class fits', () => {
    const heap = heapOf()
    const handle = heap.alloc(100)
    heap.view(handle).fill(9)
    expect(heap.realloc(handle, 98)).toBe(handle)
    const large = heap.realloc(handle, 200_000)
    expect(heap.has(handle)).toBe(false)
    expect(heap.realloc(large, 200_001)).toBe(large)
    const small = heap.realloc(large, 50)
    expect([...heap.view(small).subarray(0, 50)]).toEqual(Array<number>(50).fill(9))
    expect(heap.stats().objects).toBe(1)
  })

  it('is refused before any effect when it is free, lies inside of another, or is no object', () => {
    const heap = heapOf()
    const small = heap.alloc(40)
    const large = heap.alloc(100_000)
    const gone = [heap.alloc(40), heap.alloc(70_000)]
    for (const handle of gone) heap.free(handle)
    const before = heap.stats()
    for (const handle of gone)
      for (const call of ['free', 'size', 'view'] as const)
        expect(codeOf(() => heap[call](handle))).toBe('ERR_MEMLAYER_STATE')
    const foreign = [
      0,
      -8,
      0.5,
      NaN,
      2 ** 21,
      2 ** 31,
      2 ** 40,
      small + 1,
      large + 1,
      large + 1024,
      '8',
      null,
    ] as number[]
    for (const handle of foreign) {
      for (const call of ['free', 'size', 'view'] as const)
        expect(
          codeOf(() => heap[call](handle)),
          String(handle),
        ).toBe('ERR_MEMLAYER_NOT_OWNED')
      expect(codeOf(() => heap.realloc(handle, 8))).toBe('ERR_MEMLAYER_NOT_OWNED')
      expect(heap.has(handle)).toBe(false)
    }
    expect(heap.stats()).toEqual(before)
  })

  it('is refused when the heap is full, and has room again after a free', () => {
    const heap = heapOf({ maximum: MiB })
    const handles: number[] = []
    const error = errorOf(() => {
      for (;;) handles.push(heap.alloc(5000))
    })
    expect(error).toBeInstanceOf(OutOfMemoryError)
    expect(error).toMatchObject({ op: 'alloc', region: 'heap', hint: expect.stringContaining('maximum') as string })
    const before = heap.stats()
    expect(errorOf(() => heap.alloc(MiB))).toBeInstanceOf(OutOfMemoryError)
    expect(heap.stats()).toEqual(before)
    expect(before.live).toBeGreaterThan(0.85 * MiB)
    for (const handle of handles) heap.free(handle)
    expect(heap.size(heap.alloc(MiB / 2))).toBe(MiB / 2)
  })
})

const real = onLinux ? [['os-linux', createLinux] as const, ['os-engine', createEngine] as const] : []

describe.skipIf(!onLinux)('a shared heap on real memory (needs Linux)', () => {
  it.each(real)('gives all back, and is refused from then on: %s', (_, createOS) => {
    const memory = createMemory(createOS())
    const heap = heapOf({}, memory)
    const { u8 } = heap
    const handle = heap.alloc(100)
    u8[handle * 8] = 7
    heap.destroy()
    heap.destroy()
    expect(memory.stats().total.held).toBe(0)
    expect(u8[handle * 8] ?? 0).toBe(0)
    for (const run of [
      () => heap.alloc(8),
      () => heap.alloc(100_000),
      () => heap.free(handle),
      () => heap.size(handle),
      () => heap.u8,
      () => heap.check(),
      () => heap.share({}),
    ])
      expect(codeOf(run)).toBe('ERR_MEMLAYER_DISPOSED')
    expect(heap.has(handle)).toBe(false)
    expect(heap.stats()).toMatchObject({ used: 0, objects: 0, threads: 0 })
    expect(String(heap)).toBe("Heap 'heap': destroyed")
  })

  it.each(real)('refuses what is not a worker, and more threads than it is for: %s', async (_, createOS) => {
    const heap = heapOf({ threads: 2 }, createMemory(createOS()))
    expect(codeOf(() => heap.share({}))).toBe('ERR_MEMLAYER_SHARED')
    const worker = new Worker('setInterval(() => 0, 1000)', { eval: true })
    heap.share(worker)
    expect(errorOf(() => heap.share(worker))).toMatchObject({
      code: 'ERR_MEMLAYER_SHARED',
      message: expect.stringContaining("2 threads have the heap 'heap', or a token") as string,
    })
    await worker.terminate()
    const other = new Worker('setInterval(() => 0, 1000)', { eval: true })
    // What the ended worker was offered is free again.
    expect(heap.share(other)).toMatchObject({ memlayer: 'heap', slot: 2 })
    await other.terminate()
    heap.destroy()
    expect(heap.memory.stats().total.held).toBe(0)
  })

  it.each(real)('attaches nothing but what was shared with this thread: %s', async (_, createOS) => {
    const memory = createMemory(createOS())
    const heap = heapOf({}, memory)
    const worker = new Worker('setInterval(() => 0, 1000)', { eval: true })
    const token = heap.share(worker)
    const others = [undefined, null, 1, {}, { memlayer: 'heap' }, token.share, { ...token, slot: 1.5 }, token]
    for (const wrong of others as HeapToken[])
      expect(
        codeOf(() => attachHeap(memory, wrong)),
        inspect(wrong),
      ).toBe('ERR_MEMLAYER_SHARED')
    await worker.terminate()
    heap.destroy()
  })

  it('says how to share a heap that belongs to one thread', () => {
    const own = createHeap(simulated(), { maximum: MiB }) as unknown as SharedHeap
    expect(errorOf(() => own.share({}))).toMatchObject({
      code: 'ERR_MEMLAYER_SHARED',
      message: expect.stringContaining("the heap 'heap' belongs to one thread") as string,
      hint: 'Create it with createHeap(memory, { threads: true }).',
    })
  })
})
