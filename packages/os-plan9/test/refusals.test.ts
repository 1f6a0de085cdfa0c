// What a person reads about a refused break, a wrong address, a wrong free, a nested call, and a find of memDebug.
// Nothing was lost by then.
import { createMemory, FatalError, OutOfMemoryError, UsageError } from '@memlayer/core'
import { plan9Kernel } from '@memlayer/ffi'
import { record, type Plan9Kernel } from '@memlayer/kernel'
import { createOS } from '@memlayer/os-plan9'
import { errorOf } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'

const onLinux = process.platform === 'linux'
const page = 4096
const base = 0xc0_0000_0000

/** A kernel without memory, whose break moves as asked. */
function kernelWith(answers: Partial<Plan9Kernel> = {}): Plan9Kernel {
  return {
    pageSize: page,
    end: base,
    brk: () => 0,
    clear: () => undefined,
    view: (_, n) => new ArrayBuffer(n),
    ...answers,
  }
}

describe('os-plan9, refused', () => {
  it.each([-1, -12, -Infinity])(
    'a break answered %d is an OutOfMemoryError, and a smaller one may succeed',
    (answer) => {
      const kernel = kernelWith({ brk: (addr) => (addr > base + 4 * page ? answer : 0) })
      const memory = createMemory(createOS({ kernel }))
      const stat = memory.stat('test')
      const error = errorOf(() => memory.sysAlloc(8 * page, stat))
      expect(error).toBeInstanceOf(OutOfMemoryError)
      expect(error).toMatchObject({ op: 'sysAlloc', syscall: 'brk', errnoName: 'ENOMEM', size: 8 * page })
      expect(stat.load()).toBe(0)
      expect(memory.sysAlloc(4 * page, stat)).toBe(base)
      expect(memory.stats().total).toMatchObject({ ready: 4 * page, refusals: 1 })
      memory.check()
    },
  )

  it('an address other than the end of memory is refused without a kernel call, and the hint names the end', () => {
    const { kernel, take } = record(kernelWith())
    const memory = createMemory(createOS({ kernel }))
    memory.sysAlloc(page, null)
    take()
    const error = errorOf(() => memory.sysReserve(base + 16 * page, page))
    expect(error).toBeInstanceOf(OutOfMemoryError)
    expect((error as OutOfMemoryError).hint).toContain((base + page).toString(16))
    expect((error as OutOfMemoryError).syscall).toBeUndefined()
    expect(take()).toEqual([])
    expect(memory.sysReserve(base + page, page)).toBe(base + page)
  })

  it('an unaligned first break is rounded up to a page', () => {
    const { kernel, calls } = record(kernelWith({ end: base + 1 }))
    expect(createOS({ kernel }).sysAllocOS(1)).toBe(base + page)
    expect(calls).toEqual([{ fn: 'brk', args: [base + 2 * page], ret: 0 }])
  })
})

describe('os-plan9, given a range to free that is not allocated', () => {
  const wrong: [string, number, number, string][] = [
    ['a foreign range', base - 16 * page, page, 'mem: not a block of this memory'],
    ['a range past the end', base + 8 * page, page, 'mem: not a block of this memory'],
    ['a range that crosses the end', base + 7 * page, 2 * page, 'mem: not a block of this memory'],
    ['a range off the page', base + 100, page, 'mem: not a block of this memory'],
    ['NaN as the address', NaN, page, 'mem: not a block of this memory'],
    ['a free block', base + 2 * page, 2 * page, 'mem: overlapping blocks'],
    ['a part of a free block', base + 3 * page, page, 'mem: overlapping blocks'],
    ['a range with a free block in it', base + page, 5 * page, 'mem: overlapping blocks'],
    ['a range to the end with a free block in it', base, 8 * page, 'mem: overlapping blocks'],
  ]

  it.each(wrong)('%s is a FatalError, and no byte is cleared or lost', (_, v, n, words) => {
    const { kernel, take } = record(kernelWith())
    const os = createOS({ kernel })
    expect(os.sysAllocOS(8 * page)).toBe(base)
    os.sysFreeOS(base + 2 * page, 2 * page)
    take()
    const error = errorOf(() => os.sysFreeOS(v, n))
    expect(error).toBeInstanceOf(FatalError)
    expect((error as Error).message.startsWith(words)).toBe(true)
    expect(take()).toEqual([])
    // The hole exists, and only once.
    expect(os.sysAllocOS(2 * page)).toBe(base + 2 * page)
    expect(os.sysAllocOS(page)).toBe(base + 8 * page)
  })

  it('with a ledger it is a UsageError, without a call of the allocator', () => {
    const { kernel, take } = record(kernelWith())
    const memory = createMemory(createOS({ kernel }))
    const v = memory.sysAlloc(4 * page, memory.stat('test'))
    memory.sysFree(v, page, null)
    take()
    expect(errorOf(() => memory.sysFree(v, page, null))).toMatchObject({ code: 'ERR_MEMLAYER_NOT_OWNED' })
    expect(errorOf(() => memory.sysFree(v + 100, page, null))).toMatchObject({ code: 'ERR_MEMLAYER_ALIGNMENT' })
    expect(errorOf(() => memory.sysFree(base - page, page, null))).toBeInstanceOf(UsageError)
    expect(take()).toEqual([])
    memory.check()
  })
})

