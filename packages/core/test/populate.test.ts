// Pages had ahead of a touch: who may ask, what a kernel answers, and that nothing is touched where it can't.
import { createMemory, FatalError, OutOfMemoryError, UsageError, type Memory } from '@memlayer/core'
import { describe, expect, it } from 'vitest'
import { errorOf } from './errors-of.js'
import { ENOMEM, PageOS } from './page-os.js'

const page = 4096

/** A backend that answers as it is told, and the ranges it was asked for. */
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
  it('asks for a Ready range, changes no state, and is told of', () => {
    const { os, memory, v, told } = ready()
    const before = memory.ranges()
    expect(memory.sysPopulate(v + page, 2 * page)).toBe(true)
    expect(os.asked).toEqual([[v + page, 2 * page]])
    expect(told).toEqual([['sysPopulate', v + page, 2 * page, 'heap', 'done']])
    expect(memory.ranges()).toEqual(before)
    expect(memory.stats().categories['heap']).toMatchObject({ ready: 8 * page, calls: 2 })
    memory.check()
  })

  it('says no where the kernel can’t, and counts nothing', () => {
    const { os, memory, v, told } = ready()
    os.answer = false
    expect(memory.sysPopulate(v, page)).toBe(false)
    expect([told, memory.stats().total.calls]).toEqual([[], 1])
  })

  it('says no where the backend has no such call, and touches no page', () => {
    const os = new PageOS()
    const memory = createMemory(os)
    const v = memory.sysAlloc(page, null)
    os.view = () => {
      throw new Error('a page was looked at')
    }
    expect([memory.sysPopulate(v, page), memory.sysPopulate(v, 0)]).toEqual([false, false])
    expect(os.calls).toHaveLength(1)
  })

  it('is refused by an OutOfMemoryError that names the call', () => {
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

  it('passes on what the backend throws', () => {
    const { os, memory, v, told } = ready()
    os.answer = new FatalError('cannot populate pages')
    expect(errorOf(() => memory.sysPopulate(v, page))).toBe(os.answer)
    expect(told).toEqual([['sysPopulate', v, page, 'heap', 'broken']])
  })

  it.each([
    ['Prepared pages', (v: number) => [v + 6 * page, page], 'ERR_MEMLAYER_STATE'],
    ['a range whose last page is Prepared', (v: number) => [v, 7 * page], 'ERR_MEMLAYER_STATE'],
    ['pages that are not owned', (v: number) => [v + 8 * page, page], 'ERR_MEMLAYER_NOT_OWNED'],
    ['half a page', (v: number) => [v, page / 2], 'ERR_MEMLAYER_ALIGNMENT'],
    ['an address in a page', (v: number) => [v + 8, page], 'ERR_MEMLAYER_ALIGNMENT'],
    ['no size', (v: number) => [v, NaN], 'ERR_MEMLAYER_SIZE'],
    ['no address', () => [-page, page], 'ERR_MEMLAYER_ADDRESS'],
  ] as [string, (v: number) => [number, number], string][])('asks nothing for %s', (_, range, code) => {
    const { os, memory, v, told } = ready()
    memory.sysUnused(v + 6 * page, 2 * page)
    told.length = 0
    const error = errorOf(() => memory.sysPopulate(...range(v)))
    expect(error).toBeInstanceOf(UsageError)
    expect(error).toMatchObject({ code, op: 'sysPopulate' })
    expect([os.asked, told]).toEqual([[], []])
  })

  it('does nothing for zero bytes, and goes unchecked without a ledger', () => {
    const { os, memory, v } = ready()
    expect([memory.sysPopulate(v, 0), os.asked]).toEqual([true, []])
    const unchecked = createMemory(os, { ledger: false })
    expect(unchecked.sysPopulate(12, 34)).toBe(true)
    expect(os.asked).toEqual([[12, 34]])
  })

  it('takes offsets of a region', () => {
    const os = new PopulatingOS()
    using region = createMemory(os).reserve(8 * page)
    region.commit(0, 4 * page)
    expect(region.populate(page, page)).toBe(true)
    expect(os.asked).toEqual([[region.address + page, page]])
    expect(errorOf(() => region.populate(4 * page, 5 * page))).toMatchObject({ code: 'ERR_MEMLAYER_RANGE' })
  })
})
