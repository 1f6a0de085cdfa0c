// Tests the caller's error when the OS refuses, for every call of a life. The account must then still match the pages.
import { createMemory, FatalError, OutOfMemoryError } from '@memlayer/core'
import { describe, expect, it } from 'vitest'
import { errorOf } from './errors-of.js'
import { EINVAL, ENOMEM, PageOS, type Fate, type PageOSOptions } from './page-os.js'
import type { Call } from './shadow.js'
import { createWorld, expectAgreement, judge, make, type World } from './world.js'

const page = 4096

describe('memory to map that the kernel does not have', () => {
  const noMemory = new FatalError('out of memory', {
    op: 'sysMap',
    syscall: 'mmap',
    errno: 12,
    errnoName: 'ENOMEM',
    hint: 'Buy memory.',
  })

  /** An OS that unmaps the range before it refuses to map it, as Linux before 6.12. */
  class Unmapping extends PageOS {
    isShort = true
    /** Whether the reservation can be put back. */
    reserves = true
    override sysMapOS(v: number, n: number): void {
      if (!this.isShort) return super.sysMapOS(v, n)
      this.vacate(v, n)
      throw noMemory
    }
    override sysFaultOS(v: number, n: number): void {
      if (!this.reserves) this.refusal = ENOMEM
      else for (let at = v; at < v + n; at += page) this.pages.set(at / page, { state: 'Reserved', reservation: 1 })
    }
  }

  it('is an OutOfMemoryError, and the reservation is put back', () => {
    const os = new Unmapping()
    const memory = createMemory(os)
    const v = memory.sysReserve(null, 4 * page)
    const error = errorOf(() => memory.sysMap(v, 4 * page, memory.stat('s')))
    expect(error).toBeInstanceOf(OutOfMemoryError)
    expect(error.message).toBe(
      `sysMap: pages refused 16 KiB at 0x${v.toString(16)}: mmap answered ENOMEM (12). Buy memory.`,
    )
    expect(error).toMatchObject({ op: 'sysMap', syscall: 'mmap', errnoName: 'ENOMEM', address: v, size: 4 * page })
    expect([os.pages.size, memory.ranges().map(({ state }) => state)]).toEqual([4, ['Reserved']])
    expect(memory.stats().total).toMatchObject({ held: 0, refusals: 1 })
    os.isShort = false
    memory.sysMap(v, page, null)
    memory.check()
  })

  it('is a FatalError when the reservation can not be put back', () => {
    const os = new Unmapping()
    os.reserves = false
    const memory = createMemory(os)
    const v = memory.sysReserve(null, 4 * page)
    expect(errorOf(() => memory.sysMap(v, 4 * page, null))).toBe(noMemory)
    expect(os.refusal).toBe(null)
  })

  it('names the region whose commit it was', () => {
    const memory = createMemory(new Unmapping())
    const region = memory.reserve(4 * page, { name: 'vectors' })
    const error = errorOf(() => region.commit(0, 4 * page))
    expect(error).toBeInstanceOf(OutOfMemoryError)
    expect(error).toMatchObject({ op: 'commit', region: 'vectors', offset: 0 })
  })
})

