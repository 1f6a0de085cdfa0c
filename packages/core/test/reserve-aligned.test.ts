// Tests reservations at an alignment, on an OS that frees parts and on one that frees only whole reservations. It tests
// the calls, and that no answer of the OS makes core lose a byte.
import { createMemory, FatalError, OutOfMemoryError, UsageError } from '@memlayer/core'
import { describe, expect, it } from 'vitest'
import { errorOf } from './errors-of.js'
import { EINVAL, ENOMEM, PageOS, type PageOSOptions } from './page-os.js'

const KiB = 1024
const whole: PageOSOptions = { traits: { freesParts: false } }

/** Expects that the OS holds exactly the pages that the memory owns. */
function expectNothingLost(os: PageOS, ranges: { address: number; size: number }[]): void {
  const owned = [...os.pages].filter(([, { state }]) => state !== 'Foreign').length * os.traits.pageSize
  expect(ranges.reduce((sum, { size }) => sum + size, 0)).toBe(owned)
}

describe('sysReserveAligned on an OS that frees parts', () => {
  it('reserves size plus alignment and frees the rest at both ends', () => {
    const os = new PageOS({ base: 0x11000 })
    const memory = createMemory(os)
    expect(memory.sysReserveAligned(null, 16 * KiB, 64 * KiB)).toEqual({ address: 0x20000, size: 16 * KiB })
    expect(os.calls).toEqual([
      `sysReserveOS(null, ${80 * KiB})`,
      `sysFreeOS(0x11000, ${0x20000 - 0x11000})`,
      `sysFreeOS(0x24000, ${0x11000 + 80 * KiB - 0x24000})`,
    ])
    expect(memory.ranges()).toEqual([{ address: 0x20000, size: 16 * KiB, state: 'Reserved', category: null }])
    expectNothingLost(os, memory.ranges())
  })

  it('keeps all of it if the OS returns an aligned address, as Go does', () => {
    const os = new PageOS({ base: 0x20000 })
    const memory = createMemory(os)
    expect(memory.sysReserveAligned(null, 16 * KiB, 64 * KiB)).toEqual({ address: 0x20000, size: 80 * KiB })
    expect(os.calls).toHaveLength(1)
    expect(memory.stats().total.reserved).toBe(80 * KiB)
  })

  it('passes the hint on, and uses another place if the hint is busy', () => {
    const os = new PageOS({ base: 0x20000 })
    const memory = createMemory(os)
    expect(memory.sysReserveAligned(0x40000, 16 * KiB, 64 * KiB).address).toBe(0x40000)
    expect(memory.sysReserveAligned(0x40000, 16 * KiB, 64 * KiB).address).toBe(0x20000)
    expect(os.calls[0]).toBe(`sysReserveOS(0x40000, ${80 * KiB})`)
  })

  it('uses the page size for a smaller alignment', () => {
    const os = new PageOS({ base: 0x11000 })
    const memory = createMemory(os)
    expect(memory.sysReserveAligned(null, 4 * KiB, 1)).toEqual({ address: 0x11000, size: 8 * KiB })
  })

  it('names its request after a refusal', () => {
    const os = new PageOS({ fate: () => ENOMEM })
    const memory = createMemory(os)
    const error = errorOf(() => memory.sysReserveAligned(0x30000, 16 * KiB, 64 * KiB))
    expect(error).toBeInstanceOf(OutOfMemoryError)
    expect(error).toMatchObject({
      op: 'sysReserveAligned',
      syscall: 'mmap',
      errno: 12,
      address: 0x30000,
      size: 80 * KiB,
    })
    expect(memory.stats().total).toMatchObject({ reserved: 0, calls: 1, refusals: 1 })
  })

  it.each([
    ['head', 2, 16 + 64],
    ['tail', 3, 16 + 64 - 60],
  ])('gives all of it back when the kernel keeps the %s', (_, k, held) => {
    const os = new PageOS({ base: 0x11000, fate: (_fn, call) => (call === k ? ENOMEM : undefined) })
    const memory = createMemory(os)
    const error = errorOf(() => memory.sysReserveAligned(null, 16 * KiB, 64 * KiB))
    expect(error).toBeInstanceOf(OutOfMemoryError)
    expect(error).toMatchObject({ op: 'sysReserveAligned', size: held * KiB })
    expect(os.pages.size).toBe(0)
    expect(memory.ranges()).toEqual([])
  })

  it.each([
    ['refused as invalid', () => EINVAL, FatalError],
    ['refused for lack of memory', () => ENOMEM, OutOfMemoryError],
    ['broken', () => new FatalError('mem: overlapping blocks'), FatalError],
  ])('owns memory that the kernel does not take back: %s', (_, answer, kind) => {
    const os = new PageOS({ base: 0x11000, fate: (fn) => (fn === 'sysFreeOS' ? answer() : undefined) })
    const memory = createMemory(os)
    const error = errorOf(() => memory.sysReserveAligned(null, 16 * KiB, 64 * KiB))
    expect(error).toBeInstanceOf(kind)
    expect(memory.ranges()).toEqual([{ address: 0x11000, size: 80 * KiB, state: 'Reserved', category: null }])
    expectNothingLost(os, memory.ranges())
    memory.check()
    os.fate = undefined
    memory.sysFree(0x11000, 80 * KiB, null)
    expect(os.pages.size).toBe(0)
  })
})

