// Wrong ranges, and kernels that do wrong: which error it is and what it says. Afterwards the account and the
// kernel's pages are what they should be.
import { createMemory, FatalError, MemlayerError, OutOfMemoryError, UsageError, type Memory } from '@memlayer/core'
import { record, type WindowsKernel } from '@memlayer/kernel'
import { createOS } from '@memlayer/os-windows'
import { errorOf } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'
import { checkAccount } from './life.ts'
import { pagesKernel } from './pages-kernel.ts'

const KiB = 2 ** 10
const MiB = 2 ** 20
const COMMIT = 0x1000
const DECOMMIT = 0x4000

/** What `run` throws, which has to be an error of the layer. */
function layerErrorOf(run: () => unknown): MemlayerError {
  const error = errorOf(run)
  expect(error).toBeInstanceOf(MemlayerError)
  return error as MemlayerError
}

/** Two mapped reservations of `n` bytes, side by side. */
function neighbours(memory: Memory, n: number): number {
  const v = memory.sysReserve(null, n)
  expect(memory.sysReserve(v + n, n)).toBe(v + n)
  memory.sysMap(v, 2 * n, memory.stat('test'))
  return v
}

/** A kernel that refuses the calls for which `refuses` returns true. */
function refusing(
  below: WindowsKernel,
  errno: number,
  refuses: (fn: string, addr: number, size: number, type: number) => boolean,
): WindowsKernel {
  return {
    ...below,
    virtualAlloc: (addr, size, type, protect) =>
      refuses('virtualAlloc', addr, size, type) ? -errno : below.virtualAlloc(addr, size, type, protect),
    virtualFree: (addr, size, type) =>
      refuses('virtualFree', addr, size, type) ? -errno : below.virtualFree(addr, size, type),
  }
}

describe('os-windows: a wrong range', () => {
  const ranges: [string, number, number, string][] = [
    ['an unaligned address', 1, 4096, 'ERR_MEMLAYER_ALIGNMENT'],
    ['an unaligned size', 0, 4097, 'ERR_MEMLAYER_ALIGNMENT'],
    ['a range past the end', 4096, MiB, 'ERR_MEMLAYER_NOT_OWNED'],
    ['a range below the start', -65536, 131072, 'ERR_MEMLAYER_NOT_OWNED'],
    ['a foreign range', 2 ** 30, 4096, 'ERR_MEMLAYER_NOT_OWNED'],
    ['a size that is not a number', 0, NaN, 'ERR_MEMLAYER_SIZE'],
    ['a negative size', 0, -4096, 'ERR_MEMLAYER_SIZE'],
    ['a size of 2^53', 0, 2 ** 53, 'ERR_MEMLAYER_SIZE'],
  ]

  it.each(ranges)('%s is a UsageError in every operation, without a kernel call', (_, offset, n, code) => {
    const { kernel, take } = record(pagesKernel())
    const memory = createMemory(createOS({ kernel }))
    const v = memory.sysAlloc(MiB, null)
    take()
    for (const run of [
      () => memory.sysUnused(v + offset, n),
      () => memory.sysUsed(v + offset, n),
      () => memory.sysHugePage(v + offset, n),
      () => memory.sysFree(v + offset, n, null),
      () => memory.sysFault(v + offset, n),
    ]) {
      const error = layerErrorOf(run)
      expect(error).toBeInstanceOf(UsageError)
      expect(error.code).toBe(code)
    }
    expect(take()).toEqual([])
    expect(memory.stats().total.ready).toBe(MiB)
  })

  it.each([
    ['its first half', 0, MiB / 2],
    ['its second half', MiB / 2, MiB / 2],
    ['a page in it', 65536, 4096],
  ])('%s of a reservation can’t be freed: ERR_MEMLAYER_RESERVATION, without a kernel call', (_, offset, n) => {
    const { kernel, take } = record(pagesKernel())
    const memory = createMemory(createOS({ kernel }))
    const v = memory.sysReserve(null, MiB)
    take()
    const error = layerErrorOf(() => memory.sysFree(v + offset, n, null))
    expect(error).toBeInstanceOf(UsageError)
    expect(error).toMatchObject({
      code: 'ERR_MEMLAYER_RESERVATION',
      hint: expect.stringContaining('sysUnused') as string,
    })
    expect(take()).toEqual([])
  })

  it('a whole reservation is freed by its base, in any states', () => {
    const kernel = pagesKernel()
    const memory = createMemory(createOS({ kernel }))
    const v = neighbours(memory, MiB)
    memory.sysUsed(v + MiB / 2, MiB)
    expect(layerErrorOf(() => memory.sysFree(v, 2 * MiB, null)).code).toBe('ERR_MEMLAYER_RESERVATION')
    memory.sysFree(v + MiB, MiB, null)
    expect(kernel.bytesInState('FREE', v, 2 * MiB)).toBe(MiB)
    memory.sysFree(v, MiB, null)
    expect(memory.stat('test').load()).toBe(0)
    memory.check()
  })
})

