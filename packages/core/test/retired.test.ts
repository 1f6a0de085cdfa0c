// Addresses that JavaScript has seen are kept after a free, and serve later reservations. A range without a view is
// unmapped, as in Go.
import { createMemory, OutOfMemoryError, type Memory } from '@memlayer/core'
import { testSeed } from '@memlayer/witness'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { errorOf } from './errors-of.js'
import { KeepingOS } from './keeping-os.js'

const page = 4096

/** Makes `n` bytes Ready, lets JavaScript see them, and frees them. */
function seenAndFreed(memory: Memory, n = page): number {
  const v = memory.sysAlloc(n, null)
  memory.view(Uint8Array, v, n)
  memory.sysFree(v, n, null)
  return v
}

describe('a freed range', () => {
  it('is unmapped when it never had a view, and kept when it had one', () => {
    const os = new KeepingOS()
    const memory = createMemory(os)
    const unseen = memory.sysAlloc(2 * page, null)
    memory.sysFree(unseen, 2 * page, null)
    expect([os.states(unseen, 2 * page), memory.stats().retired]).toEqual(['None', 0])
    const seen = seenAndFreed(memory, 2 * page)
    expect([os.states(seen, 2 * page), memory.stats().retired]).toEqual(['Ready', 2 * page])
    expect(os.emptied).toEqual([`${seen.toString(16)}+${2 * page}`])
    expect(os.calls.filter((call) => call.startsWith('sysFreeOS'))).toEqual([
      `sysFreeOS(0x${unseen.toString(16)}, ${2 * page})`,
    ])
    expect(memory.ranges()).toEqual([])
    memory.check()
  })

  it('is kept whatever state it is in, and a region as a whole', () => {
    const os = new KeepingOS()
    const memory = createMemory(os)
    const region = memory.reserve(8 * page)
    region.commit(0, 4 * page)
    region.view(Uint8Array, 2 * page, 10)
    region.unused(0, page)
    region.fault(page, page)
    region.free(6 * page, page)
    expect(memory.stats().retired).toBe(page)
    region.free()
    expect([memory.stats().retired, os.states(region.address, region.size)]).toEqual([8 * page, 'Ready'])
  })

  it('is kept when it was shared or held by a view that has ended', () => {
    const memory = createMemory(new KeepingOS())
    const v = memory.sysAlloc(page, null)
    const view = memory.view(Uint8Array, v, page)
    memory.sysUnused(v, page)
    expect(view.length).toBe(0)
    memory.sysUsed(v, page)
    memory.sysFree(v, page, null)
    expect(memory.stats().retired).toBe(page)
  })

  it('is unmapped when the OS can not keep it', () => {
    const os = new KeepingOS()
    const memory = createMemory(os)
    os.retires = false
    const v = seenAndFreed(memory)
    expect([os.states(v, page), memory.stats().retired]).toEqual(['None', 0])
  })

  it('is unmapped when it is more than the OS can spare', () => {
    const os = new KeepingOS({ quarantine: { space: 4 * page, writable: Infinity } })
    const memory = createMemory(os)
    expect(os.states(seenAndFreed(memory, 5 * page), 5 * page)).toBe('None')
    expect(os.states(seenAndFreed(memory, 4 * page), 4 * page)).toBe('Ready')
    // It never has more, whatever is freed.
    for (let i = 0; i < 9; i++) {
      seenAndFreed(memory, 2 * page)
      expect(memory.stats().retired).toBeLessThanOrEqual(4 * page)
    }
  })
})

