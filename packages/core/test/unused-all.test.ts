// Many ranges given back at once: checked as one, done as one, and undone as one.
import { createMemory, FatalError, UsageError, type Memory } from '@memlayer/core'
import { describe, expect, it } from 'vitest'
import { errorOf } from './errors-of.js'
import { PageOS } from './page-os.js'

const page = 4096

function ready(pages: number): { os: PageOS; memory: Memory; v: number } {
  const os = new PageOS()
  const memory = createMemory(os)
  return { os, memory, v: memory.sysAlloc(pages * page, memory.stat('heap')) }
}

describe('sysUnusedAll', () => {
  it('gives each back, and tells of each', () => {
    const { os, memory, v } = ready(8)
    const heard: unknown[] = []
    memory.observe(({ op, address, size, category }) => heard.push([op, address, size, category]))
    memory.sysUnusedAll([v, page, v + 2 * page, 2 * page, v + 6 * page, 0, v + 7 * page, page])
    expect(os.calls.slice(1)).toEqual([
      `sysUnusedOS(0x${v.toString(16)}, ${page})`,
      `sysUnusedOS(0x${(v + 2 * page).toString(16)}, ${2 * page})`,
      `sysUnusedOS(0x${(v + 7 * page).toString(16)}, ${page})`,
    ])
    expect(heard).toEqual([
      ['sysUnused', v, page, 'heap'],
      ['sysUnused', v + 2 * page, 2 * page, 'heap'],
      ['sysUnused', v + 7 * page, page, 'heap'],
    ])
    expect(memory.stats().total).toMatchObject({ ready: 4 * page, prepared: 4 * page, calls: 4 })
    memory.check()
  })

  it('takes any list of numbers, and an empty one', () => {
    const { os, memory, v } = ready(2)
    memory.sysUnusedAll([])
    memory.sysUnusedAll(new Float64Array(0))
    expect(os.calls).toHaveLength(1)
    memory.sysUnusedAll(new Float64Array([v, page]))
    memory.sysUnusedAll({ 0: v + page, 1: page, length: 2 })
    expect(memory.stats().total.prepared).toBe(2 * page)
  })

  it.each([
    ['a page twice', (v: number) => [v, 2 * page, v + page, page], 'ERR_MEMLAYER_STATE'],
    ['a page that is not Ready', (v: number) => [v, page, v + 3 * page, page], 'ERR_MEMLAYER_STATE'],
    ['a page that is not owned', (v: number) => [v, page, v + 4 * page, page], 'ERR_MEMLAYER_NOT_OWNED'],
    ['half a pair', (v: number) => [v, page, v + page], 'ERR_MEMLAYER_SIZE'],
    ['no size', (v: number) => [v, page, v + page, NaN], 'ERR_MEMLAYER_SIZE'],
    ['no address', (v: number) => [v, page, -1, page], 'ERR_MEMLAYER_ADDRESS'],
    ['half a page', (v: number) => [v, page, v + page, page / 2], 'ERR_MEMLAYER_ALIGNMENT'],
    ['text', () => 'ranges', 'ERR_MEMLAYER_SIZE'],
    ['nothing', () => null, 'ERR_MEMLAYER_SIZE'],
  ] as [string, (v: number) => unknown, string][])('does nothing at all where one is wrong: %s', (_, ranges, code) => {
    const { os, memory, v } = ready(4)
    memory.sysUnused(v + 3 * page, page)
    const before = [memory.ranges(), memory.stats(), os.calls.length]
    const error = errorOf(() => memory.sysUnusedAll(ranges(v) as ArrayLike<number>))
    expect(error).toBeInstanceOf(UsageError)
    expect(error.code).toBe(code)
    expect([memory.ranges(), memory.stats(), os.calls.length]).toEqual(before)
    memory.check()
  })

  it('keeps what was not given back Ready when the OS breaks half way', () => {
    const { os, memory, v } = ready(6)
    os.fate = (_fn, k) => (k === 3 ? new FatalError('unaligned sysUnused') : undefined)
    const error = errorOf(() => memory.sysUnusedAll([v, page, v + 2 * page, page, v + 4 * page, page]))
    expect(error).toBeInstanceOf(FatalError)
    expect(memory.ranges()).toEqual([
      { address: v, size: page, state: 'Prepared', category: 'heap' },
      { address: v + page, size: 5 * page, state: 'Ready', category: 'heap' },
    ])
    memory.check()
  })
})