describe('os-windows without a ledger, as in Go, where only the kernel can refuse', () => {
  it('the kernel rounds an unaligned range, and the error tells so where the answer shows it', () => {
    const below = pagesKernel()
    const memory = createMemory(createOS({ kernel: below }), { ledger: false })
    const v = memory.sysReserve(null, MiB)
    const error = layerErrorOf(() => memory.sysUsed(v + 1, 4096))
    expect(error).toBeInstanceOf(FatalError)
    expect(error.message).toMatch(/^failed to commit pages: VirtualAlloc/)
    expect(error.hint).toContain(`The kernel committed 0x${v.toString(16)} instead.`)
  })

  it.each([
    ['sysUsed', 'failed to commit pages: VirtualAlloc(0x40000000, 4096) answered ERROR_INVALID_ADDRESS (487)'],
    ['sysUnused', 'failed to decommit pages: VirtualFree(0x40000000, 4096) answered ERROR_INVALID_ADDRESS (487)'],
    ['sysFault', 'failed to decommit pages: VirtualFree(0x40000000, 4096) answered ERROR_INVALID_ADDRESS (487)'],
  ] as const)('%s of a range that was never reserved is a FatalError', (op, words) => {
    const memory = createMemory(createOS({ kernel: pagesKernel() }), { ledger: false })
    const error = layerErrorOf(() => memory[op](2 ** 30, 65536))
    expect(error).toBeInstanceOf(FatalError)
    expect(error.message.startsWith(words), error.message).toBe(true)
    expect(error.op).toBe(op)
  })

  it('sysFree inside a reservation is a FatalError, and at its base it frees all, for every size', () => {
    const below = pagesKernel()
    const memory = createMemory(createOS({ kernel: below }), { ledger: false })
    const v = memory.sysReserve(null, MiB)
    const error = layerErrorOf(() => memory.sysFree(v + 65536, 65536, null))
    expect(error).toBeInstanceOf(FatalError)
    expect(error.message).toMatch(
      /^failed to release pages: VirtualFree\(0x[0-9a-f]+, 65536\) answered ERROR_INVALID_ADDRESS/,
    )
    expect(below.bytesInState('RESERVE', v, MiB)).toBe(MiB)
    memory.sysFree(v, 65536, null)
    expect(below.bytesInState('FREE', v, MiB)).toBe(MiB)
  })
})

