// What a heap promises, call by call.
import { inspect } from 'node:util'
import { createMemory, OutOfMemoryError, UsageError, type Memory } from '@memlayer/core'
import { createHeap, type Heap, type HeapOptions } from '@memlayer/heap'
import { createOS as createJS } from '@memlayer/os-js'
import { errorOf } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'

const MiB = 2 ** 20

function heapOf(options: HeapOptions = {}, memory: Memory = createMemory(createJS())): Heap {
  return createHeap(memory, { maximum: 16 * MiB, ...options })
}

function codeOf(run: () => unknown): string | undefined {
  const error = errorOf(run)
  expect(error).toBeInstanceOf(UsageError)
  return (error as UsageError).code
}

describe('createHeap', () => {
  it('refuses options that are wrong, before it reserves', () => {
    const memory = createMemory(createJS())
    expect(codeOf(() => createHeap(memory, { maximal: 1 } as HeapOptions))).toBe('ERR_MEMLAYER_OPTION')
    for (const maximum of [0, -1, 8192, 2 ** 33 + 1, NaN, 16384.5, '16384' as unknown as number])
      expect(codeOf(() => createHeap(memory, { maximum }))).toBe('ERR_MEMLAYER_SIZE')
    expect(memory.stats().total.held).toBe(0)
  })

  it('has the name of its region and its category', () => {
    const heap = heapOf({ name: 'records' })
    heap.alloc(100)
    expect(heap.name).toBe('records')
    expect(heap.memory.stats().categories['records']?.ready).toBe(heap.stats().ready)
  })
})

