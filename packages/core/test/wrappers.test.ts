// Tests the wrappers over pages: each call's effect on the states. Without a ledger they are Go's, without checks.
import {
  createMemory,
  FatalError,
  OutOfMemoryError,
  UsageError,
  type ErrorCode,
  type Memory,
  type OS,
  type RegionState,
  type SysMemStat,
} from '@memlayer/core'
import { describe, expect, it } from 'vitest'
import { errorOf } from './errors-of.js'
import { EINVAL, ENOMEM, PageOS } from './page-os.js'

const page = 4096

/** Makes one page in a state. */
function pageIn(state: RegionState, memory: Memory, stat: SysMemStat | null): number {
  const v = memory.sysReserve(null, page)
  if (state === 'None') memory.sysFree(v, page, null)
  if (state === 'Prepared' || state === 'Ready') memory.sysMap(v, page, stat)
  if (state === 'Ready') memory.sysUsed(v, page)
  return v
}

const calls: Record<string, (memory: Memory, v: number, n: number, stat: SysMemStat | null) => unknown> = {
  sysUnused: (memory, v, n) => memory.sysUnused(v, n),
  sysUsed: (memory, v, n) => memory.sysUsed(v, n),
  sysHugePage: (memory, v, n) => memory.sysHugePage(v, n),
  sysFree: (memory, v, n, stat) => memory.sysFree(v, n, stat),
  sysFault: (memory, v, n) => memory.sysFault(v, n),
  sysMap: (memory, v, n, stat) => memory.sysMap(v, n, stat),
}

const none: ErrorCode = 'ERR_MEMLAYER_NOT_OWNED'
const wrong: ErrorCode = 'ERR_MEMLAYER_STATE'

// Each row has an operation and its outcome from None, Reserved, Prepared and Ready: a state or an error code.
const transitions: [string, ErrorCode, ...(RegionState | ErrorCode)[]][] = [
  ['sysUnused', none, wrong, wrong, 'Prepared'],
  ['sysUsed', none, wrong, 'Ready', 'Ready'],
  ['sysHugePage', none, 'Reserved', 'Prepared', 'Ready'],
  ['sysFree', none, 'None', 'None', 'None'],
  ['sysFault', none, wrong, 'Reserved', 'Reserved'],
  ['sysMap', none, 'Prepared', wrong, wrong],
]
const states: RegionState[] = ['None', 'Reserved', 'Prepared', 'Ready']

describe.each(transitions)('%s', (op, ...ends) => {
  it.each(states.map((state, i) => [state, ends[i] as string] as const))('from %s: %s', (state, end) => {
    const os = new PageOS()
    const memory = createMemory(os)
    const heap = memory.stat('heap')
    const v = pageIn(state, memory, heap)
    const before = os.calls.length
    if (end.startsWith('ERR_')) {
      const error = errorOf(() => calls[op]?.(memory, v, page, heap))
      expect(error).toBeInstanceOf(UsageError)
      expect(error).toMatchObject({ code: end, op, address: v, size: page })
      expect(error.hint?.length).toBeGreaterThan(10)
      expect(os.calls).toHaveLength(before)
    } else {
      calls[op]?.(memory, v, page, heap)
      expect(os.calls.slice(before)).toEqual([`${op}OS(0x${v.toString(16)}, ${page})`])
      expect(memory.ranges().map((range) => range.state)).toEqual(end === 'None' ? [] : [end])
    }
    memory.check()
  })
})

describe('sysAlloc', () => {
  it('goes from None to Ready at once', () => {
    const os = new PageOS()
    const memory = createMemory(os)
    const v = memory.sysAlloc(2 * page, memory.stat('heap'))
    expect(memory.ranges()).toEqual([{ address: v, size: 2 * page, state: 'Ready', category: 'heap' }])
    expect(os.calls).toEqual([`sysAllocOS(${2 * page})`])
  })
})

