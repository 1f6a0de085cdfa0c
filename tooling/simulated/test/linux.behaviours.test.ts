// Repeats on the simulated kernel what os-linux's own tests check on the real one. This covers resident bytes,
// contents, hints, huge pages, limits, and views of regions.
import { createMemory, FatalError, OutOfMemoryError, type Memory } from '@memlayer/core'
import { createOS, type LinuxOptions } from '@memlayer/os-linux'
import { PageFault, simulate, type PosixOptions, type SimulatedPosixKernel } from '@memlayer/simkernel'
import { errorOf } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'

const KiB = 2 ** 10
const MiB = 2 ** 20
const GiB = 2 ** 30
const TiB = 2 ** 40
const huge = 2 * MiB
const page = 4096

function over(options: PosixOptions = {}, how: LinuxOptions = {}): { memory: Memory; kernel: SimulatedPosixKernel } {
  const kernel = simulate('linux', options)
  return { memory: createMemory(createOS({ kernel, ...how })), kernel }
}

describe('os-linux over the simulated Linux', () => {
  it('counts resident bytes after a touch, after sysUnused, and after another touch', () => {
    const { memory, kernel } = over()
    const stat = memory.stat('test')
    const size = 256 * MiB
    const v = memory.sysReserve(null, size)
    memory.sysMap(v, size, stat)
    memory.sysUsed(v, size)
    expect(kernel.residence(v, size).resident).toBe(0)
    kernel.touch(v, size)
    expect(kernel.residence(v, size).resident).toBe(size)
    memory.sysUnused(v + 64 * MiB, 128 * MiB)
    expect(kernel.residence(v, size).resident).toBe(128 * MiB)
    memory.sysUsed(v + 64 * MiB, 128 * MiB)
    kernel.touch(v, size)
    expect(kernel.residence(v, size).resident).toBe(size)
    memory.sysFree(v, size, stat)
    expect(kernel.maps()).toEqual([])
  })

  it('reserves 1 TiB without resident or committed memory', () => {
    const { memory, kernel } = over()
    const v = memory.sysReserve(null, TiB)
    expect(kernel.maps()).toMatchObject([{ start: v, end: v + TiB, permissions: '---p', resident: 0 }])
    expect(kernel.limits().committed).toBe(0)
    memory.sysFree(v, TiB, null)
  })

  it('shows zeroes after sysUnused in an older view', () => {
    const { memory } = over()
    const v = memory.sysAlloc(MiB, null)
    const bytes = new Uint8Array(memory.os.view(v, MiB)).fill(7)
    memory.sysUnused(v + 256 * KiB, 256 * KiB)
    memory.sysUsed(v + 256 * KiB, 256 * KiB)
    expect(bytes.subarray(0, 256 * KiB).every((byte) => byte === 7)).toBe(true)
    expect(bytes.subarray(256 * KiB, 512 * KiB).every((byte) => byte === 0)).toBe(true)
    expect(bytes.subarray(512 * KiB).every((byte) => byte === 7)).toBe(true)
  })

  it.each([
    ['a faulted page', {}, (memory: Memory, v: number) => memory.sysFault(v, page)],
    [
      'a page given back under hardDecommit',
      { hardDecommit: true },
      (memory: Memory, v: number) => memory.sysUnused(v, page),
    ],
    ['a freed page', {}, (memory: Memory, v: number) => memory.sysFree(v, page, null)],
  ])('faults on a read of %s, and empties an old view', (_, how, transition) => {
    const { memory, kernel } = over({}, how)
    const v = memory.sysAlloc(page, null)
    const bytes = new Uint8Array(memory.os.view(v, page)).fill(7)
    transition(memory, v)
    expect([bytes.length, bytes[0]]).toEqual([0, undefined])
    expect(errorOf(() => kernel.read(v, new Uint8Array(1)))).toMatchObject({
      code: 'ERR_MEMLAYER_SIM_FAULT',
      address: v,
    })
    expect(() => memory.os.view(v, page)).toThrow(PageFault)
  })

  it('uses a hint to free addresses, and does not overwrite used ones', () => {
    const { memory } = over()
    const v = memory.sysReserve(null, 8 * MiB)
    memory.sysFree(v, 8 * MiB, null)
    expect(memory.sysReserve(v, 8 * MiB)).toBe(v)
    memory.sysMap(v, page, null)
    memory.sysUsed(v, page)
    const bytes = new Uint8Array(memory.os.view(v, page)).fill(9)
    expect(memory.sysReserve(v, MiB)).not.toBe(v)
    expect(bytes.every((byte) => byte === 9)).toBe(true)
  })

  it('asks for huge pages in the middle, and forbids them at the two ends', () => {
    const { memory, kernel } = over()
    const { address, size } = memory.sysReserveAligned(null, 8 * huge, huge)
    memory.sysMap(address, size, null)
    memory.sysUsed(address, size)
    kernel.touch(address, 8 * huge)
    expect(kernel.residence(address, 8 * huge).huge).toBe(8 * huge)
    memory.sysUnused(address + huge + page, 2 * huge)
    const flagged = (flag: string): number[] =>
      kernel
        .maps()
        .filter(({ flags }) => flags.includes(flag))
        .map(({ start, end }) => (Math.min(end, address + 8 * huge) - start) / huge)
    expect(flagged('nh')).toEqual([1, 1])
    expect(flagged('hg')).toEqual([1, 1, 4])
    // The two huge pages at the ends were split into small pages. The huge page between them is gone.
    expect(kernel.residence(address, 8 * huge)).toMatchObject({ resident: 6 * huge, huge: 5 * huge })
  })

  it('keeps pages until the machine needs them, when madvDontNeed is false', () => {
    const { memory, kernel } = over({ pressure: 0 }, { madvDontNeed: false })
    const v = memory.sysAlloc(4 * MiB, null)
    kernel.touch(v, 4 * MiB)
    memory.sysUnused(v, 4 * MiB)
    expect(kernel.residence(v, 4 * MiB)).toMatchObject({ resident: 4 * MiB, forfeit: 4 * MiB })
    kernel.takeForfeit()
    expect(kernel.residence(v, 4 * MiB)).toMatchObject({ resident: 0, forfeit: 0 })
  })

  it('gives many ranges back in two calls, or one by one if the kernel has no batches', () => {
    const batched = over()
    const plain = over({ batches: false })
    for (const { memory, kernel } of [batched, plain]) {
      const region = memory.reserve(16 * MiB)
      region.commit(0, 16 * MiB)
      kernel.touch(region.address, 16 * MiB)
      region.unusedAll(Array.from({ length: 64 }, (_, i) => [i * 2 * page, page]).flat())
      expect(kernel.residence(region.address, 16 * MiB).resident).toBe(16 * MiB - 64 * page)
      region.free()
    }
    expect(batched.kernel.counters.calls['madviseAll']).toBe(2)
    expect(plain.kernel.counters.calls['madviseAll']).toBeUndefined()
    expect(plain.kernel.counters.calls['madvise']).toBeGreaterThanOrEqual(64)
  })
})