describe('an OutOfMemoryError', () => {
  it('names the request and the kernel’s answer', () => {
    const memory = createMemory(new PageOS({ fate: () => ENOMEM }))
    const error = errorOf(() => memory.sysAlloc(96 * page, null))
    expect(error).toBeInstanceOf(OutOfMemoryError)
    expect(error.message).toBe('sysAlloc: pages refused 384 KiB: mmap answered ENOMEM (12). Buy memory.')
    expect(error).toMatchObject({
      code: 'ERR_MEMLAYER_OUT_OF_MEMORY',
      op: 'sysAlloc',
      syscall: 'mmap',
      errno: 12,
      errnoName: 'ENOMEM',
      size: 96 * page,
      hint: 'Buy memory.',
    })
    expect(error.address).toBe(undefined)
  })

  it('names the address if the request has one', () => {
    const memory = createMemory(new PageOS({ fate: () => ENOMEM }))
    const error = errorOf(() => memory.sysReserve(0x20000, page))
    expect(error.message).toBe('sysReserve: pages refused 4 KiB at 0x20000: mmap answered ENOMEM (12). Buy memory.')
    expect(error).toMatchObject({ op: 'sysReserve', address: 0x20000, size: page })
  })

  it('has no error number if the backend has none', () => {
    const memory = createMemory(new PageOS({ fate: () => 'silent' }))
    const error = errorOf(() => memory.sysReserve(null, page))
    expect(error).toBeInstanceOf(OutOfMemoryError)
    expect(error.message).toBe('sysReserve: pages refused 4 KiB. Free memory, or ask for less.')
    expect([error.syscall, error.errno, error.errnoName]).toEqual([undefined, undefined, undefined])
  })

  it('names what the backend knows of the answer, and no more', () => {
    const os = new PageOS()
    const memory = createMemory(os)
    const messageOf = (refusal: object): string => {
      os.sysReserveOS = () => {
        os.refusal = { hint: 'Wait.', ...refusal }
        return null
      }
      return errorOf(() => memory.sysReserve(null, page)).message
    }
    expect(messageOf({ syscall: 'mmap' })).toBe('sysReserve: pages refused 4 KiB: mmap failed. Wait.')
    expect(messageOf({ syscall: 'mmap', errno: 5 })).toBe(
      'sysReserve: pages refused 4 KiB: mmap answered errno 5. Wait.',
    )
    expect(messageOf({ syscall: 'mmap', errnoName: 'EIO' })).toBe(
      'sysReserve: pages refused 4 KiB: mmap answered EIO. Wait.',
    )
  })

  it('never reports an older refusal', () => {
    const os = new PageOS({ fate: () => ENOMEM })
    const memory = createMemory(os)
    errorOf(() => memory.sysReserve(null, page))
    expect(os.refusal).toBe(null)
    os.fate = () => 'silent'
    expect(errorOf(() => memory.sysReserve(null, page)).errno).toBe(undefined)
  })

  it('is not thrown for refused advice, neither then nor by the next free', () => {
    const os = new PageOS()
    const memory = createMemory(os)
    const v = memory.sysAlloc(page, null)
    os.fate = (fn) => (fn === 'sysUnusedOS' ? EINVAL : undefined)
    memory.sysUnused(v, page)
    expect(memory.ranges()).toMatchObject([{ state: 'Prepared' }])
    expect(os.refusal).toBe(null)
    memory.sysFree(v, page, null)
    expect(os.pages.size).toBe(0)
  })

  it('is thrown by sysFree and sysFault when the kernel can’t split its mapping', () => {
    const os = new PageOS()
    const memory = createMemory(os)
    const v = memory.sysAlloc(4 * page, null)
    os.fate = () => ENOMEM
    for (const op of ['sysFree', 'sysFault'] as const) {
      const error = errorOf(() =>
        op === 'sysFree' ? memory.sysFree(v + page, page, null) : memory.sysFault(v + page, page),
      )
      expect(error).toBeInstanceOf(OutOfMemoryError)
      expect(error).toMatchObject({ op, address: v + page, size: page, errno: 12 })
      expect(memory.ranges()).toEqual([{ address: v, size: 4 * page, state: 'Ready', category: null }])
    }
    expect(memory.stats().total).toMatchObject({ calls: 3, refusals: 2 })
  })
})

describe('a FatalError', () => {
  it('is thrown by sysFree and sysFault when the kernel keeps the range for any other reason', () => {
    const os = new PageOS()
    const memory = createMemory(os)
    const v = memory.sysAlloc(page, null)
    os.fate = () => EINVAL
    const error = errorOf(() => memory.sysFree(v, page, null))
    expect(error).toBeInstanceOf(FatalError)
    expect(error.message).toBe(
      'sysFree: the kernel kept the range: munmap(0x10000, 4096) answered EINVAL (22). Ask anew.',
    )
    expect(error).toMatchObject({
      code: 'ERR_MEMLAYER_FATAL',
      op: 'sysFree',
      syscall: 'munmap',
      errno: 22,
      errnoName: 'EINVAL',
    })
    expect(errorOf(() => memory.sysFault(v, page))).toMatchObject({
      name: 'FatalError',
      op: 'sysFault',
      address: v,
      size: page,
    })
    expect(memory.stats().total).toMatchObject({ ready: page, calls: 3, refusals: 0 })
  })

  it('of a backend reaches the caller unchanged, and nothing is counted', () => {
    const thrown = new FatalError('cannot map pages in arena address space', {
      op: 'sysMap',
      syscall: 'mmap',
      errno: 17,
    })
    const os = new PageOS()
    const memory = createMemory(os)
    const v = memory.sysReserve(null, page)
    os.fate = () => thrown
    expect(errorOf(() => memory.sysMap(v, page, memory.stat('heap')))).toBe(thrown)
    expect(memory.stat('heap').load()).toBe(0)
    expect(memory.ranges()).toEqual([{ address: v, size: page, state: 'Reserved', category: null }])
  })
})