describe('sysReserve', () => {
  it('goes from None to Reserved, at the hint if it is free, else anywhere', () => {
    const memory = createMemory(new PageOS())
    expect(memory.sysReserve(0x20000, page)).toBe(0x20000)
    expect(memory.sysReserve(0x20000, page)).toBe(0x10000)
    expect(memory.ranges()).toEqual([
      { address: 0x10000, size: page, state: 'Reserved', category: null },
      { address: 0x20000, size: page, state: 'Reserved', category: null },
    ])
  })

  it('passes null on as null, because no hint is different from address 0', () => {
    const os = new PageOS()
    createMemory(os).sysReserve(null, page)
    expect(os.calls).toEqual([`sysReserveOS(null, ${page})`])
  })
})

describe('a range in several states', () => {
  /** Makes one page in each of these states: Prepared, Ready, Prepared, Reserved. */
  function mixed(): { memory: Memory; os: PageOS; v: number } {
    const os = new PageOS()
    const memory = createMemory(os)
    const v = memory.sysReserve(null, 4 * page)
    memory.sysMap(v, 3 * page, memory.stat('heap'))
    memory.sysUsed(v + page, page)
    return { memory, os, v }
  }

  it('may be a mix of Prepared and Ready for sysUsed and sysFault, in one call on the OS', () => {
    for (const op of ['sysUsed', 'sysFault'] as const) {
      const { memory, os, v } = mixed()
      memory[op](v, 3 * page)
      expect(os.calls.at(-1)).toBe(`${op}OS(0x${v.toString(16)}, ${3 * page})`)
      expect(memory.ranges()).toHaveLength(2)
      memory.check()
    }
  })

  it('may have any states for sysFree and sysHugePage', () => {
    const { memory, v } = mixed()
    memory.sysHugePage(v, 4 * page)
    memory.sysFree(v, 4 * page, memory.stat('heap'))
    expect(memory.ranges()).toEqual([])
    expect(memory.stats().total).toMatchObject({ reserved: 0, prepared: 0, ready: 0, held: 0 })
  })

  it('gets an error that names the first wrong page, its state, and the expected state', () => {
    const { memory, os, v } = mixed()
    const at = (pages: number): string => `0x${(v + pages * page).toString(16)}`
    const before = [os.calls.length, memory.stats()]
    const messages = [
      () => memory.sysUnused(v + page, 2 * page),
      () => memory.sysUsed(v + 2 * page, 2 * page),
      () => memory.sysMap(v + 3 * page, 2 * page, null),
      () => memory.sysMap(v + 2 * page, 2 * page, null),
      () => memory.sysFree(v - page, 2 * page, null),
      () => memory.sysFault(v + 3 * page, page),
      () => memory.sysUnused(v, page),
    ].map((call) => errorOf(call).message)
    const [has, foreign, out] = ['the range has to be', 'is not owned by this memory from', 'part out, because it']
    const obtained = 'Pass a range that sysReserve or sysAlloc of this memory returned and that was not freed.'
    const noPages = `is Prepared from its start. Leave that ${out} has no pages to give back.`
    expect(messages).toEqual([
      `sysUnused(${at(1)}, 8192): ${has} Ready, and ${noPages.replace('its start', `offset 4096 (${at(2)})`)}`,
      `sysUsed(${at(2)}, 8192): ${has} Prepared or Ready, and is Reserved from offset 4096 (${at(3)}). ` +
        'Call sysMap on it first, or region.commit, which does both.',
      `sysMap(${at(3)}, 8192): ${has} Reserved, and ${foreign} offset 4096 (${at(4)}). ${obtained}`,
      `sysMap(${at(2)}, 8192): ${has} Reserved, and is Prepared from its start. ` +
        'Pass a Reserved range. For a Prepared range call sysUsed. A Ready range needs no call.',
      `sysFree(${at(-1)}, 8192): ${has} Reserved or Prepared or Ready, and ${foreign} its start. ${obtained}`,
      `sysFault(${at(3)}, 4096): ${has} Prepared or Ready, and is Reserved from its start. ` +
        `Leave that ${out} is Reserved already.`,
      `sysUnused(${at(0)}, 4096): ${has} Ready, and ${noPages}`,
    ])
    expect([os.calls.length, memory.stats()]).toEqual(before)
  })

  it('merges with its neighbours as soon as they are equal', () => {
    const { memory, v } = mixed()
    memory.sysUsed(v, 3 * page)
    expect(memory.ranges()).toEqual([
      { address: v, size: 3 * page, state: 'Ready', category: 'heap' },
      { address: v + 3 * page, size: page, state: 'Reserved', category: null },
    ])
    memory.sysMap(v + 3 * page, page, memory.stat('heap'))
    memory.sysUsed(v + 3 * page, page)
    memory.sysUnused(v, 4 * page)
    expect(memory.ranges()).toEqual([{ address: v, size: 4 * page, state: 'Prepared', category: 'heap' }])
    // Two neighbouring reservations are one range if the OS frees parts.
    const next = memory.sysReserve(v + 4 * page, page)
    memory.sysMap(next, page, memory.stat('heap'))
    expect(memory.ranges()).toEqual([{ address: v, size: 5 * page, state: 'Prepared', category: 'heap' }])
  })
})

