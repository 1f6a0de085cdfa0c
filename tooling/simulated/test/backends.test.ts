// A life of memory on every backend over its simulated kernel: what a real kernel of each would
// show is shown here on every machine.
import { createMemory, type Memory, type Traits } from '@memlayer/core'
import { detachView } from '@memlayer/kernel'
import { PageFault } from '@memlayer/simkernel'
import { describe, expect, it } from 'vitest'
import { backends, type Pair } from './life.js'

const KiB = 2 ** 10
const SIZE = 1024 * KiB
const PART = 256 * KiB

/** The bytes of [v, v+n) in a view that is made for it. */
function bytesAt(memory: Memory, v: number, n: number): Uint8Array {
  const buffer = memory.os.view(v, n)
  return new Uint8Array(buffer, buffer.byteLength === n ? 0 : v, n)
}

/** Whether the page at `v` faults when it is read. */
function faults({ kernel }: Pair, v: number): boolean {
  try {
    kernel.touch(v, 1, 'read')
    return false
  } catch (error) {
    if (error instanceof PageFault) return true
    throw error
  }
}

/** Memory that is Ready and filled. */
function filled({ os }: Pair, byte: number): { memory: Memory; v: number } {
  const memory = createMemory(os)
  const v = memory.sysReserve(null, SIZE)
  memory.sysMap(v, SIZE, memory.stat('test'))
  memory.sysUsed(v, SIZE)
  bytesAt(memory, v, SIZE).fill(byte)
  // Pages that a view shows can't be taken unseen; a memory that has one buffer keeps it.
  const buffer = os.view(v, SIZE)
  if (buffer.byteLength === SIZE) detachView(buffer)
  return { memory, v }
}

describe.each(backends)('$name over its simulated kernel', ({ make }) => {
  it('hands out zeroes, keeps what is written, and gives all of it back', () => {
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

  it('traps where its traits say so, and nowhere else', () => {
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

  it('finds zeroes after sysUnused and sysUsed, or what was there: as its traits say', () => {
    const kinds = new Set<string>()
    for (let seed = 1; seed <= 8; seed++) {
      const pair = make({ seed })
      const { memory, v } = filled(pair, 7)
      memory.sysUnused(v + PART, PART)
      // A few calls, in which a kernel that is short of memory takes what is forfeit.
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
    // Where nothing is taken everything is old; where pages are forfeit, a seed has it both ways.
    const expected = unusedDropsContents ? ['zero'] : unusedReturnsMemory ? ['old', 'zero'] : ['old']
    expect([...kinds].sort()).toEqual(expected)
  })

  it('gives memory back when it is unused, where its traits say so', () => {
    const pair = make()
    const { memory, v } = filled(pair, 7)
    const before = pair.kernel.residence(v, SIZE).resident
    expect(before).toBe(SIZE)
    memory.sysUnused(v, 2 * PART)
    pair.kernel.takeForfeit()
    const after = pair.kernel.residence(v, SIZE).resident
    expect(after).toBe(pair.os.traits.unusedReturnsMemory ? SIZE - 2 * PART : SIZE)
  })

  it('is the same run for the same seed, and says so in words', () => {
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
