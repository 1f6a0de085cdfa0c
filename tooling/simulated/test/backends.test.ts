// Tests a life of memory on every backend over its simulated kernel. So every machine can test what each real kernel
// would do.
import { createMemory, type Memory, type Traits } from '@memlayer/core'
import { detachView } from '@memlayer/kernel'
import { PageFault } from '@memlayer/simkernel'
import { describe, expect, it } from 'vitest'
import { backends, type Pair } from './life.js'

const KiB = 2 ** 10
const SIZE = 1024 * KiB
const PART = 256 * KiB

/** Makes a view of the bytes of [v, v+n). */
function bytesAt(memory: Memory, v: number, n: number): Uint8Array {
  const buffer = memory.os.view(v, n)
  return new Uint8Array(buffer, buffer.byteLength === n ? 0 : v, n)
}

/** Whether a read of the page at `v` faults. */
function faults({ kernel }: Pair, v: number): boolean {
  try {
    kernel.touch(v, 1, 'read')
    return false
  } catch (error) {
    if (error instanceof PageFault) return true
    throw error
  }
}

/** Makes memory that is Ready and filled. */
function filled({ os }: Pair, byte: number): { memory: Memory; v: number } {
  const memory = createMemory(os)
  const v = memory.sysReserve(null, SIZE)
  memory.sysMap(v, SIZE, memory.stat('test'))
  memory.sysUsed(v, SIZE)
  bytesAt(memory, v, SIZE).fill(byte)
  // Detach the view, because pages under a view can't be given back. A WebAssembly memory has one buffer and keeps it.
  const buffer = os.view(v, SIZE)
  if (buffer.byteLength === SIZE) detachView(buffer)
  return { memory, v }
}

describe.each(backends)('$name over its simulated kernel', ({ make }) => {
  it('returns zeroed memory, keeps written bytes, and gives all memory back', () => {
    const pair = make()
    const memory = createMemory(pair.os)
    const stat = memory.stat('test')
    const v = memory.sysAlloc(PART, stat)
    const bytes = bytesAt(memory, v, PART)
    expect(bytes.every((byte) => byte === 0)).toBe(true)
    bytes.fill(7)
    const copy = new Uint8Array(PART)
    pair.kernel.read(v, copy)
    expect(copy.every((byte) => byte === 7)).toBe(true)
    memory.sysFree(v, PART, stat)
    memory.check()
    expect(memory.stats().total.held).toBe(0)
    if (pair.os.traits.reservedTraps) expect(pair.kernel.maps()).toEqual([])
  })

  it('faults exactly where its traits say so', () => {
    const pair = make()
    const { reservedTraps, unusedTraps, faultTraps }: Traits = pair.os.traits
    const memory = createMemory(pair.os)
    const reserved = memory.sysReserve(null, PART)
    expect(faults(pair, reserved)).toBe(reservedTraps)

    const second = make()
    const life = filled(second, 1)
    expect(faults(second, life.v)).toBe(false)
    life.memory.sysUnused(life.v, PART)
    expect(faults(second, life.v)).toBe(unusedTraps)
    life.memory.sysUsed(life.v, PART)
    expect(faults(second, life.v)).toBe(false)
    life.memory.sysFault(life.v, PART)
    expect(faults(second, life.v)).toBe(faultTraps)
  })

  it('has zeroes or the old bytes after sysUnused and sysUsed, as its traits say', () => {
    const kinds = new Set<string>()
    for (let seed = 1; seed <= 8; seed++) {
      const pair = make({ seed })
      const { memory, v } = filled(pair, 7)
      memory.sysUnused(v + PART, PART)
      // During these calls, a kernel that is short of memory takes forfeit pages.
      for (let i = 0; i < 8; i++) memory.sysHugePage(v, SIZE)
      memory.sysUsed(v + PART, PART)
      const bytes = bytesAt(memory, v, SIZE)
      const { pageSize } = pair.os.traits
      for (let at = 0; at < SIZE; at += pageSize) {
        const page = bytes.subarray(at, at + pageSize)
        const inside = at >= PART && at < 2 * PART
        const [first = -1] = page
        expect(page.every((byte) => byte === first)).toBe(true)
        if (!inside) expect(first).toBe(7)
        else kinds.add(first === 0 ? 'zero' : first === 7 ? 'old' : 'other')
      }
    }
    const { unusedDropsContents, unusedReturnsMemory } = make().os.traits
    // A kernel that takes no page leaves all pages old. With forfeit pages, the seeds give both kinds.
    const expected = unusedDropsContents ? ['zero'] : unusedReturnsMemory ? ['old', 'zero'] : ['old']
    expect([...kinds].sort()).toEqual(expected)
  })

  it('gives unused memory back if its traits say so', () => {
    const pair = make()
    const { memory, v } = filled(pair, 7)
    const before = pair.kernel.residence(v, SIZE).resident
    expect(before).toBe(SIZE)
    memory.sysUnused(v, 2 * PART)
    pair.kernel.takeForfeit()
    const after = pair.kernel.residence(v, SIZE).resident
    expect(after).toBe(pair.os.traits.unusedReturnsMemory ? SIZE - 2 * PART : SIZE)
  })

  it('repeats a run for an equal seed, and names the seed', () => {
    const runs = [3, 3, 4].map((seed) => {
      const pair = make({ seed })
      const { memory, v } = filled(pair, 7)
      memory.sysUnused(v, PART)
      memory.sysFree(memory.sysReserve(null, PART), PART, null)
      return pair.kernel.describe()
    })
    expect(runs[0]).toBe(runs[1])
    expect(runs[0]).toContain('seed 3')
    expect(runs[2]).toContain('seed 4')
  })
})
