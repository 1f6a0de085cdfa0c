// What every POSIX backend owes when its kernel says no, over a kernel without memory. A backend's
// refusals.test.ts calls it with what is the system's own: a `test…` declares tests by titles that all have,
// an `expect…` is the body of a test whose title is the system's.
import {
  createMemory,
  FatalError,
  OutOfMemoryError,
  UsageError,
  type Memory,
  type MemlayerError,
  type OS,
} from '@memlayer/core'
import { record, type PosixKernel } from '@memlayer/kernel'
import { errorOf } from '@memlayer/witness'
import { expect, it } from 'vitest'
import { blankBase, blankKernel } from './blank.js'

/** A backend to be refused, and what is its own. */
export interface RefusedBackend {
  readonly createOS: (options: { readonly kernel: PosixKernel }) => OS
  readonly pageSize: number
  /** Bytes that are no whole page. */
  readonly offPage: number
  /** What sysMap asks of the kernel. */
  readonly mapCall: 'mmap' | 'mprotect'
  /** A word of the hint that goes with ENOMEM. */
  readonly hint: string
}

/** How sysMap is answered, and how it is to begin what it throws. */
export interface MapRefusal {
  readonly errno: number
  readonly errnoName: string
  readonly words: string
}

const reservations: [string, (memory: Memory, n: number) => unknown][] = [
  ['sysAlloc', (memory, n) => memory.sysAlloc(n, memory.stat('test'))],
  ['sysReserve', (memory, n) => memory.sysReserve(null, n)],
  ['sysReserveAligned', (memory, n) => memory.sysReserveAligned(null, n, 2 ** 22)],
]

/** The ranges that are owned, by their distance from where a blank kernel maps. */
export function statesOf(memory: Memory): string[] {
  return memory.ranges().map(({ address, size, state }) => `${address - blankBase}+${size} ${state}`)
}

/** Reservations, unmapping and advice refused: what is thrown, and what is owned and counted then. */
export function testRefusals({ createOS, pageSize: page, hint }: RefusedBackend): void {
  const memoryWith = (answers: Partial<PosixKernel>): Memory =>
    createMemory(createOS({ kernel: blankKernel(page, answers) }))

  it.each(reservations)(
    '%s is an OutOfMemoryError with the number, its name and a hint; nothing is counted',
    (op, call) => {
      const memory = memoryWith({ mmap: () => -12 })
      const error = errorOf(() => call(memory, page))
      expect(error).toBeInstanceOf(OutOfMemoryError)
      expect(error).toMatchObject({
        op,
        syscall: 'mmap',
        errno: 12,
        errnoName: 'ENOMEM',
        hint: expect.stringContaining(hint) as string,
      })
      expect(memory.stats().total).toMatchObject({ reserved: 0, ready: 0, held: 0 })
      memory.check()
    },
  )

  it('a range that the kernel does not unmap stays owned and counted', () => {
    let isRefusing = true
    const memory = memoryWith({ munmap: () => (isRefusing ? -22 : 0) })
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
    const memory = memoryWith({
      mmap: () => blankBase + page,
      munmap: () => (++unmapped === 2 || unmapped === 3 ? -12 : 0),
    })
    expect(errorOf(() => memory.sysReserveAligned(null, 2 ** 22, 2 ** 22))).toBeInstanceOf(OutOfMemoryError)
    // The head went, the tail did not, and then neither did the rest.
    expect(memory.stats().total.reserved).toBe(2 ** 22 + page)
    memory.check()
    for (const { address, size } of memory.ranges()) memory.sysFree(address, size, null)
    expect(memory.ranges()).toEqual([])
  })

  it('madvise may fail: the range is Prepared, and Ready again, as in Go', () => {
    const memory = memoryWith({ madvise: () => -22 })
    const v = memory.sysAlloc(page, null)
    memory.sysUnused(v, page)
    expect(statesOf(memory)).toEqual([`0+${page} Prepared`])
    memory.sysUsed(v, page)
    expect(statesOf(memory)).toEqual([`0+${page} Ready`])
  })
}

/** For a backend without sysRenewOS: what the kernel does not take back stays, and the trait says so from then on. */
export function testKeptMemory({ createOS, pageSize: page }: RefusedBackend): void {
  it('says that sysUnused returns no memory once the kernel has refused it, also after it succeeds again', () => {
    let answer = -22
    const kernel = blankKernel(page, { madvise: () => answer, mmap: (addr) => (addr === 0 ? blankBase : addr) })
    const memory = createMemory(createOS({ kernel }))
    const v = memory.sysAlloc(page, null)
    expect(memory.os.traits.unusedReturnsMemory).toBe(true)
    memory.sysUnused(v, page)
    expect(memory.stats().kept).toBe(page)
    expect(memory.os.traits.unusedReturnsMemory).toBe(false)
    answer = 0
    memory.sysUsed(v, page)
    memory.sysUnused(v, page)
    expect(memory.stats().kept).toBe(page)
    expect(memory.os.traits.unusedReturnsMemory).toBe(false)
    expect(createOS({ kernel }).traits.unusedReturnsMemory).toBe(true)
  })
}