describe('os-plan9, called again during an operation', () => {
  it.each(['brk', 'clear'])('refuses a call from inside %s, and the account is right', (fn) => {
    const inner: unknown[] = []
    let isArmed = false
    const { kernel } = record(kernelWith(), (call) => {
      if (call.fn === fn && isArmed) {
        inner.push(
          errorOf(() => memory.sysAlloc(page, stat)),
          errorOf(() => memory.sysFree(v, page, stat)),
        )
      }
    })
    const memory = createMemory(createOS({ kernel }))
    const stat = memory.stat('test')
    const v = memory.sysAlloc(2 * page, stat)
    const w = memory.sysAlloc(2 * page, stat)
    isArmed = true
    if (fn === 'brk') expect(memory.sysAlloc(4 * page, stat)).toBe(base + 4 * page)
    else {
      // The calls inside have settled the free, so it can't say that it was done.
      expect(errorOf(() => memory.sysFree(w, 2 * page, stat))).toMatchObject({
        code: 'ERR_MEMLAYER_FATAL',
        message: expect.stringMatching(/called the memory that it serves\. .* The range is None/) as string,
      })
    }
    isArmed = false

    expect(inner).toHaveLength(2)
    for (const error of inner) {
      expect(error).toBeInstanceOf(FatalError)
      expect((error as Error).message).toContain('mem: called again during an operation')
    }
    expect(stat.load()).toBe(fn === 'brk' ? 8 * page : 2 * page)
    memory.check()
    memory.sysFree(v, page, stat)
    memory.check()
  })

  it('is unlocked after a kernel that throws, although a kernel must not', () => {
    let isThrowing = true
    const kernel = kernelWith({
      brk: () => {
        if (isThrowing) throw new Error('a port that throws')
        return 0
      },
    })
    const memory = createMemory(createOS({ kernel }))
    expect(errorOf(() => memory.sysAlloc(page, null))).toMatchObject({
      code: 'ERR_MEMLAYER_FATAL',
      message: 'sysAlloc: the backend threw Error: a port that throws. The account is as it was before the call.',
      cause: { message: 'a port that throws' },
    })
    isThrowing = false
    expect(memory.sysAlloc(page, null)).toBe(base)
    memory.check()
  })
})

describe.skipIf(!onLinux)('os-plan9 under memDebug (on real pages: needs Linux)', () => {
  const blocks: [string, number][] = [
    ['the first', 1],
    ['one in the middle', 3],
    ['the last, where Go does not look', 5],
  ]

  it.each(blocks)('finds a byte that was written into a free block: %s', (_, at) => {
    const kernel = plan9Kernel({ size: 2 ** 20 })
    const memory = createMemory(createOS({ kernel, memDebug: true }))
    const stat = memory.stat('test')
    const v = memory.sysAlloc(8 * page, stat)
    const bytes = new Uint8Array(kernel.view(v, 8 * page))
    for (const i of [1, 3, 5]) memory.sysFree(v + i * page, page, stat)
    bytes[at * page + 77] = 1

    const calls = [
      () => memory.sysAlloc(page, stat),
      () => memory.sysReserve(null, page),
      () => memory.sysFree(v, page, stat),
    ]
    for (const call of calls) {
      const error = errorOf(call)
      expect(error).toBeInstanceOf(FatalError)
      expect((error as Error).message.startsWith('mem: uninitialised memory')).toBe(true)
      expect(error).toMatchObject({ address: v + at * page, size: page })
      expect((error as FatalError).hint).toContain('77 bytes into the block')
    }
    expect(stat.load()).toBe(5 * page)
    memory.check()
    bytes[at * page + 77] = 0
    expect(memory.sysAlloc(page, stat)).toBe(v + page)
  })

  it('finds a byte that was written above a fallen break', () => {
    const kernel = plan9Kernel({ size: 2 ** 20 })
    const memory = createMemory(createOS({ kernel, memDebug: true }))
    const v = memory.sysAlloc(4 * page, null)
    const bytes = new Uint8Array(kernel.view(v, 4 * page))
    memory.sysFree(v + 2 * page, 2 * page, null)
    bytes[4 * page - 1] = 0x80
    const error = errorOf(() => memory.sysAlloc(page, null))
    expect((error as Error).message.startsWith('mem: uninitialised memory')).toBe(true)
    expect((error as FatalError).hint).toContain((v + 4 * page - 1).toString(16))
  })

  it('reads no memory without memDebug', () => {
    const { pageSize, end, brk, clear } = plan9Kernel({ size: 2 ** 20 })
    const view = (): never => {
      throw new Error('memory was read')
    }
    const memory = createMemory(createOS({ kernel: { pageSize, end, brk, clear, view } }))
    const v = memory.sysAlloc(4 * page, null)
    memory.sysFree(v, page, null)
    expect(memory.sysAlloc(page, null)).toBe(v)
  })
})