describe('sysFree on an OS that releases only whole reservations', () => {
  const whole = (): { os: PageOS; memory: Memory; a: number; b: number } => {
    const os = new PageOS({ traits: { freesParts: false } })
    const memory = createMemory(os)
    return { os, memory, a: memory.sysReserve(null, 4 * page), b: memory.sysReserve(null, 2 * page) }
  }

  it.each([
    ['the head', 0, 1, 'the reservation at 0x10000 is 16384 bytes'],
    ['the tail', 3, 1, '0x13000 is not where a reservation begins'],
    ['two side by side', 0, 6, 'the reservation at 0x10000 is 16384 bytes'],
    ['a part of both', 3, 2, '0x13000 is not where a reservation begins'],
  ])('refuses %s', (_, from, pages, words) => {
    const { os, memory, a } = whole()
    const error = errorOf(() => memory.sysFree(a + from * page, pages * page, null))
    expect(error).toBeInstanceOf(UsageError)
    expect(error).toMatchObject({
      code: 'ERR_MEMLAYER_RESERVATION',
      op: 'sysFree',
      address: a + from * page,
      size: pages * page,
    })
    expect(error.message).toContain(words)
    expect(error.hint).toContain('releases only whole ones')
    expect(os.calls).toHaveLength(2)
  })

  it('frees each whole reservation in any mix of states, and can reserve the place again', () => {
    const { os, memory, a, b } = whole()
    memory.sysMap(a, 2 * page, null)
    memory.sysUsed(a, page)
    memory.sysFree(a, 4 * page, null)
    memory.sysFree(b, 2 * page, null)
    expect(os.pages.size).toBe(0)
    const again = memory.sysReserve(a, 2 * page)
    expect(again).toBe(a)
    expect(errorOf(() => memory.sysFree(a, 4 * page, null)).code).toBe('ERR_MEMLAYER_NOT_OWNED')
    memory.sysFree(a, 2 * page, null)
    const allocated = memory.sysAlloc(3 * page, null)
    expect(errorOf(() => memory.sysFree(allocated, page, null)).code).toBe('ERR_MEMLAYER_RESERVATION')
    memory.sysFree(allocated, 3 * page, null)
    memory.check()
  })

  it('forgets a freed reservation, whose start may be inside a later one', () => {
    const { os, memory, a, b } = whole()
    memory.sysFree(a, 4 * page, null)
    memory.sysFree(b, 2 * page, null)
    const over = memory.sysReserve(a, 6 * page)
    expect(over).toBe(a)
    const error = errorOf(() => memory.sysFree(b, 2 * page, null))
    expect(error.code).toBe('ERR_MEMLAYER_RESERVATION')
    expect(error.message).toContain(`0x${b.toString(16)} is not where a reservation begins`)
    memory.sysFree(over, 6 * page, null)
    expect(os.pages.size).toBe(0)
  })

  it('allows other operations across two reservations', () => {
    const { os, memory, a } = whole()
    memory.sysMap(a, 6 * page, null)
    memory.sysUsed(a + page, 4 * page)
    memory.sysUnused(a + page, 4 * page)
    expect(os.calls.at(-1)).toBe(`sysUnusedOS(0x11000, ${4 * page})`)
    memory.check()
  })
})

