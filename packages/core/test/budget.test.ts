// The limit of a category: what counts, what is refused, and that nothing has changed then.
import { createMemory, GrowableBuffer, OutOfMemoryError, UsageError, type Memory } from '@memlayer/core'
import { describe, expect, it } from 'vitest'
import { errorOf } from './errors-of.js'
import { PageOS } from './page-os.js'

const page = 4096

function memoryWith(limit: number, os = new PageOS()): Memory {
  const memory = createMemory(os, { scavenge: { share: 0 } })
  memory.stat('series').limit = limit
  return memory
}

const readyOf = (memory: Memory): number => memory.stats().categories['series']?.ready ?? NaN

describe("a category's limit", () => {
  it('is null until it is set, and null again', () => {
    const stat = createMemory(new PageOS()).stat('series')
    expect(stat.limit).toBe(null)
    stat.limit = 0
    expect(stat.limit).toBe(0)
    stat.limit = null
    expect(stat.limit).toBe(null)
  })

  it.each([-1, NaN, '1', {}, undefined])('is refused as %s, and what was set stays', (given) => {
    const stat = memoryWith(page).stat('series')
    const error = errorOf(() => {
      stat.limit = given as never
    })
    expect(error).toBeInstanceOf(UsageError)
    expect(error.message).toContain("stat: the limit of 'series' is")
    expect(stat.limit).toBe(page)
  })

  it('needs the ledger', () => {
    const stat = createMemory(new PageOS(), { ledger: false }).stat('series')
    expect(errorOf(() => (stat.limit = page)).message).toContain('keeps no ledger')
    expect(stat.limit).toBe(null)
  })

  it('refuses what would pass it, before the OS is asked, with the name of the category', () => {
    const os = new PageOS()
    const memory = memoryWith(4 * page, os)
    const stat = memory.stat('series')
    using region = memory.reserve(16 * page, { name: 'points', stat })
    region.commit(0, 3 * page)
    const calls = os.calls.length
    for (const refused of [
      () => memory.sysAlloc(2 * page, stat),
      () => region.commit(0, 5 * page),
      () => region.commit(8 * page, 2 * page),
    ]) {
      const error = errorOf(refused)
      expect(error).toBeInstanceOf(OutOfMemoryError)
      expect(error.message).toContain("would pass the limit of the category 'series': 12 KiB of 16 KiB are Ready")
      expect(error.message).toContain("raise memory.stat('series').limit")
    }
    expect([os.calls.length, readyOf(memory), memory.stats().total.refusals]).toEqual([calls, 3 * page, 3])
    memory.check()
    region.commit(8 * page, page)
    expect(readyOf(memory)).toBe(4 * page)
  })

  it('leaves other categories, and what no category counts, alone', () => {
    const memory = memoryWith(0)
    memory.sysAlloc(4 * page, memory.stat('other'))
    memory.sysAlloc(4 * page, null)
    memory.sysReserve(null, 64 * page)
    const v = memory.sysReserve(null, 4 * page)
    memory.sysMap(v, 4 * page, memory.stat('series'))
    expect(errorOf(() => memory.sysUsed(v, page))).toBeInstanceOf(OutOfMemoryError)
    memory.check()
  })

  it('counts what is Ready: unused pages make room, and taking idle ones back does not pass it', () => {
    const memory = memoryWith(4 * page)
    const stat = memory.stat('series')
    using one = memory.reserve(8 * page, { stat })
    using other = memory.reserve(8 * page, { stat })
    one.commit(0, 4 * page)
    one.unused(0, 2 * page)
    other.commit(0, 2 * page)
    expect(errorOf(() => one.used(0, page))).toBeInstanceOf(OutOfMemoryError)
    one.idle(2 * page, 2 * page)
    other.commit(0, 4 * page)
    expect(errorOf(() => one.used(2 * page, 2 * page))).toBeInstanceOf(OutOfMemoryError)
    expect([readyOf(memory), memory.stats().retained]).toEqual([4 * page, 2 * page])
    other.free()
    one.used(2 * page, 2 * page)
    memory.check()
  })

  it('counts each part of a range to its own category', () => {
    const memory = memoryWith(2 * page)
    memory.stat('small').limit = page
    const v = memory.sysReserve(null, 8 * page)
    memory.sysMap(v, 2 * page, memory.stat('series'))
    memory.sysMap(v + 2 * page, 2 * page, memory.stat('small'))
    expect(errorOf(() => memory.sysUsed(v, 4 * page)).message).toContain("'small'")
    expect([readyOf(memory), memory.stats().categories['small']?.ready]).toEqual([0, 0])
    memory.sysUsed(v, 3 * page)
    expect([readyOf(memory), memory.stats().categories['small']?.ready]).toEqual([2 * page, page])
    memory.check()
  })

  it('may be set below what is Ready: that stays, and nothing more comes', () => {
    const memory = memoryWith(8 * page)
    const v = memory.sysAlloc(4 * page, memory.stat('series'))
    memory.stat('series').limit = page
    memory.sysUsed(v, 4 * page)
    expect(errorOf(() => memory.sysAlloc(page, memory.stat('series')))).toBeInstanceOf(OutOfMemoryError)
    expect(readyOf(memory)).toBe(4 * page)
  })

  it('stops a GrowableBuffer, which keeps what it has', () => {
    const memory = memoryWith(2 ** 20, new PageOS({ pages: 8192 }))
    using buffer = new GrowableBuffer(memory, { maximum: 2 ** 24, stat: memory.stat('series') })
    buffer.resize(2 ** 20)
    expect(errorOf(() => buffer.resize(2 ** 21))).toBeInstanceOf(OutOfMemoryError)
    expect([buffer.length, readyOf(memory)]).toEqual([2 ** 20, 2 ** 20])
    memory.check()
  })
})