describe('alloc', () => {
  it('returns a handle that is the offset in units of 8 bytes, and never 0', () => {
    const heap = heapOf()
    const handle = heap.alloc(40)
    expect(handle).toBeGreaterThan(0)
    heap.u32[handle * 2 + 1] = 7
    heap.f64[handle + 1] = 0.5
    const bytes = heap.view(handle)
    expect(bytes.byteOffset - heap.u8.byteOffset).toBe(handle * 8)
    expect(new DataView(bytes.buffer, bytes.byteOffset).getUint32(4, true)).toBe(7)
    expect(new DataView(bytes.buffer, bytes.byteOffset).getFloat64(8, true)).toBe(0.5)
  })

  it('takes every size from 0 to the maximum, and refuses others before any effect', () => {
    const heap = heapOf()
    expect(heap.size(heap.alloc(0))).toBe(8)
    expect(heap.size(heap.alloc(65536))).toBe(65536)
    expect(heap.size(heap.alloc(65537))).toBe(73728)
    const before = heap.stats()
    for (const bytes of [-1, 1.5, NaN, Infinity, 16 * MiB + 1, '8', undefined, null, 2n, {}] as number[]) {
      expect(codeOf(() => heap.alloc(bytes))).toBe('ERR_MEMLAYER_SIZE')
      expect(codeOf(() => heap.allocZeroed(bytes))).toBe('ERR_MEMLAYER_SIZE')
      expect(codeOf(() => heap.allocAligned(bytes, 8))).toBe('ERR_MEMLAYER_SIZE')
    }
    expect(heap.stats()).toEqual(before)
  })

  it('is refused with what is in use when the heap is full, and works again after a free', () => {
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

  it('serves the lowest span that has room, so that others empty', () => {
    const heap = heapOf()
    const handles = Array.from({ length: 10_000 }, () => heap.alloc(64))
    const lows = handles.slice(0, 1000)
    for (const handle of lows) heap.free(handle)
    const again = Array.from({ length: 1000 }, () => heap.alloc(64))
    // The span that served the last allocation may have room as well: for 128 objects.
    const own = new Set(lows)
    expect(again.filter((handle) => own.has(handle)).length).toBeGreaterThanOrEqual(1000 - 128)
  })
})

describe('allocZeroed and allocAligned', () => {
  it('zero what an object before has left', () => {
    const heap = heapOf()
    for (const bytes of [8, 100, 4096, 100_000]) {
      const handle = heap.alloc(bytes)
      heap.view(handle).fill(255)
      heap.free(handle)
      const zeroed = heap.allocZeroed(bytes)
      expect(zeroed).toBe(handle)
      expect(heap.view(zeroed).every((byte) => byte === 0)).toBe(true)
    }
  })

  it('align by addresses, up to a page of the heap', () => {
    const heap = heapOf()
    for (let align = 1; align <= 8192; align *= 2) {
      for (const bytes of [0, 1, 24, 100, 5000, 70_000]) {
        const handle = heap.allocAligned(bytes, align)
        expect((heap.region.address + handle * 8) % align).toBe(0)
        expect(heap.size(handle)).toBeGreaterThanOrEqual(bytes)
      }
    }
    for (const align of [0, 3, 16384, -8, 1.5, NaN, '8'] as number[])
      expect(codeOf(() => heap.allocAligned(8, align))).toBe('ERR_MEMLAYER_ALIGNMENT')
  })
})

describe('a wrong handle', () => {
  it('is refused by every call, before any effect', () => {
    const heap = heapOf()
    const handle = heap.alloc(100)
    const large = heap.alloc(100_000)
    const before = heap.stats()
    const calls: ((wrong: number) => unknown)[] = [
      (wrong) => heap.free(wrong),
      (wrong) => heap.size(wrong),
      (wrong) => heap.view(wrong),
      (wrong) => heap.realloc(wrong, 10),
    ]
    const inside = [handle + 1, large + 1, large + 1024, 0, -handle, handle + 0.5, handle + 2 ** 32]
    const others = [
      2 ** 30,
      2 ** 40,
      NaN,
      Infinity,
      '1024',
      undefined,
      null,
      {},
      1024n,
      heap.maximum / 8,
      large + 2 ** 20,
    ]
    for (const call of calls) {
      for (const wrong of [...inside, ...others] as number[])
        expect(
          codeOf(() => call(wrong)),
          String(wrong),
        ).toBe('ERR_MEMLAYER_NOT_OWNED')
    }
    expect(heap.stats()).toEqual(before)
    expect(heap.has(handle)).toBe(true)
    expect(heap.has(handle + 1)).toBe(false)
  })

  it('that is free already is told from one that is not an object', () => {
    const heap = heapOf()
    const [handle, other] = [heap.alloc(100), heap.alloc(100)]
    const large = heap.alloc(100_000)
    heap.free(handle)
    heap.free(large)
    expect(codeOf(() => heap.free(handle))).toBe('ERR_MEMLAYER_STATE')
    expect(codeOf(() => heap.free(large))).toBe('ERR_MEMLAYER_STATE')
    expect(codeOf(() => heap.free(other + 1))).toBe('ERR_MEMLAYER_NOT_OWNED')
    expect(heap.has(other)).toBe(true)
  })

  it('behind the last object of a span is not an object', () => {
    const heap = heapOf()
    // A span of 240 bytes leaves some over.
    const first = heap.alloc(240)
    const objects = Math.floor(8192 / 240)
    expect(codeOf(() => heap.free(first + objects * 30))).toBe('ERR_MEMLAYER_NOT_OWNED')
  })
})

describe('realloc', () => {
  it('keeps the contents, and stays where it is when it can', () => {
    const heap = heapOf()
    const handle = heap.alloc(100)
    heap.view(handle).fill(9)
    expect(heap.realloc(handle, 104)).toBe(handle)
    const moved = heap.realloc(handle, 1000)
    expect(heap.has(handle)).toBe(false)
    expect([...heap.view(moved).subarray(0, 100)]).toEqual(Array.from({ length: 100 }, () => 9))
    const large = heap.alloc(100_000)
    expect(heap.realloc(large, 200_000)).toBe(large)
    expect(heap.realloc(large, 80_000)).toBe(large)
    expect(heap.size(large)).toBe(81_920)
    expect(codeOf(() => heap.realloc(large, -1))).toBe('ERR_MEMLAYER_SIZE')
  })

  it('moves a large object that has a neighbour', () => {
    const heap = heapOf()
    const large = heap.alloc(100_000)
    heap.view(large).fill(3)
    heap.alloc(100_000)
    const moved = heap.realloc(large, 200_000)
    expect(moved).not.toBe(large)
    expect(
      heap
        .view(moved)
        .subarray(0, 100_000)
        .every((byte) => byte === 3),
    ).toBe(true)
  })
})

describe('mark and release', () => {
  it('free what was allocated between, and nothing else', () => {
    const heap = heapOf()
    const before = heap.alloc(100)
    const mark = heap.mark()
    const handles = [50, 100, 5000, 100_000].map((bytes) => heap.alloc(bytes))
    const [first = 0] = handles
    heap.free(first)
    heap.release(mark)
    for (const handle of handles) expect(heap.has(handle)).toBe(false)
    expect(heap.has(before)).toBe(true)
    expect(codeOf(() => heap.release(mark))).toBe('ERR_MEMLAYER_STATE')
    expect(heap.stats().objects).toBe(1)
  })

  it('nest, and an outer release ends the inner marks', () => {
    const heap = heapOf()
    const outer = heap.mark()
    const inOuter = heap.alloc(100)
    const inner = heap.mark()
    const inInner = heap.alloc(100)
    heap.release(inner)
    expect([heap.has(inOuter), heap.has(inInner)]).toEqual([true, false])
    const again = heap.mark()
    heap.release(outer)
    expect(heap.has(inOuter)).toBe(false)
    expect(codeOf(() => heap.release(again))).toBe('ERR_MEMLAYER_STATE')
    expect(heap.stats().objects).toBe(0)
  })

  it('keep an object of outside that grew between', () => {
    const heap = heapOf()
    const kept = heap.alloc(100)
    heap.view(kept).fill(5)
    const mark = heap.mark()
    const moved = heap.realloc(kept, 5000)
    const own = heap.alloc(10)
    heap.release(mark)
    expect(heap.has(own)).toBe(false)
    expect(
      heap
        .view(moved)
        .subarray(0, 100)
        .every((byte) => byte === 5),
    ).toBe(true)
  })

  it('do not grow when an arena lives long and its objects come and go', () => {
    const heap = heapOf()
    const mark = heap.mark()
    heap.free(heap.alloc(100_000))
    const before = heap.stats().metadata
    for (let i = 0; i < 10_000; i++) heap.free(heap.alloc(100_000))
    expect(heap.stats().metadata).toBe(before)
    heap.release(mark)
    expect(heap.stats().used).toBe(0)
  })

  it('stop at 127 marks', () => {
    const heap = heapOf({ maximum: MiB })
    const marks = Array.from({ length: 127 }, () => heap.mark())
    expect(codeOf(() => heap.mark())).toBe('ERR_MEMLAYER_STATE')
    heap.release(marks[0] as number)
    expect(codeOf(() => heap.release('1' as unknown as number))).toBe('ERR_MEMLAYER_STATE')
  })
})

describe('destroy', () => {
  it('gives all back, ends the views, and stops every call', () => {
    const heap = heapOf()
    const handle = heap.alloc(100)
    const mark = heap.mark()
    const { u8 } = heap
    heap.destroy()
    heap.destroy()
    expect(heap.memory.stats().total.held).toBe(0)
    expect(u8[handle * 8]).toBeUndefined()
    const calls = [
      () => heap.alloc(8),
      () => heap.alloc(0),
      () => heap.alloc(100_000),
      () => heap.allocZeroed(8),
      () => heap.allocAligned(8, 16),
      () => heap.free(handle),
      () => heap.realloc(handle, 8),
      () => heap.size(handle),
      () => heap.view(handle),
      () => heap.u8,
      () => heap.f64,
      () => heap.mark(),
      () => heap.scavenge(),
    ]
    for (const call of calls) expect(codeOf(call)).toBe('ERR_MEMLAYER_DISPOSED')
    expect(codeOf(() => heap.release(mark))).toBe('ERR_MEMLAYER_STATE')
    expect(heap.has(handle)).toBe(false)
    expect(String(heap)).toBe("Heap 'heap': destroyed")
  })

  it('leaves figures that say that nothing is in use', () => {
    const heap = heapOf()
    const handles = Array.from({ length: 1000 }, (_, i) => heap.alloc(8 + (i % 5000)))
    handles.push(heap.alloc(200_000))
    for (const handle of handles.filter((_, i) => i % 3 === 0)) heap.free(handle)
    expect(heap.stats().used).toBeGreaterThan(200_000)
    heap.destroy()
    expect(heap.stats()).toMatchObject({ ready: 0, used: 0, live: 0, objects: 0, waste: 0, retained: 0, spans: 0 })
  })
})

describe('code that hears of a commit', () => {
  it('may allocate, free and destroy, and no object has two owners', () => {
    const memory = createMemory(createJS())
    const heap = createHeap(memory, { maximum: 16 * MiB, grow: true })
    const handles = new Set<number>()
    let isInside = false
    const end = memory.observe(() => {
      if (isInside) return
      isInside = true
      for (const bytes of [64, 5000, 70_000]) handles.add(heap.alloc(bytes))
      isInside = false
    })
    let count = 0
    for (let i = 0; i < 1000; i++) {
      handles.add(heap.alloc(64))
      handles.add(heap.alloc(5000))
      count += 2
    }
    end()
    expect(handles.size).toBeGreaterThan(count)
    expect(heap.stats().objects).toBe(handles.size)
    for (const handle of handles) heap.free(handle)
    heap.destroy()
    const other = createHeap(memory, { maximum: 16 * MiB, grow: true })
    const stop = memory.observe(() => other.destroy())
    expect(codeOf(() => other.alloc(10 * MiB))).toBe('ERR_MEMLAYER_DISPOSED')
    stop()
    expect(memory.stats().total.held).toBe(0)
  })

  it('may allocate objects of the same size, and the room of their span is not lost', () => {
    const memory = createMemory(createJS())
    using heap = createHeap(memory, { maximum: 16 * MiB, grow: true })
    let isInside = false
    const end = memory.observe(() => {
      if (isInside) return
      isInside = true
      heap.alloc(64)
    })
    heap.alloc(64)
    end()
    expect(isInside).toBe(true)
    // A span has 128 of them.
    for (let i = 2; i < 256; i++) heap.alloc(64)
    expect(heap.stats()).toMatchObject({ objects: 256, spans: 2 })
    heap.check()
  })

  it('may free the object that is given another size, and realloc says so', () => {
    const memory = createMemory(createJS())
    using heap = createHeap(memory, { maximum: 16 * MiB, grow: true })
    const handle = heap.alloc(100)
    const end = memory.observe(() => {
      if (heap.has(handle)) heap.free(handle)
    })
    expect(codeOf(() => heap.realloc(handle, 5 * MiB))).toBe('ERR_MEMLAYER_STATE')
    end()
    expect(heap.stats().objects).toBe(0)
  })
})

it.each([undefined, null, {}, 1, 'memory'])('names a memory that is not one: %s', (memory) => {
  const create = (): unknown => createHeap(memory as never)
  expect(create).toThrow(expect.objectContaining({ code: 'ERR_MEMLAYER_OPTION' }))
  expect(create).toThrow(/^createHeap: the memory is .* Pass a memory, then the options/)
})

it('is printed in one line', () => {
  using heap = heapOf({ name: 'points', maximum: MiB })
  expect(inspect(heap)).toBe("Heap 'points': 0 bytes of 1 MiB in use")
})
