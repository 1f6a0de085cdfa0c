// A heap that is nearly full, of one thread and of several: what is free serves, wherever it is.
import { createMemory, OutOfMemoryError } from '@memlayer/core'
import { createHeap, type Heap, type SharedHeap } from '@memlayer/heap'
import { createOS as createJS } from '@memlayer/os-js'
import { createOS as createLinux } from '@memlayer/os-linux'
import { simulate } from '@memlayer/simkernel'
import { errorOf } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'

const KiB = 1024
const MiB = 2 ** 20
/** The part of a heap before its first object. */
const first = 8 * KiB

interface Row {
  readonly what: string
  readonly isChecked?: true
  make(maximum: number): Heap | SharedHeap
}

const rows: readonly Row[] = [
  { what: 'of one thread', make: (maximum) => createHeap(createMemory(createJS()), { maximum }) },
  {
    what: 'that is checked',
    isChecked: true,
    make: (maximum) => createHeap(createMemory(createJS()), { maximum, check: true }),
  },
  {
    what: 'of several threads',
    make: (maximum) => createHeap(createMemory(createLinux({ kernel: simulate('linux') })), { maximum, threads: true }),
  },
]

function fill(heap: Heap | SharedHeap, bytes: number): number[] {
  const handles: number[] = []
  const error = errorOf(() => {
    for (;;) handles.push(heap.alloc(bytes))
  })
  expect(error).toBeInstanceOf(OutOfMemoryError)
  return handles
}

describe.each(rows)('a heap $what', ({ make, isChecked }) => {
  it('has all of its room for a large object, after objects of all sizes came and went', () => {
    const heap = make(8 * MiB)
    for (let bytes = 8; bytes <= 65_536; bytes += 8) heap.free(heap.alloc(bytes))
    expect(heap.stats().objects).toBe(0)
    const most = heap.maximum - first - (isChecked ? 8 : 0)
    expect(heap.size(heap.alloc(most))).toBe(most)
    heap.check()
  })

  it('has all of its room for objects of another size, after it was full', () => {
    const heap = make(MiB)
    for (const bytes of [40, 1000, 20_000, 100, 5000]) {
      const handles = fill(heap, bytes)
      expect(handles.length * bytes).toBeGreaterThan(0.75 * MiB)
      for (const handle of handles) heap.free(handle)
      heap.check()
    }
  })

  it.each([16, 64, 256, 512])('of %i KiB takes each size up to what it has, when it is empty', (size) => {
    const heap = make(size * KiB)
    const most = heap.maximum - first - (isChecked ? 8 : 0)
    for (let bytes = 0; bytes <= most; bytes += bytes < 300 ? 1 : 61) {
      const handle = heap.alloc(bytes)
      expect(heap.size(handle)).toBeGreaterThanOrEqual(bytes)
      heap.u8.fill(bytes, handle * 8, handle * 8 + bytes)
      heap.free(handle)
    }
    heap.check()
    expect(errorOf(() => heap.alloc(most + 1))).toBeInstanceOf(OutOfMemoryError)
  })

  it('gives an object fewer bytes where it is, when it is full', () => {
    const heap = make(256 * KiB)
    const handle = heap.alloc(70_000)
    heap.u8.fill(7, handle * 8, handle * 8 + 70_000)
    const others = [fill(heap, 30_000), fill(heap, 8)].flat()
    for (const bytes of [60_000, 40_000, 300, 0]) {
      expect(heap.realloc(handle, bytes)).toBe(handle)
      expect(heap.size(handle)).toBeGreaterThanOrEqual(bytes)
      expect(heap.u8.subarray(handle * 8, handle * 8 + bytes).every((byte) => byte === 7)).toBe(true)
      fill(heap, 8)
    }
    heap.check()
    expect(errorOf(() => heap.realloc(handle, 200_000))).toBeInstanceOf(OutOfMemoryError)
    expect(heap.has(handle)).toBe(true)
    for (const other of [...others, handle]) heap.free(other)
    heap.check()
  })
})

describe('a heap below a limit', () => {
  it('takes the pages that it keeps for the next object, before it is refused more', () => {
    const memory = createMemory(createJS())
    memory.limit = { bytes: 4 * MiB }
    const heap = createHeap(memory, { maximum: 16 * MiB })
    for (let bytes = 1000; bytes <= 20_000; bytes += 500) heap.free(heap.alloc(bytes))
    const kept = heap.stats().used
    expect(kept).toBeGreaterThan(MiB)
    const large = fill(heap, MiB / 2)
    expect(large.length).toBeGreaterThanOrEqual(6)
    heap.check()
  })
})