/** Makes every transition. The calls depend only on the addresses of earlier calls. */
function* life({ stats, os }: World): Generator<Call, void, unknown> {
  const [heap, index] = stats
  const range = (v: number, n: number): { v: number; n: number } => ({ v, n: n * page })
  const a = (yield { op: 'sysAlloc', n: 3 * page, stat: heap }) as number
  const v = (yield { op: 'sysReserve', v: null, n: 16 * page }) as number
  const { address, size } = (yield { op: 'sysReserveAligned', v: null, n: 2 * page, align: 32 * page }) as {
    address: number
    size: number
  }
  yield { op: 'sysMap', ...range(v, 12), stat: heap }
  yield { op: 'sysUsed', ...range(v, 8) }
  yield { op: 'sysUnused', ...range(v + page, 4) }
  yield { op: 'sysUsed', ...range(v, 12) }
  yield { op: 'sysHugePage', ...range(v, 16) }
  yield { op: 'sysFault', ...range(v + 2 * page, 4) }
  yield { op: 'sysMap', ...range(v + 3 * page, 2), stat: index }
  yield { op: 'sysFree', ...range(a, 3), stat: heap }
  if (os.traits.freesParts) {
    yield { op: 'sysFree', ...range(v + 6 * page, 8), stat: heap }
    yield { op: 'sysFree', ...range(v, 6), stat: null }
    yield { op: 'sysFree', ...range(v + 14 * page, 2), stat: null }
  } else yield { op: 'sysFree', ...range(v, 16), stat: null }
  yield { op: 'sysFree', v: address, n: size, stat: null }
}

const fates: [string, (k: number) => Fate][] = [
  ['refused', () => ENOMEM],
  ['refused without a word', () => 'silent'],
  ['kept', () => EINVAL],
  ['broken', () => new FatalError('out of memory')],
]
const systems: [string, PageOSOptions][] = [
  ['frees parts', { base: 0x11000 }],
  ['frees only whole reservations', { base: 0x11000, traits: { freesParts: false } }],
]

// A backend refuses these functions only by throwing.
const sure = ['sysUnusedOS', 'sysUsedOS', 'sysHugePageOS', 'sysMapOS']

describe.each(systems)('on an OS that %s', (_, options) => {
  it.each(fates)('account and pages agree with the k-th call %s, for every k', (name, fate) => {
    const ends = new Set<string>()
    for (let k = 1, failed = true; failed; k++) {
      failed = false
      const world = createWorld({
        ...options,
        fate: (fn, call) => {
          if (call !== k) return undefined
          failed = true
          if (name !== 'broken' && sure.includes(fn)) return undefined
          // Core would take a free that is refused without a reason for a finished free. No backend may do that.
          return name === 'refused without a word' && !['sysAllocOS', 'sysReserveOS'].includes(fn) ? ENOMEM : fate(k)
        },
      })
      const steps = life(world)
      for (let next = steps.next(); next.done !== true;) {
        const made = make(world, next.value)
        const end = judge(world, made)
        ends.add(end)
        if (next.value.op === 'sysReserveAligned' && end !== 'done') world.shadow.adopt(world.os.pages)
        expectAgreement(world)
        // The life ends at a failed call. The code below gives the remaining ranges back.
        if (end !== 'done') break
        next = steps.next(made.result)
      }
      world.os.fate = undefined
      giveBack(world)
      expect(world.os.pages.size, `k = ${k}`).toBe(0)
      expect(world.memory.stats().total).toMatchObject({ reserved: 0, prepared: 0, ready: 0, held: 0 })
    }
    expect(ends).toContain('done')
    expect(ends.has('refused') || ends.has('broken')).toBe(true)
  })
})

function giveBack({ memory, os }: World): void {
  if (os.traits.freesParts) {
    for (const { address, size } of memory.ranges()) memory.sysFree(address, size, null)
    return
  }
  const reservations = new Map<number, { v: number; n: number }>()
  for (const [number, { reservation }] of [...os.pages].sort(([a], [b]) => a - b)) {
    const { v, n } = reservations.get(reservation) ?? { v: number * page, n: 0 }
    reservations.set(reservation, { v, n: n + page })
  }
  for (const { v, n } of reservations.values()) memory.sysFree(v, n, null)
}

describe('a backend that returns something else than an address', () => {
  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['a bigint', 65536n],
    ['0', 0],
    ['a fraction', 0.5],
    ['an address within a page', 1],
    ['NaN', NaN],
    ['a promise', Promise.resolve(65536)],
  ])('is named, and nothing is counted: %s', (_, answer) => {
    const os = Object.assign(new PageOS(), { sysReserveOS: () => answer as never, sysAllocOS: () => answer as never })
    const memory = createMemory(os)
    for (const call of [
      () => memory.sysReserve(null, 4096),
      () => memory.sysAlloc(4096, memory.stat('heap')),
      () => memory.sysReserveAligned(null, 4096, 4096),
      () => memory.reserve(4096),
    ]) {
      const error = errorOf(call)
      expect(error).toBeInstanceOf(FatalError)
      expect(error.message).toMatch(/the backend returned .*, which is not the address of a page/)
    }
    expect([memory.ranges(), memory.regions(), memory.stat('heap').load()]).toEqual([[], [], 0])
    memory.check()
  })
})