describe('a region over the simulated Linux', () => {
  it('detaches the views of a page that is given back, and keeps the bytes of other pages', () => {
    const { memory } = over()
    using region = memory.reserve(MiB)
    region.commit(0, MiB)
    const wide = region.view(Uint8Array, 0, 16 * page).fill(7)
    const apart = region.view(Float64Array, 32 * page, 8).fill(1.5)
    region.unused(4 * page, page)
    expect([wide.length, wide[0]]).toEqual([0, undefined])
    expect(apart[7]).toBe(1.5)
    region.used(4 * page, page)
    const again = region.view(Uint8Array, 0, 16 * page)
    expect(again.subarray(0, 4 * page).every((byte) => byte === 7)).toBe(true)
    expect(again.subarray(4 * page, 5 * page).every((byte) => byte === 0)).toBe(true)
    expect(again.subarray(5 * page).every((byte) => byte === 7)).toBe(true)
  })

  it('reads and writes copies of the bytes in its views', () => {
    const { memory } = over()
    using region = memory.reserve(MiB)
    region.commit(0, MiB)
    const view = region.view(Uint8Array, page - 4, 8)
    region.write(page - 2, new Uint8Array([1, 2, 3, 4]))
    expect([...view]).toEqual([0, 0, 1, 2, 3, 4, 0, 0])
    view.fill(9)
    const target = new Uint8Array(2)
    region.read(page, target)
    expect([...target]).toEqual([9, 9])
  })
})