describe('sysReserveAligned on an OS that releases only whole reservations', () => {
  it('releases all of it and reserves the aligned place inside', () => {
    const os = new PageOS({ ...whole, base: 0x11000 })
    const memory = createMemory(os)
    expect(memory.sysReserveAligned(null, 16 * KiB, 64 * KiB)).toEqual({ address: 0x20000, size: 16 * KiB })
    expect(os.calls).toEqual([
      `sysReserveOS(null, ${80 * KiB})`,
      `sysFreeOS(0x11000, ${80 * KiB})`,
      `sysReserveOS(0x20000, ${16 * KiB})`,
    ])
    memory.sysFree(0x20000, 16 * KiB, null)
    expect(os.pages.size).toBe(0)
  })

  it('can free a reservation at an aligned address with its returned size', () => {
    const os = new PageOS({ ...whole, base: 0x20000 })
    const memory = createMemory(os)
    const { address, size } = memory.sysReserveAligned(null, 16 * KiB, 64 * KiB)
    expect(size).toBe(80 * KiB)
    expect(errorOf(() => memory.sysFree(address, 16 * KiB, null)).code).toBe('ERR_MEMLAYER_RESERVATION')
    memory.sysFree(address, size, null)
    expect(os.pages.size).toBe(0)
  })

  /** Makes an OS where another thread takes the aligned page before core, `times` times, and frees it right after. */
  function racing(times: number): PageOS {
    let taken: number | null = null
    let lost = 0
    return new PageOS({
      ...whole,
      base: 0x11000,
      fate: (_fn, _k, os) => {
        if (taken !== null) os.vacate(taken, 4096)
        taken = null
        const wanted = /^sysReserveOS\((0x[0-9a-f]+),/.exec(os.calls.at(-1) ?? '')?.[1]
        if (wanted !== undefined && lost < times) {
          lost += 1
          taken = Number(wanted)
          os.occupy(taken, 4096)
        }
        return undefined
      },
    })
  }

  it('tries again when another thread takes the place, 99 times', () => {
    const os = racing(99)
    const memory = createMemory(os)
    expect(memory.sysReserveAligned(null, 16 * KiB, 64 * KiB).address % (64 * KiB)).toBe(0)
    expect(os.calls.filter((call) => call.startsWith('sysReserveOS(null'))).toHaveLength(100)
    expectNothingLost(os, memory.ranges())
  })

  it('gives up after 100 tries with Go’s message, and owns nothing', () => {
    const os = racing(Infinity)
    const memory = createMemory(os)
    const error = errorOf(() => memory.sysReserveAligned(null, 16 * KiB, 64 * KiB))
    expect(error).toBeInstanceOf(FatalError)
    expect(error.message).toMatch(/^failed to allocate aligned heap memory; too many retries\. /)
    expect(error).toMatchObject({ code: 'ERR_MEMLAYER_FATAL', op: 'sysReserveAligned', size: 16 * KiB })
    expect(os.calls.filter((call) => call.startsWith('sysReserveOS(null'))).toHaveLength(100)
    expect(memory.ranges()).toEqual([])
    expect([...os.pages.values()].filter(({ state }) => state !== 'Foreign')).toEqual([])
  })

  it('tries again when the place is refused, although Go frees nil and crashes', () => {
    const os = new PageOS({ ...whole, base: 0x11000, fate: (_fn, k) => (k === 3 || k === 6 ? ENOMEM : undefined) })
    const memory = createMemory(os)
    const { address, size } = memory.sysReserveAligned(null, 16 * KiB, 64 * KiB)
    expect(os.calls).toHaveLength(9)
    // Core clears the refusals of the failed attempts, so the next sysFree is not counted as refused.
    memory.sysFree(address, size, null)
    expect(os.pages.size).toBe(0)
    expect(memory.stats().total).toMatchObject({ calls: 2, refusals: 0 })
  })

  it.each([
    ['of the first place', 2, 80],
    ['of a place elsewhere', 4, 16],
  ])('owns a reservation that the kernel does not release: %s', (_, k, size) => {
    const os = racing(1)
    const { fate } = os
    os.fate = (fn, call, self) => fate?.(fn, call, self) ?? (call >= k && fn === 'sysFreeOS' ? EINVAL : undefined)
    const memory = createMemory(os)
    expect(errorOf(() => memory.sysReserveAligned(null, 16 * KiB, 64 * KiB))).toBeInstanceOf(FatalError)
    expect(memory.ranges()).toMatchObject([{ size: size * KiB, state: 'Reserved' }])
    expectNothingLost(os, memory.ranges())
    os.fate = undefined
    for (const range of memory.ranges()) memory.sysFree(range.address, range.size, null)
    expectNothingLost(os, [])
  })
})

describe('a wrong call of sysReserveAligned', () => {
  it.each([
    ['an alignment of 0', 4096, 0, 'ERR_MEMLAYER_ALIGNMENT'],
    ['12288, not a power of two', 4096, 12288, 'ERR_MEMLAYER_ALIGNMENT'],
    ['a fraction', 4096, 0.5, 'ERR_MEMLAYER_ALIGNMENT'],
    ['2^53', 4096, 2 ** 53, 'ERR_MEMLAYER_ALIGNMENT'],
    ['a text', 4096, '4096', 'ERR_MEMLAYER_ALIGNMENT'],
    ['a size of 0', 0, 4096, 'ERR_MEMLAYER_SIZE'],
    ['a size that is not whole pages', 4097, 4096, 'ERR_MEMLAYER_ALIGNMENT'],
    ['more than 2^53 together', 2 ** 52, 2 ** 52, 'ERR_MEMLAYER_SIZE'],
    ['more than 2^53 once the alignment is a page', 2 ** 53 - 4096, 1, 'ERR_MEMLAYER_SIZE'],
  ] as [string, number, number, string][])('%s: size %s and alignment %s throw %s', (_, size, align, code) => {
    const os = new PageOS()
    const error = errorOf(() => createMemory(os).sysReserveAligned(null, size, align))
    expect(error).toBeInstanceOf(UsageError)
    expect(error).toMatchObject({ code, op: 'sysReserveAligned' })
    expect(os.calls).toEqual([])
  })

  it('throws for a hint without room below 2^64', () => {
    const os = new PageOS()
    const memory = createMemory(os)
    expect(errorOf(() => memory.sysReserveAligned(2 ** 64 - 8192, 4096, 8192)).code).toBe('ERR_MEMLAYER_ADDRESS')
    expect(os.calls).toEqual([])
  })
})

describe('sysReserveAligned without a ledger', () => {
  it('ignores memory that the kernel keeps, as Go does, and forgets the refusal', () => {
    const os = new PageOS({ base: 0x11000, fate: (fn) => (fn === 'sysFreeOS' ? ENOMEM : undefined) })
    const memory = createMemory(os, { ledger: false })
    expect(memory.sysReserveAligned(null, 16 * KiB, 64 * KiB)).toEqual({ address: 0x20000, size: 16 * KiB })
    expect(os.refusal).toBe(null)
  })
})
