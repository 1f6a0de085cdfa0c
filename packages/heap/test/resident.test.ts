// What the OS has back after objects were freed and the heap scavenged, as the kernel itself counts it. Pages are the
// bound: a page with an object in use stays.
import { createMemory } from '@memlayer/core'
import { createHeap, type Heap } from '@memlayer/heap'
import { createOS } from '@memlayer/os-linux'
import { random, residentBytes } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'

const MiB = 2 ** 20
const onLinux = process.platform === 'linux'

interface Row {
  readonly name: string
  readonly objects: number
  readonly size: number
  /** So many neighbours are freed together. */
  readonly together: number
  /** The least part of the freed bytes that pages allow to go back. */
  readonly returned: number
}

const rows: readonly Row[] = [
  {
    name: 'half of a million objects of 64 bytes, 256 neighbours at a time',
    objects: 1e6,
    size: 64,
    together: 256,
    returned: 0.7,
  },
  { name: 'half of a million objects of 64 bytes, each by chance', objects: 1e6, size: 64, together: 1, returned: 0 },
  {
    name: 'half of 100,000 objects of 4096 bytes, each by chance',
    objects: 1e5,
    size: 4096,
    together: 1,
    returned: 0.98,
  },
  { name: 'half of 100,000 objects of 1200 bytes, each by chance', objects: 1e5, size: 1200, together: 1, returned: 0 },
]

/** The bytes of kernel pages that an object of `handles` touches. */
function touched(heap: Heap, handles: readonly number[], size: number, page: number): number {
  const pages = new Set<number>()
  for (const handle of handles) {
    const at = heap.region.address + handle * 8
    for (let v = Math.floor(at / page); v * page < at + size; v++) pages.add(v)
  }
  return pages.size * page
}

describe.skipIf(!onLinux)('what is resident after a scavenge (needs Linux)', () => {
  it.each(rows)('is at most 10 % above the pages of live objects: $name', ({ objects, size, together, returned }) => {
    const memory = createMemory(createOS())
    const { pageSize } = memory.os.traits
    using heap = createHeap(memory, { maximum: 512 * MiB })
    const { below } = random()
    const handles = Array.from({ length: objects }, () => heap.alloc(size))
    for (const handle of handles) heap.u8.fill(1, handle * 8, handle * 8 + size)
    const { address } = heap.region
    const full = residentBytes(address, heap.maximum, pageSize)
    expect(full).toBeGreaterThanOrEqual(objects * size)

    const kept: number[] = []
    for (let i = 0; i < objects; i += together) {
      const some = handles.slice(i, i + together)
      if (below(2) === 0) kept.push(...some)
      else for (const handle of some) heap.free(handle)
    }
    const bound = touched(heap, kept, size, pageSize)
    heap.scavenge()
    const after = residentBytes(address, heap.maximum, pageSize)
    expect(after).toBeLessThanOrEqual(1.1 * bound)
    expect(full - after).toBeGreaterThanOrEqual(returned * (objects - kept.length) * size)
    expect(heap.compactable()).toBeLessThanOrEqual(full - after + 0.1 * bound)
    for (const handle of kept) if (heap.u8[handle * 8 + size - 1] !== 1) throw new Error(`${handle} lost its bytes`)
  })

  it('is next to nothing when all objects are free', () => {
    const memory = createMemory(createOS())
    const { pageSize } = memory.os.traits
    using heap = createHeap(memory, { maximum: 256 * MiB })
    const handles = Array.from({ length: 300_000 }, (_, i) => heap.allocZeroed(16 + (i % 1000)))
    for (const handle of handles) heap.free(handle)
    expect(heap.compactable()).toBeGreaterThan(100 * MiB)
    heap.scavenge()
    expect(heap.compactable()).toBe(0)
    expect(residentBytes(heap.region.address, heap.maximum, pageSize)).toBe(0)
  })

  it('falls by what was asked for, when the memory is short of so much', () => {
    const memory = createMemory(createOS())
    memory.limit = { bytes: 64 * MiB }
    using heap = createHeap(memory, { maximum: 256 * MiB })
    expect(heap.viewsLast).toBe(false)
    const handles = Array.from({ length: 100 }, () => heap.alloc(500_000))
    for (const handle of handles) heap.free(handle)
    expect(heap.stats().ready).toBeGreaterThan(48 * MiB)
    // Another part of the program needs it, so the limit asks the heap.
    using other = memory.reserve(48 * MiB, { name: 'other' })
    other.commit(0, 48 * MiB)
    expect(heap.stats().ready).toBeLessThan(16 * MiB)
  })
})