describe('os-linux after a refusal by the simulated Linux', () => {
  it.each([
    ['the end of the address space', {}, 2 ** 47, 'The address space of a process ends at 2^47'],
    [
      'a missing hole, before the commit',
      { memory: GiB },
      2 ** 47 - GiB,
      'No hole of 128.0 TiB is left in the address space',
    ],
    [
      'a missing hole, with overcommit 2',
      { memory: GiB, overcommit: 2 as const },
      2 ** 47 - GiB,
      'No hole of 128.0 TiB is left',
    ],
    ['RLIMIT_AS', { addressSpace: GiB }, GiB + page, 'RLIMIT_AS (ulimit -v) is 1 GiB'],
    ['RLIMIT_AS', { addressSpace: GiB }, 2 * GiB, 'Reserve less, or raise RLIMIT_AS'],
  ])('names %s', (_, limits, n, words) => {
    const { memory } = over({ limits })
    const error = errorOf(() => memory.sysReserve(null, n))
    expect(error).toBeInstanceOf(OutOfMemoryError)
    expect(error).toMatchObject({ errnoName: 'ENOMEM', hint: expect.stringContaining(words) as string })
    expect(memory.stats().total.held).toBe(0)
  })

  it('names vm.overcommit_memory 0 and 2', () => {
    const guessing = over({ limits: { memory: GiB } })
    expect(errorOf(() => guessing.memory.sysAlloc(GiB + page, null))).toMatchObject({
      hint: expect.stringContaining('vm.overcommit_memory is 0') as string,
    })
    guessing.memory.sysAlloc(GiB, null)
    guessing.memory.sysAlloc(GiB, null)

    const counting = over({ limits: { memory: GiB, overcommit: 2 } })
    counting.memory.sysAlloc(256 * MiB, null)
    expect(errorOf(() => counting.memory.sysAlloc(512 * MiB, null))).toMatchObject({
      hint: expect.stringContaining('256 MiB of 512 MiB are committed') as string,
    })
    // A reservation does not count as committed.
    counting.memory.sysReserve(null, TiB)
  })

  it('names vm.max_map_count, and works again after a free', () => {
    const { memory } = over({ limits: { maxMappings: 16 } })
    const v = memory.sysReserve(null, 64 * page)
    const mapOdd = (): void => {
      for (let i = 1; i < 64; i += 2) memory.sysMap(v + i * page, page, null)
    }
    const error = errorOf(mapOdd)
    expect(error).toBeInstanceOf(FatalError)
    expect(error).toMatchObject({
      errnoName: 'ENOMEM',
      hint: expect.stringContaining('vm.max_map_count is 16') as string,
    })
    memory.check()
    memory.sysFree(v, 64 * page, null)
    memory.sysAlloc(page, null)
  })

  it('uses Go’s message for too much locked memory', () => {
    const { memory } = over({ locksAll: true, limits: { lockedMemory: MiB } })
    memory.sysAlloc(MiB, null)
    expect(errorOf(() => memory.sysAlloc(page, null))).toMatchObject({
      errnoName: 'EAGAIN',
      message: expect.stringContaining("mmap: too much locked memory (check 'ulimit -l').") as string,
    })
  })
})
