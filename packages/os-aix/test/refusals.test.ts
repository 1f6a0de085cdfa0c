// What a person reads when the kernel says no, and that nothing was lost by then. It is asked for no mapping at
// a fixed address, so it can't answer elsewhere.
import { createMemory, FatalError, OutOfMemoryError, UsageError, type Memory } from '@memlayer/core'
import { record, type PosixKernel } from '@memlayer/kernel'
import { createOS } from '@memlayer/os-aix'
import { blankBase as base, blankKernel, errorOf } from '@memlayer/stand-in'
import { describe, expect, it } from 'vitest'

const page = 4096
const kernelWith = (answers: Partial<PosixKernel>): PosixKernel => blankKernel(page, answers)
const statesOf = (memory: Memory): string[] => memory.ranges().map(({ address, size, state }) => `${address - base}+${size} ${state}`)

describe('os-aix, refused', () => {
  it.each([
    ['sysAlloc', (memory: Memory) => memory.sysAlloc(page, memory.stat('test'))],
    ['sysReserve', (memory: Memory) => memory.sysReserve(null, page)],
    ['sysReserveAligned', (memory: Memory) => memory.sysReserveAligned(null, page, 2 ** 22)],
  ])('%s is an OutOfMemoryError with the number, its name and a hint; nothing is counted', (op, call) => {
    const memory = createMemory(createOS({ kernel: kernelWith({ mmap: () => -12 }) }))
    const error = errorOf(() => call(memory))
    expect(error).toBeInstanceOf(OutOfMemoryError)
    expect(error).toMatchObject({ op, syscall: 'mmap', errno: 12, errnoName: 'ENOMEM', hint: expect.stringContaining('lsps') as string })
    expect(memory.stats().total).toMatchObject({ reserved: 0, ready: 0, held: 0 })
    memory.check()
  })

  it.each([
    [13, 'EACCES', 'mmap: access denied'],
    [11, 'EAGAIN', "mmap: too much locked memory (check 'ulimit -l')."],
  ])('sysAlloc answered %i %s is a FatalError in the words that Go exits with; nothing is counted', (errno, errnoName, words) => {
    const memory = createMemory(createOS({ kernel: kernelWith({ mmap: () => -errno }) }))
    const stat = memory.stat('test')
    const error = errorOf(() => memory.sysAlloc(page, stat))
    expect(error).toBeInstanceOf(FatalError)
    expect((error as Error).message.startsWith(words)).toBe(true)
    expect(error).toMatchObject({ op: 'sysAlloc', syscall: 'mmap', errno, errnoName, size: page })
    expect(stat.load()).toBe(0)
    expect(memory.ranges()).toEqual([])
    // A reservation is refused by the same answer, as in Go.
    expect(errorOf(() => memory.sysReserve(null, page))).toBeInstanceOf(OutOfMemoryError)
  })

  it.each([
    [12, 'ENOMEM', 'out of memory'],
    [13, 'EACCES', 'cannot map pages in arena address space'],
    [22, 'EINVAL', 'cannot map pages in arena address space'],
    [11, 'EAGAIN', 'cannot map pages in arena address space'],
  ])('sysMap answered %i %s is a FatalError in Go’s words; the range stays Reserved', (errno, errnoName, words) => {
    const memory = createMemory(createOS({ kernel: kernelWith({ mprotect: () => -errno }) }))
    const stat = memory.stat('test')
    const v = memory.sysReserve(null, 4 * page)
    const error = errorOf(() => memory.sysMap(v, page, stat))
    expect(error).toBeInstanceOf(FatalError)
    expect((error as Error).message).toMatch(new RegExp(`^${words}`))
    expect(error).toMatchObject({ op: 'sysMap', syscall: 'mprotect', errno, errnoName, address: v, size: page })
    expect(stat.load()).toBe(0)
    expect(statesOf(memory)).toEqual([`0+${4 * page} Reserved`])
    memory.check()
  })

  it('a range that the kernel does not protect stays Ready, and no memory of it is dropped', () => {
    const { kernel, take } = record(kernelWith({ mprotect: () => -22 }))
    const memory = createMemory(createOS({ kernel }))
    const v = memory.sysAlloc(page, memory.stat('test'))
    take()
    const error = errorOf(() => memory.sysFault(v, page))
    expect(error).toMatchObject({ name: 'FatalError', op: 'sysFault', syscall: 'mprotect', errnoName: 'EINVAL' })
    expect(take().map(({ fn }) => fn)).toEqual(['mprotect'])
    expect(statesOf(memory)).toEqual([`0+${page} Ready`])
    memory.check()
  })

  it('refused half way through sysFault, at the advice, the range faults all the same', () => {
    const memory = createMemory(createOS({ kernel: kernelWith({ madvise: () => -22 }) }))
    const v = memory.sysAlloc(page, memory.stat('test'))
    memory.sysFault(v, page)
    expect(statesOf(memory)).toEqual([`0+${page} Reserved`])
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

  it('madvise may fail: the range is Prepared, and Ready again, as in Go', () => {
    const memory = createMemory(createOS({ kernel: kernelWith({ madvise: () => -22 }) }))
    const v = memory.sysAlloc(page, null)
    memory.sysUnused(v, page)
    expect(statesOf(memory)).toEqual([`0+${page} Prepared`])
    memory.sysUsed(v, page)
    expect(statesOf(memory)).toEqual([`0+${page} Ready`])
  })
})

describe('os-aix, misused', () => {
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
