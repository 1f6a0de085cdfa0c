// Tests populate: the ranges it accepts, and the kernel's answers. If the kernel can't populate, core touches no page.
import { createMemory, FatalError, OutOfMemoryError, UsageError, type Memory } from '@memlayer/core'
import { describe, expect, it } from 'vitest'
import { errorOf } from './errors-of.js'
import { ENOMEM, PageOS } from './page-os.js'

const page = 4096

/** A backend that returns the test's answer, and records the requested ranges. */
class PopulatingOS extends PageOS {
  readonly asked: [number, number][] = []
  answer: boolean | null | Error = true

  sysPopulateOS(v: number, n: number): boolean | null {
    this.asked.push([v, n])
    if (this.answer instanceof Error) throw this.answer
    if (this.answer === null) this.refusal = { ...ENOMEM, syscall: 'madvise' }
    return this.answer
  }
}

function ready(): { os: PopulatingOS; memory: Memory; v: number; told: unknown[] } {
  const os = new PopulatingOS()
  const memory = createMemory(os)
  const v = memory.sysAlloc(8 * page, memory.stat('heap'))
  const told: unknown[] = []
  memory.observe(({ op, address, size, category, outcome }) => told.push([op, address, size, category, outcome]))
  return { os, memory, v, told }
}

describe('sysPopulate', () => {
  it('populates a Ready range, changes no state, and makes an event', () => {
    const { os, memory, v, told } = ready()
    const before = memory.ranges()
    expect(memory.sysPopulate(v + page, 2 * page)).toBe(true)
    expect(os.asked).toEqual([[v + page, 2 * page]])
    expect(told).toEqual([['sysPopulate', v + page, 2 * page, 'heap', 'done']])
    expect(memory.ranges()).toEqual(before)
    expect(memory.stats().categories['heap']).toMatchObject({ ready: 8 * page, calls: 2 })
    memory.check()
  })

  it('returns false if the kernel can’t, and counts no call', () => {
    const { os, memory, v, told } = ready()
    os.answer = false
    expect(memory.sysPopulate(v, page)).toBe(false)
    expect([told, memory.stats().total.calls]).toEqual([[], 1])
  })

  it('returns false if the backend has no such call, and touches no page', () => {
    const os = new PageOS()
    const memory = createMemory(os)
    const v = memory.sysAlloc(page, null)
    os.view = () => {
      throw new Error('core made a view, but populate must not touch pages')
    }
    expect([memory.sysPopulate(v, page), memory.sysPopulate(v, 0)]).toEqual([false, false])
    expect(os.calls).toHaveLength(1)
  })

  it('throws an OutOfMemoryError that names the kernel call', () => {
    const { os, memory, v, told } = ready()
    os.answer = null
    const error = errorOf(() => memory.sysPopulate(v, page))
    expect(error).toBeInstanceOf(OutOfMemoryError)
    expect(error).toMatchObject({ op: 'sysPopulate', syscall: 'madvise', errnoName: 'ENOMEM', address: v, size: page })
    expect(told).toEqual([['sysPopulate', v, page, 'heap', 'refused']])
    expect(memory.stats().total).toMatchObject({ ready: 8 * page, refusals: 1 })
    os.answer = true
    expect(memory.sysPopulate(v, page)).toBe(true)
  })

  it('passes an error of the backend to the caller', () => {
    const { os, memory, v, told } = ready()
    os.answer = new FatalError('cannot populate pages')
    expect(errorOf(() => memory.sysPopulate(v, page))).toBe(os.answer)
    expect(told).toEqual([['sysPopulate', v, page, 'heap', 'broken']])
  })

  it.each([
    ['Prepared pages', (v: number) => [v + 6 * page, page], 'ERR_MEMLAYER_STATE'],
    ['a range whose last page is Prepared', (v: number) => [v, 7 * page], 'ERR_MEMLAYER_STATE'],
    ['pages without an owner', (v: number) => [v + 8 * page, page], 'ERR_MEMLAYER_NOT_OWNED'],
    ['half a page', (v: number) => [v, page / 2], 'ERR_MEMLAYER_ALIGNMENT'],
    ['an address inside a page', (v: number) => [v + 8, page], 'ERR_MEMLAYER_ALIGNMENT'],
    ['the size NaN', (v: number) => [v, NaN], 'ERR_MEMLAYER_SIZE'],
    ['a negative address', () => [-page, page], 'ERR_MEMLAYER_ADDRESS'],
  ] as [string, (v: number) => [number, number], string][])(
    'refuses %s before any call on the OS',
    (_, range, code) => {
      const { os, memory, v, told } = ready()
      memory.sysUnused(v + 6 * page, 2 * page)
      told.length = 0
      const error = errorOf(() => memory.sysPopulate(...range(v)))
      expect(error).toBeInstanceOf(UsageError)
      expect(error).toMatchObject({ code, op: 'sysPopulate' })
      expect([os.asked, told]).toEqual([[], []])
    },
  )

  it('does nothing for zero bytes, and checks nothing without a ledger', () => {
    const { os, memory, v } = ready()
    expect([memory.sysPopulate(v, 0), os.asked]).toEqual([true, []])
    const unchecked = createMemory(os, { ledger: false })
    expect(unchecked.sysPopulate(12, 34)).toBe(true)
    expect(os.asked).toEqual([[12, 34]])
  })

  it('accepts offsets of a region', () => {
    const os = new PopulatingOS()
    using region = createMemory(os).reserve(8 * page)
    region.commit(0, 4 * page)
    expect(region.populate(page, page)).toBe(true)
    expect(os.asked).toEqual([[region.address + page, page]])
    expect(errorOf(() => region.populate(4 * page, 5 * page))).toMatchObject({ code: 'ERR_MEMLAYER_RANGE' })
  })
})