describe('os-windows: a kernel that refuses', () => {
  it.each([5, 8, 635, 1454, 1455])('a commit with %i is "out of memory", with the whole size', (errno) => {
    const below = pagesKernel()
    const memory = createMemory(createOS({ kernel: refusing(below, errno, (_, __, ___, type) => type === COMMIT) }))
    const v = memory.sysReserve(null, MiB)
    memory.sysMap(v, MiB, null)
    const error = layerErrorOf(() => memory.sysUsed(v, 256 * KiB))
    expect(error).toBeInstanceOf(OutOfMemoryError)
    expect(error).toMatchObject({ op: 'sysUsed', syscall: 'VirtualAlloc', errno, address: v, size: 256 * KiB })
    expect(error.message).toMatch(
      /^sysUsed: windows refused 256 KiB at 0x[0-9a-f]+: VirtualAlloc answered ERROR_\w+ \(\d+\)\. /,
    )
    expect(memory.stats().total.refusals).toBe(1)
    checkAccount(memory, below)
  })

  it.each([
    [87, 256 * KiB],
    [487, 4096],
    [998, 256 * KiB],
  ])('a commit with %i is "failed to commit pages", with the size of the failed piece', (errno, size) => {
    const below = pagesKernel()
    const { kernel, take } = record(refusing(below, errno, (_, __, ___, type) => type === COMMIT))
    const memory = createMemory(createOS({ kernel }))
    const v = memory.sysReserve(null, MiB)
    memory.sysMap(v, MiB, null)
    take()
    const error = layerErrorOf(() => memory.sysUsed(v, 256 * KiB))
    expect(error).toBeInstanceOf(FatalError)
    // Go says here that 0 bytes failed: golang.org/issue/33716.
    expect(error).toMatchObject({ op: 'sysUsed', syscall: 'VirtualAlloc', errno, address: v, size })
    expect(error.message).toMatch(/^failed to commit pages: VirtualAlloc\(0x[0-9a-f]+, \d+\) answered ERROR_/)
    // Only 487 says that the range crosses reservations, and that smaller pieces may do.
    const commits = take().filter(({ fn }) => fn === 'virtualAlloc')
    expect(commits).toHaveLength(errno === 487 ? 8 : 1)
    checkAccount(memory, below)
  })

  it('halves down to the kernel’s page size, for every page size', () => {
    const below = pagesKernel({ pageSize: 16384 })
    const { kernel, take } = record(refusing(below, 87, (_, __, ___, type) => type === DECOMMIT))
    const memory = createMemory(createOS({ kernel }))
    const v = memory.sysAlloc(96 * KiB, null)
    take()
    const error = layerErrorOf(() => memory.sysUnused(v, 96 * KiB))
    expect(error).toBeInstanceOf(FatalError)
    expect(error).toMatchObject({ address: v, size: 16384, errno: 87 })
    expect(error.message).toMatch(/^failed to decommit pages: VirtualFree\(/)
    expect(take().map(({ args }) => (args[1] ?? 0) / KiB)).toEqual([96, 96, 48, 16])
    checkAccount(memory, below)
  })

  it('gives the part back that was committed before memory was short', () => {
    const below = pagesKernel({ commitLimit: 160 * KiB })
    const memory = createMemory(createOS({ kernel: below }))
    const v = neighbours(memory, 128 * KiB)
    const before = memory.stats().total
    const error = layerErrorOf(() => memory.sysUsed(v, 256 * KiB))
    expect(error).toBeInstanceOf(OutOfMemoryError)
    expect(error.message).toMatch(/^sysUsed: windows refused 256 KiB at 0x[0-9a-f]+: VirtualAlloc answered /)
    expect(error.message).toContain('ERROR_COMMITMENT_LIMIT (1455). Enlarge ')
    expect(error.hint).not.toContain('are committed')
    expect(below.bytesInState('COMMIT', v, 256 * KiB)).toBe(0)
    expect({ ...memory.stats().total, calls: before.calls, refusals: 0 }).toEqual(before)
    checkAccount(memory, below)

    memory.sysUsed(v, 160 * KiB)
    memory.sysFault(v, 256 * KiB)
    expect(below.bytesInState('COMMIT', v, 256 * KiB)).toBe(0)
    memory.sysMap(v, 256 * KiB, memory.stat('test'))
    memory.sysUsed(v + 64 * KiB, 160 * KiB)
    memory.sysFree(v, 128 * KiB, null)
    memory.sysFree(v + 128 * KiB, 128 * KiB, null)
    expect(memory.stats().total.held).toBe(0)
    memory.check()
  })

  it('leaves memory behind all Ready pages when a decommit fails half way', () => {
    const below = pagesKernel()
    let border = Infinity
    const kernel = refusing(below, 5, (_, addr, size, type) => type === DECOMMIT && addr + size > border)
    const memory = createMemory(createOS({ kernel }))
    const v = neighbours(memory, 128 * KiB)
    memory.sysUsed(v, 256 * KiB)
    border = v + 160 * KiB
    for (const op of ['sysUnused', 'sysFault'] as const) {
      const error = layerErrorOf(() => memory[op](v, 256 * KiB))
      expect(error).toBeInstanceOf(FatalError)
      expect(error).toMatchObject({ op, syscall: 'VirtualFree', errno: 5, address: border, size: 4096 })
      expect(error.hint).toContain('The first 160 KiB have memory again, but their contents are lost')
      expect(below.bytesInState('COMMIT', v, 256 * KiB)).toBe(256 * KiB)
      expect(memory.stats().total.ready).toBe(256 * KiB)
      checkAccount(memory, below)
    }
    border = Infinity
    memory.sysUnused(v, 256 * KiB)
    expect(below.bytesInState('COMMIT', v, 256 * KiB)).toBe(0)
  })

  it('counts pages as Prepared that a failed decommit took and that can’t get memory again', () => {
    const below = pagesKernel()
    let border = Infinity
    const kernel = refusing(
      below,
      8,
      (_, addr, size, type) => border < Infinity && (type === COMMIT || addr + size > border),
    )
    const memory = createMemory(createOS({ kernel }))
    const v = memory.sysAlloc(256 * KiB, null)
    border = v + 64 * KiB
    const error = layerErrorOf(() => memory.sysUnused(v, 256 * KiB))
    expect(error).toBeInstanceOf(FatalError)
    expect(error.message).toMatch(/^failed to decommit pages/)
    expect(error.hint).toContain('The first 64 KiB have lost their memory. The range is Prepared.')
    expect(error.unsettled).toBe(true)
    // What was Ready is Prepared, so no view can be made of pages without memory.
    expect(memory.stats().total).toMatchObject({ ready: 0, prepared: 256 * KiB })
    expect(layerErrorOf(() => memory.view(Uint8Array, v, 1)).code).toBe('ERR_MEMLAYER_STATE')
    border = Infinity
    checkAccount(memory, below)
    memory.sysUsed(v, 256 * KiB)
    memory.sysUnused(v, 256 * KiB)
    checkAccount(memory, below)
  })

  it('a release is "failed to release pages", and the range stays counted', () => {
    const below = pagesKernel()
    let refuses = true
    const memory = createMemory(
      createOS({ kernel: refusing(below, 87, (fn, _, size) => refuses && fn === 'virtualFree' && size === 0) }),
    )
    const stat = memory.stat('test')
    const v = memory.sysAlloc(MiB, stat)
    const error = layerErrorOf(() => memory.sysFree(v, MiB, stat))
    expect(error).toBeInstanceOf(FatalError)
    expect(error).toMatchObject({
      op: 'sysFree',
      syscall: 'VirtualFree',
      errno: 87,
      errnoName: 'ERROR_INVALID_PARAMETER',
      address: v,
      size: MiB,
    })
    expect(error.message).toMatch(
      /^failed to release pages: VirtualFree\(0x[0-9a-f]+, 1048576\) answered ERROR_INVALID_PARAMETER \(87\)/,
    )
    expect(stat.load()).toBe(MiB)
    checkAccount(memory, below)
    refuses = false
    memory.sysFree(v, MiB, stat)
    expect(stat.load()).toBe(0)
  })
})

describe('os-windows: a kernel that answers another address', () => {
  it('on a commit is "failed to commit pages", with the address', () => {
    const below = pagesKernel()
    const kernel: WindowsKernel = {
      ...below,
      virtualAlloc: (addr, size, type, protect) =>
        below.virtualAlloc(addr, size, type, protect) + (type === COMMIT ? 65536 : 0),
    }
    const memory = createMemory(createOS({ kernel }))
    const v = memory.sysReserve(null, MiB)
    memory.sysMap(v, MiB, null)
    const error = layerErrorOf(() => memory.sysUsed(v, 64 * KiB))
    expect(error).toBeInstanceOf(FatalError)
    expect(error.message).toMatch(/^failed to commit pages: VirtualAlloc\(0x[0-9a-f]+, 65536\)\. /)
    expect(error.hint).toContain(`The kernel committed 0x${(v + 65536).toString(16)} instead.`)
    expect(error.errno).toBeUndefined()
    expect(memory.stats().total).toMatchObject({ prepared: MiB, ready: 0 })
    memory.sysFree(v, MiB, null)
    memory.check()
  })

  it('on a hint is accepted, and counted at that address', () => {
    const below = pagesKernel()
    const memory = createMemory(createOS({ kernel: below }))
    const v = memory.sysReserve(null, MiB)
    const other = memory.sysReserve(v, MiB)
    expect(other).not.toBe(v)
    const low = memory.sysReserve(2 ** 45 + 8192, MiB)
    expect(low).toBe(2 ** 45)
    for (const p of [v, other, low]) memory.sysFree(p, MiB, null)
    expect(memory.stats().total.reserved).toBe(0)
    memory.check()
  })

  it('with an owned range is a FatalError, and the range stays as it was', () => {
    const below = pagesKernel()
    let owned = 0
    const kernel: WindowsKernel = {
      ...below,
      virtualAlloc: (addr, size, type, protect) => owned || below.virtualAlloc(addr, size, type, protect),
    }
    const memory = createMemory(createOS({ kernel }))
    owned = memory.sysReserve(null, MiB)
    expect(layerErrorOf(() => memory.sysReserve(null, 64 * KiB))).toBeInstanceOf(FatalError)
    expect(layerErrorOf(() => memory.sysAlloc(64 * KiB, null))).toBeInstanceOf(FatalError)
    expect(memory.stats().total).toMatchObject({ reserved: MiB, ready: 0 })
    checkAccount(memory, below)
  })

  it('a hundred times ends an aligned reservation in Go’s words, with nothing left reserved', () => {
    const below = pagesKernel()
    const kernel: WindowsKernel = {
      ...below,
      // Another thread always takes the aligned place first.
      virtualAlloc: (addr, size, type, protect) =>
        below.virtualAlloc(addr % (16 * MiB) === 0 ? 0 : addr, size, type, protect),
    }
    // Moves the places that the kernel chooses off the alignment.
    below.virtualAlloc(0, 64 * KiB, 0x2000, 4)
    const { kernel: recorded, calls } = record(kernel)
    const memory = createMemory(createOS({ kernel: recorded }))
    const error = layerErrorOf(() => memory.sysReserveAligned(null, MiB, 16 * MiB))
    expect(error).toBeInstanceOf(FatalError)
    expect(error.message).toMatch(/^failed to allocate aligned heap memory; too many retries/)
    const reserved = calls.filter(({ fn, ret }) => fn === 'virtualAlloc' && ret > 0)
    const released = calls.filter(({ fn, ret }) => fn === 'virtualFree' && ret === 0)
    expect(released).toHaveLength(reserved.length)
    expect(reserved).toHaveLength(200)
    expect(memory.stats().total.reserved).toBe(0)
  })
})
