// What a person reads when the kernel says no or answers elsewhere, and that nothing was lost by then.
import { createMemory, FatalError, OutOfMemoryError, UsageError, type Memory } from '@memlayer/core'
import { record, type PosixKernel } from '@memlayer/kernel'
import { createOS, type Flavor } from '@memlayer/os-bsd'
import { blankBase as base, blankKernel, errorOf } from '@memlayer/stand-in'
import { describe, expect, it } from 'vitest'

const page = 4096
const kernelWith = (answers: Partial<PosixKernel>): PosixKernel => blankKernel(page, answers)
const statesOf = (memory: Memory): string[] => memory.ranges().map(({ address, size, state }) => `${address - base}+${size} ${state}`)

describe('os-bsd, refused', () => {
  it.each([
    ['sysAlloc', (memory: Memory) => memory.sysAlloc(page, memory.stat('test'))],
    ['sysReserve', (memory: Memory) => memory.sysReserve(null, page)],
    ['sysReserveAligned', (memory: Memory) => memory.sysReserveAligned(null, page, 2 ** 22)],
  ])('%s is an OutOfMemoryError with the number, its name and a hint; nothing is counted', (op, call) => {
    const memory = createMemory(createOS({ kernel: kernelWith({ mmap: () => -12 }) }))
    const error = errorOf(() => call(memory))
    expect(error).toBeInstanceOf(OutOfMemoryError)
    expect(error).toMatchObject({ op, syscall: 'mmap', errno: 12, errnoName: 'ENOMEM', hint: expect.stringContaining('swapinfo') as string })
    expect(memory.stats().total).toMatchObject({ reserved: 0, ready: 0, held: 0 })
    memory.check()
  })

  const noMemory = 'out of memory'
  const cannotMap = 'cannot map pages in arena address space'
  it.each([
    ['freebsd', 12, 'ENOMEM', noMemory],
    ['dragonfly', 12, 'ENOMEM', noMemory],
    ['netbsd', 12, 'ENOMEM', noMemory],
    ['openbsd', 12, 'ENOMEM', noMemory],
    ['solaris', 12, 'ENOMEM', noMemory],
    ['illumos', 12, 'ENOMEM', noMemory],
    // No swap space left: only there is EAGAIN out of memory.
    ['solaris', 11, 'EAGAIN', noMemory],
    ['illumos', 11, 'EAGAIN', noMemory],
    ['freebsd', 35, 'EAGAIN', cannotMap],
    ['dragonfly', 35, 'EAGAIN', cannotMap],
    ['netbsd', 35, 'EAGAIN', cannotMap],
    ['openbsd', 35, 'EAGAIN', cannotMap],
    ['freebsd', 11, 'EDEADLK', cannotMap],
    ['solaris', 35, 'errno 35', cannotMap],
    ['illumos', 13, 'EACCES', cannotMap],
    ['openbsd', 22, 'EINVAL', cannotMap],
  ] as const)('%s: sysMap answered %i %s is a FatalError, "%s"; the range stays Reserved', (flavor, errno, errnoName, words) => {
    let isRefusing = false
    const kernel = kernelWith({ mmap: (addr) => (isRefusing ? -errno : addr === 0 ? base : addr) })
    const memory = createMemory(createOS({ kernel, flavor }))
    const stat = memory.stat('test')
    const v = memory.sysReserve(null, 4 * page)
    isRefusing = true
    const error = errorOf(() => memory.sysMap(v, page, stat))
    expect(error).toBeInstanceOf(FatalError)
    expect((error as Error).message).toMatch(new RegExp(`^${words}`))
    expect(error).toMatchObject({ op: 'sysMap', syscall: 'mmap', errno, errnoName, address: v, size: page })
    expect(stat.load()).toBe(0)
    expect(statesOf(memory)).toEqual([`0+${4 * page} Reserved`])
    memory.check()
  })

  it.each([
    ['sysMap', 'cannot map pages in arena address space', 'Reserved'],
    ['sysFault', 'sysFault: the kernel kept the range', 'Ready'],
  ] as const)('%s answered at another address is a FatalError that names it; the range stays as it was', (op, words, state) => {
    const stray = 0x7_0000_0000
    const kernel = kernelWith({ mmap: (addr) => (addr === 0 ? base : stray) })
    const memory = createMemory(createOS({ kernel }))
    const v = op === 'sysMap' ? memory.sysReserve(null, page) : memory.sysAlloc(page, memory.stat('test'))
    const held = memory.stats().total.held
    const error = errorOf(() => (op === 'sysMap' ? memory.sysMap(v, page, memory.stat('test')) : memory.sysFault(v, page)))
    expect(error).toBeInstanceOf(FatalError)
    expect((error as Error).message).toMatch(new RegExp(`^${words}`))
    expect((error as FatalError).hint).toContain('0x700000000')
    expect(memory.stats().total.held).toBe(held)
    expect(statesOf(memory)).toEqual([`0+${page} ${state}`])
    memory.check()
  })

  it('a range that the kernel does not unmap stays owned and counted', () => {
    let isRefusing = true
    const kernel = kernelWith({ munmap: () => (isRefusing ? -22 : 0) })
    const memory = createMemory(createOS({ kernel }))
    const stat = memory.stat('test')
    const v = memory.sysAlloc(2 * page, stat)
    expect(errorOf(() => memory.sysFree(v, page, stat))).toMatchObject({ name: 'FatalError', errnoName: 'EINVAL' })
    expect(stat.load()).toBe(2 * page)
    isRefusing = false
    memory.sysFree(v, 2 * page, stat)
    expect(memory.ranges()).toEqual([])
    memory.check()
  })

  it('refused half way through an aligned reservation, it owns what it could not give back', () => {
    let unmapped = 0
    const kernel = kernelWith({ mmap: () => base + page, munmap: () => (++unmapped === 2 ? -12 : unmapped === 3 ? -12 : 0) })
    const memory = createMemory(createOS({ kernel }))
    expect(errorOf(() => memory.sysReserveAligned(null, 2 ** 22, 2 ** 22))).toBeInstanceOf(OutOfMemoryError)
    // The head went, the tail did not, and then neither did the rest.
    expect(memory.stats().total.reserved).toBe(2 ** 22 + page)
    memory.check()
    for (const { address, size } of memory.ranges()) memory.sysFree(address, size, null)
    expect(memory.ranges()).toEqual([])
  })

  it.each([
    ['freebsd', 35, 'ulimit -l'],
    ['illumos', 11, 'swap -s'],
    ['openbsd', 12, 'datasize'],
    ['netbsd', 12, 'swapctl'],
    ['dragonfly', 12, 'swapinfo'],
    ['solaris', 12, 'swap -s'],
    ['freebsd', 22, 'not what was mapped'],
  ] as [Flavor, number, string][])('%s: a reservation answered %i has a hint that names %s', (flavor, errno, words) => {
    const memory = createMemory(createOS({ kernel: kernelWith({ mmap: () => -errno }), flavor }))
    const error = errorOf(() => memory.sysReserve(null, page))
    expect(error).toBeInstanceOf(OutOfMemoryError)
    expect((error as OutOfMemoryError).hint).toContain(words)
  })

  it('madvise may fail: the range is Prepared, and Ready again, as in Go', () => {
    const memory = createMemory(createOS({ kernel: kernelWith({ madvise: () => -22 }) }))
    const v = memory.sysAlloc(page, null)
    memory.sysUnused(v, page)
    expect(statesOf(memory)).toEqual([`0+${page} Prepared`])
    memory.sysUsed(v, page)
    expect(statesOf(memory)).toEqual([`0+${page} Ready`])
  })
})