/** An error number without a hint of its own: the hint speaks of the range only when there is one. */
export function testUnknownError({ createOS, pageSize: page }: RefusedBackend): void {
  it('says to look at the range only when the call had one', () => {
    const EINVAL = 22
    let answer = 0
    const kernel = blankKernel(page, { munmap: () => -EINVAL, mmap: () => (answer < 0 ? answer : blankBase) })
    const memory = createMemory(createOS({ kernel }))
    const v = memory.sysReserve(null, page)
    const hintOf = (run: () => unknown): string | undefined => (errorOf(run) as MemlayerError).hint
    expect(hintOf(() => memory.sysFree(v, page, null))).toMatch(/^Check that no other code unmaps this range\./)
    answer = -EINVAL
    for (const run of [() => memory.sysReserve(null, page), () => memory.sysAlloc(page, null)]) {
      expect(hintOf(run)).toBe('Look up the error number. The kernel gives no other reason.')
    }
  })
}

/** For a backend that maps at fixed addresses: the kernel maps at another. */
export function testElsewhere({ createOS, pageSize: page }: RefusedBackend): void {
  it.each([
    ['sysMap', 'cannot map pages in arena address space', 'Reserved'],
    ['sysFault', 'sysFault: the kernel kept the range', 'Ready'],
  ] as const)(
    '%s answered at another address is a FatalError that names it; the range stays as it was',
    (op, words, state) => {
      const stray = 0x7_0000_0000
      const kernel = blankKernel(page, { mmap: (addr) => (addr === 0 ? blankBase : stray) })
      const memory = createMemory(createOS({ kernel }))
      const v = op === 'sysMap' ? memory.sysReserve(null, page) : memory.sysAlloc(page, memory.stat('test'))
      const held = memory.stats().total.held
      const error = errorOf(() =>
        op === 'sysMap' ? memory.sysMap(v, page, memory.stat('test')) : memory.sysFault(v, page),
      )
      expect(error).toBeInstanceOf(FatalError)
      expect((error as Error).message).toMatch(new RegExp(`^${words}`))
      expect((error as FatalError).hint).toContain('0x700000000')
      expect(memory.stats().total.held).toBe(held)
      expect(statesOf(memory)).toEqual([`0+${page} ${state}`])
      memory.check()
    },
  )
}

/** sysMap refused is a FatalError that begins with Go's words; the range stays Reserved, and nothing is counted. */
export function expectMapRefused(
  { createOS, pageSize: page, mapCall }: RefusedBackend,
  { errno, errnoName, words }: MapRefusal,
): void {
  const kernel = blankKernel(page)
  const memory = createMemory(createOS({ kernel }))
  const stat = memory.stat('test')
  const v = memory.sysReserve(null, 4 * page)
  kernel[mapCall] = () => -errno
  const error = errorOf(() => memory.sysMap(v, page, stat))
  expect(error).toBeInstanceOf(FatalError)
  expect((error as Error).message).toMatch(new RegExp(`^${words}`))
  expect(error).toMatchObject({ op: 'sysMap', syscall: mapCall, errno, errnoName, address: v, size: page })
  expect(stat.load()).toBe(0)
  expect(statesOf(memory)).toEqual([`0+${4 * page} Reserved`])
  memory.check()
}

/** Calls that core refuses: none of them reaches the kernel. */
export function testMisuse({ createOS, pageSize: page, offPage }: RefusedBackend): void {
  const wrong: [string, (memory: Memory, v: number) => unknown, string][] = [
    ['an address off the page', (memory, v) => memory.sysUnused(v + offPage, page), 'ERR_MEMLAYER_ALIGNMENT'],
    ['a length off the page', (memory, v) => memory.sysUnused(v, offPage), 'ERR_MEMLAYER_ALIGNMENT'],
    ['a range that is not its own', (memory, v) => memory.sysFree(v + 64 * page, page, null), 'ERR_MEMLAYER_NOT_OWNED'],
    ['a range that is half its own', (memory, v) => memory.sysFault(v, 8 * page), 'ERR_MEMLAYER_NOT_OWNED'],
    ['a range that is mapped already', (memory, v) => memory.sysMap(v, page, null), 'ERR_MEMLAYER_STATE'],
    ['no number', (memory) => memory.sysFree(NaN, page, null), 'ERR_MEMLAYER_ADDRESS'],
  ]

  it.each(wrong)('%s is a UsageError before the kernel hears of it', (_, call, code) => {
    const { kernel, take } = record(blankKernel(page))
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
}