describe('retired addresses', () => {
  it('do not serve while they are in quarantine, and the oldest serve first after it', () => {
    const os = new KeepingOS({ quarantine: { space: 16 * page, writable: Infinity } })
    const memory = createMemory(os)
    const first = seenAndFreed(memory, 4 * page)
    const second = memory.sysAlloc(4 * page, null)
    expect(second).not.toBe(first)
    memory.view(Uint8Array, second, page)
    const third = memory.sysAlloc(4 * page, null)
    memory.view(Uint8Array, third, page)
    memory.sysFree(second, 4 * page, null)
    memory.sysFree(third, 4 * page, null)
    // 12 pages are more than half of 16: the first has left the quarantine.
    const used = memory.sysReserve(null, 4 * page)
    expect([used, os.states(used, 4 * page), memory.stats().retired]).toEqual([first, 'Reserved', 8 * page])
    memory.sysMap(used, 4 * page, null)
    memory.sysUsed(used, 4 * page)
    memory.check()
  })

  it('serve an allocation as Ready memory that is empty', () => {
    const os = new KeepingOS({ quarantine: { space: 16 * page, writable: Infinity } })
    const memory = createMemory(os)
    const [first] = Array.from({ length: 3 }, () => memory.sysAlloc(4 * page, null)).map((v) => {
      memory.view(Uint8Array, v, page)
      return v
    })
    for (const { address } of memory.ranges()) {
      for (let at = 0; at < 3; at++) memory.sysFree(address + at * 4 * page, 4 * page, null)
    }
    const before = os.emptied.length
    expect(memory.sysAlloc(2 * page, null)).toBe(first)
    expect(os.emptied.slice(before)).toEqual([`${first?.toString(16)}+${2 * page}`])
  })

  it('serve no request with a hint', () => {
    const os = new KeepingOS({ quarantine: { space: 8 * page, writable: Infinity } })
    const memory = createMemory(os)
    const v = seenAndFreed(memory, 4 * page)
    seenAndFreed(memory, 4 * page)
    expect(memory.sysReserve(v, 4 * page)).not.toBe(v)
  })

  it('trap when the OS can spare no more memory that can be touched, and count all the same', () => {
    const os = new KeepingOS({ quarantine: { space: Infinity, writable: 4 * page } })
    const memory = createMemory(os)
    const first = seenAndFreed(memory, 3 * page)
    const second = seenAndFreed(memory, 3 * page)
    expect([os.states(first, 3 * page), os.states(second, 3 * page)]).toEqual(['Reserved', 'Ready'])
    const large = seenAndFreed(memory, 5 * page)
    expect(os.states(large, 5 * page)).toBe('Reserved')
    expect(memory.stats().retired).toBe(11 * page)
  })

  it('stay touchable up to the very bytes that the OS spares, and trap beyond', () => {
    const os = new KeepingOS({ quarantine: { space: Infinity, writable: 4 * page } })
    const memory = createMemory(os)
    const first = seenAndFreed(memory, 4 * page)
    expect(os.states(first, 4 * page)).toBe('Ready')
    // One page more, and the oldest range traps.
    const second = seenAndFreed(memory, page)
    expect([os.states(first, 4 * page), os.states(second, page)]).toEqual(['Reserved', 'Ready'])
    expect(os.states(seenAndFreed(memory, 5 * page), 5 * page)).toBe('Reserved')
    expect(memory.stats().retired).toBe(10 * page)
  })

  it('cost no look at the mappings of the process for each', () => {
    const os = new KeepingOS()
    let looks = 0
    os.host = {
      mappings: () => {
        looks += 1
        return { used: 10, limit: 65_530 }
      },
    }
    const memory = createMemory(os)
    for (let i = 0; i < 200; i++) seenAndFreed(memory)
    expect(memory.stats().retired).toBe(200 * page)
    expect(looks).toBeLessThan(3)
  })

  it('count among the mappings that are the memory’s own, neighbours as one', () => {
    const os = new KeepingOS()
    os.host = { mappings: () => ({ used: 10, limit: 65_530 }) }
    const memory = createMemory(os)
    const region = memory.reserve(8 * page)
    region.commit(0, 8 * page)
    region.view(Uint8Array, 0, 8 * page)
    const own = (): number | undefined => memory.mappings()?.own
    expect(own()).toBe(1)
    region.free(0, page)
    region.free(page, page)
    expect(own()).toBe(2)
    region.free(6 * page, page)
    expect(own()).toBe(4)
    region.free()
    expect([own(), memory.stats().retired]).toEqual([1, 8 * page])
  })

  it('leave the quarantine when the OS refuses other addresses', () => {
    const os = new KeepingOS({ pages: 16 })
    const memory = createMemory(os)
    const v = seenAndFreed(memory, 12 * page)
    expect(memory.sysReserve(null, 8 * page)).toBe(v)
    expect(memory.stats().retired).toBe(4 * page)
    memory.check()
  })

  it('go back to the OS when it refuses what they can not serve themselves', () => {
    const os = new KeepingOS({ pages: 16 })
    const memory = createMemory(os)
    const owned = memory.sysAlloc(4 * page, null)
    seenAndFreed(memory, 6 * page)
    const v = memory.sysAlloc(12 * page, null)
    expect([v - owned, memory.stats().retired]).toEqual([4 * page, 0])
    expect(errorOf(() => memory.sysAlloc(page, null))).toBeInstanceOf(OutOfMemoryError)
    memory.check()
  })

  it('go back when the process is short of mappings', () => {
    const os = new KeepingOS()
    let isShort = false
    os.host = { mappings: () => ({ used: isShort && os.pages.size > 2 ? 65_000 : 100, limit: 65_530 }) }
    const memory = createMemory(os)
    const owned = memory.sysAlloc(2 * page, null)
    seenAndFreed(memory, 3 * page)
    isShort = true
    for (let i = 0; i < 5000; i++) {
      memory.sysFault(owned, page)
      memory.sysMap(owned, page, null)
      memory.sysUsed(owned, page)
    }
    expect([memory.stats().retired, os.pages.size]).toEqual([0, 2])
  })

  it('are given back again from time to time, so that what is written late does not add up', () => {
    const os = new KeepingOS({ pages: 1024 })
    const memory = createMemory(os)
    const v = seenAndFreed(memory)
    const times = (): number => os.emptied.filter((range) => range.startsWith(`${v.toString(16)}+`)).length
    expect(times()).toBe(1)
    for (let i = 0; i < 256; i++) seenAndFreed(memory)
    expect(times()).toBe(2)
  })
})