describe('os-bsd, misused', () => {
  const wrong: [string, (memory: Memory, v: number) => unknown, string][] = [
    ['an address off the page', (memory, v) => memory.sysUnused(v + 2048, page), 'ERR_MEMLAYER_ALIGNMENT'],
    ['a length off the page', (memory, v) => memory.sysUnused(v, 2048), 'ERR_MEMLAYER_ALIGNMENT'],
    ['a range that is not its own', (memory, v) => memory.sysFree(v + 64 * page, page, null), 'ERR_MEMLAYER_NOT_OWNED'],
    ['a range that is half its own', (memory, v) => memory.sysFault(v, 8 * page), 'ERR_MEMLAYER_NOT_OWNED'],
    ['a range that is mapped already', (memory, v) => memory.sysMap(v, page, null), 'ERR_MEMLAYER_STATE'],
    ['no number', (memory) => memory.sysFree(NaN, page, null), 'ERR_MEMLAYER_ADDRESS'],
  ]

  it.each(wrong)('%s is a UsageError before the kernel hears of it', (_, call, code) => {
    const { kernel, take } = record(kernelWith({}))
    const memory = createMemory(createOS({ kernel }))
    const v = memory.sysAlloc(4 * page, memory.stat('test'))
    const before = memory.stats().total
    take()
    const error = errorOf(() => call(memory, v))
    expect(error).toBeInstanceOf(UsageError)
    expect(error).toMatchObject({ code })
    expect(take()).toEqual([])
    expect(memory.stats().total).toEqual(before)
  })
})