describe('a kernel that returns an owned range', () => {
  it.each([
    ['sysAlloc', (memory: Memory) => memory.sysAlloc(2 * page, memory.stat('heap'))],
    ['sysReserve', (memory: Memory) => memory.sysReserve(null, 2 * page)],
    ['sysReserveAligned', (memory: Memory) => memory.sysReserveAligned(null, page, page)],
  ])('gets an error from %s, and the range does not change', (op, call) => {
    const os = new PageOS()
    const memory = createMemory(os)
    const v = memory.sysReserve(null, 4 * page)
    // Another part of the process has unmapped the middle.
    os.vacate(v + page, 2 * page)
    const before = memory.ranges()
    const error = errorOf(() => call(memory))
    expect(error).toBeInstanceOf(FatalError)
    expect(error).toMatchObject({ code: 'ERR_MEMLAYER_FATAL', op, address: v + page, size: 2 * page })
    expect(error.message).toContain('this memory owns a part of that already')
    expect(memory.ranges()).toEqual(before)
    expect(memory.stat('heap').load()).toBe(0)
    memory.check()
  })
})

describe('without a ledger', () => {
  /** Makes a backend that only records its calls. */
  function deaf(answer: Partial<OS> = {}): { os: OS; asked: string[] } {
    const asked: string[] = []
    const ask =
      <T>(name: string, result: T) =>
      (...args: unknown[]): T => {
        asked.push(`${name}(${args.map(String).join(', ')})`)
        return result
      }
    const os: OS = {
      name: 'deaf',
      traits: new PageOS().traits,
      refusal: null,
      sysAllocOS: ask('sysAllocOS', 0x1000),
      sysUnusedOS: ask('sysUnusedOS', undefined),
      sysUsedOS: ask('sysUsedOS', undefined),
      sysHugePageOS: ask('sysHugePageOS', undefined),
      sysFreeOS: ask('sysFreeOS', undefined),
      sysFaultOS: ask('sysFaultOS', undefined),
      sysReserveOS: ask('sysReserveOS', 0x1000),
      sysMapOS: ask('sysMapOS', undefined),
      view: () => new ArrayBuffer(0),
      ...answer,
    }
    return { os, asked }
  }

  it('every range in every order reaches the OS, aligned or not', () => {
    const { os, asked } = deaf()
    const memory = createMemory(os, { ledger: false })
    memory.sysUnused(1, 3)
    memory.sysUsed(0x1000, 5)
    memory.sysHugePage(7, 1)
    memory.sysMap(0x1001, 9, null)
    memory.sysFault(0x1000, 1)
    memory.sysFree(0x1001, 7, null)
    memory.sysReserve(3, 11)
    memory.sysAlloc(13, null)
    memory.sysReserveAligned(null, 1, 2)
    expect(asked).toEqual([
      'sysUnusedOS(1, 3)',
      'sysUsedOS(4096, 5)',
      'sysHugePageOS(7, 1)',
      'sysMapOS(4097, 9)',
      'sysFaultOS(4096, 1)',
      'sysFreeOS(4097, 7)',
      'sysReserveOS(3, 11)',
      'sysAllocOS(13)',
      'sysReserveOS(null, 3)',
    ])
  })

  it('core counts by category as Go does, by the wrapper’s argument and not by the range', () => {
    const memory = createMemory(deaf().os, { ledger: false })
    const heap = memory.stat('heap')
    memory.sysAlloc(4 * page, heap)
    memory.sysMap(0x9000, page, heap)
    expect(heap.load()).toBe(5 * page)
    memory.sysFree(0x5000, 2 * page, heap)
    expect(heap.load()).toBe(3 * page)
    expect(memory.stats().categories['heap']).toEqual({
      reserved: NaN,
      prepared: NaN,
      ready: NaN,
      held: 3 * page,
      peak: NaN,
      calls: 3,
      refusals: 0,
    })
    expect(memory.stats().total).toMatchObject({ reserved: NaN, held: 3 * page, calls: 3 })
    expect(memory.ranges()).toEqual([])
    memory.check()
  })

  it('core refuses to subtract more than a category holds, before any call on the OS', () => {
    const { os, asked } = deaf()
    const memory = createMemory(os, { ledger: false })
    const error = errorOf(() => memory.sysFree(0x5000, page, memory.stat('heap')))
    expect(error).toMatchObject({ name: 'FatalError', code: 'ERR_MEMLAYER_ACCOUNT', op: 'sysFree' })
    expect(asked).toEqual([])
  })

  it('core does not count refused or broken operations', () => {
    const os = new PageOS({ fate: (fn) => (fn === 'sysFreeOS' ? new FatalError('failed to release pages') : ENOMEM) })
    const memory = createMemory(os, { ledger: false })
    const heap = memory.stat('heap')
    expect(errorOf(() => memory.sysAlloc(page, heap))).toBeInstanceOf(OutOfMemoryError)
    expect(heap.load()).toBe(0)
    os.fate = undefined
    const v = memory.sysAlloc(page, heap)
    os.fate = () => new FatalError('failed to release pages')
    expect(errorOf(() => memory.sysFree(v, page, heap))).toBeInstanceOf(FatalError)
    expect(heap.load()).toBe(page)
    os.fate = () => new FatalError('cannot remap pages in address space')
    expect(errorOf(() => memory.sysUsed(v, page))).toBeInstanceOf(FatalError)
    expect(memory.stats().total).toMatchObject({ calls: 4, refusals: 1 })
  })

  it('core ignores and forgets a refused free and a refused fault, as Go does', () => {
    const os = new PageOS({ fate: (fn) => (fn === 'sysFreeOS' || fn === 'sysFaultOS' ? EINVAL : undefined) })
    const memory = createMemory(os, { ledger: false })
    const v = memory.sysAlloc(page, null)
    memory.sysFault(v, page)
    memory.sysFree(v, page, null)
    expect(os.refusal).toBe(null)
    expect(memory.stats().total).toMatchObject({ calls: 3, refusals: 0 })
  })

  it('core still refuses numbers that can’t be an address or a size', () => {
    const { os, asked } = deaf()
    const memory = createMemory(os, { ledger: false })
    expect(errorOf(() => memory.sysMap(NaN, page, null)).code).toBe('ERR_MEMLAYER_ADDRESS')
    expect(errorOf(() => memory.sysFree(page, -page, null)).code).toBe('ERR_MEMLAYER_SIZE')
    expect(errorOf(() => memory.sysAlloc(0.5, null)).code).toBe('ERR_MEMLAYER_SIZE')
    expect(errorOf(() => memory.sysAlloc(page, undefined as never)).code).toBe('ERR_MEMLAYER_STAT')
    expect(asked).toEqual([])
  })

  it('observers still get events', () => {
    const memory = createMemory(deaf().os, { ledger: false })
    const heard: unknown[] = []
    memory.observe(({ op, address, size, category, outcome }) => heard.push([op, address, size, category, outcome]))
    memory.sysMap(0x1000, page, memory.stat('heap'))
    memory.sysUsed(0x1000, page)
    memory.sysFree(0x1000, page, memory.stat('heap'))
    expect(heard).toEqual([
      ['sysMap', 0x1000, page, 'heap', 'done'],
      ['sysUsed', 0x1000, page, null, 'done'],
      ['sysFree', 0x1000, page, 'heap', 'done'],
    ])
  })
})