it('owned and retired addresses are those that the OS has, through random operations', () => {
  const step = fc.record({ what: fc.nat(4), at: fc.nat(), pages: fc.integer({ min: 1, max: 6 }), limit: fc.nat(3) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200, size: 'max' }), fc.constantFrom(8, 40, Infinity), (steps, space) => {
      const os = new KeepingOS({ pages: 64, quarantine: { space: space * page, writable: 16 * page } })
      const memory = createMemory(os)
      const owned: { v: number; n: number }[] = []
      for (const { what, at, pages } of steps) {
        const one = owned.length === 0 ? undefined : owned[at % owned.length]
        try {
          if (what === 0) owned.push({ v: memory.sysAlloc(pages * page, null), n: pages * page })
          else if (what === 1) owned.push({ v: memory.sysReserve(null, pages * page), n: pages * page })
        } catch (error) {
          expect(error).toBeInstanceOf(OutOfMemoryError)
        }
        if (one === undefined) continue
        if (what === 2 && memory.ranges().some(({ address, state }) => address === one.v && state === 'Ready')) {
          memory.view(Uint8Array, one.v, page)
        }
        if (what >= 3) {
          memory.sysFree(one.v, one.n, null)
          owned.splice(owned.indexOf(one), 1)
        }
        memory.check()
        const bytes = owned.reduce((sum, { n }) => sum + n, 0)
        expect(os.pages.size * page).toBe(bytes + memory.stats().retired)
        expect(memory.ranges().reduce((sum, { size }) => sum + size, 0)).toBe(bytes)
      }
    }),
    { numRuns: 300, seed: testSeed() },
  )
})
