// Retired ranges that a script left half done, and the sweeps that give back what was written late.
import type { Address } from '@memlayer/core'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { RangeMap } from '../src/ledger/range-map.js'
import { Retired } from '../src/retired/retired.js'
import { CommittingOS } from './keeping-os.js'
import { page, scene, type Scene } from './retired-scene.js'

afterEach(() => void vi.restoreAllMocks())

describe('a script that ends while ranges are retired', () => {
  it('leaves a range that is retired after all, with its memory given back', () => {
    const { os, retired } = scene({ quarantine: { space: Infinity, writable: 2 * page } })
    const v = os.sysAllocOS(5 * page) as Address
    retired.addAgain(v, 2 * page)
    retired.addAgain(v + 2 * page, 3 * page)
    retired.recount()
    expect([retired.bytes, retired.ranges()]).toEqual([5 * page, [v, 5 * page]])
    expect([os.states(v, 2 * page), os.states(v + 2 * page, 3 * page)]).toEqual(['Ready', 'Reserved'])
    expect(os.mapped).toEqual([false])
    expect([retired.uncommit(), os.states(v, 2 * page)]).toEqual([true, 'Reserved'])
    // Each was made to trap once.
    expect(os.calls.filter((call) => call.startsWith('sysFaultOS'))).toHaveLength(2)
    retired.cool()
    expect(os.calls.filter((call) => call.startsWith('sysFaultOS'))).toHaveLength(2)
    expect(retired.reserve(5 * page)).toBe(v)
  })

  it('leaves a range that serves nothing any more when the OS can not keep it', () => {
    const { os, retired } = scene()
    const v = os.sysAllocOS(page) as Address
    os.retires = false
    retired.addAgain(v, page)
    retired.recount()
    retired.cool()
    expect([retired.bytes, retired.ranges(), retired.alloc(page)]).toEqual([0, [], null])
  })

  it('leaves a range in the queue twice at most, and its second place takes nothing back', () => {
    const { os, retired } = scene({ quarantine: { space: 2 * page, writable: Infinity } })
    const v = os.sysAllocOS(6 * page) as Address
    retired.add(v, page)
    retired.addAgain(v, page)
    retired.recount()
    retired.add(v + 2 * page, page)
    // The first place of the first range is gone. It serves, and is owned.
    expect([retired.reserve(page), retired.bytes]).toEqual([v, page])
    retired.add(v + 4 * page, page)
    expect([retired.bytes, retired.ranges()]).toEqual([2 * page, [v + 2 * page, page, v + 4 * page, page]])
    expect(retired.reserve(page)).toBe(v + 2 * page)
    expect(os.states(v, page)).toBe('Reserved')
  })

  it('leaves a cooled range that serves once it was counted', () => {
    const { retired, retire } = scene()
    const v = retire(2)
    vi.spyOn(RangeMap.prototype, 'reaches').mockImplementationOnce(() => {
      throw new Error('the script ends')
    })
    expect(() => retired.cool()).toThrow('the script ends')
    retired.recount()
    expect(retired.alloc(2 * page)).toBe(v)
  })

  it('leaves counts that are made anew, so that cooled ranges serve', () => {
    const { retired, retire } = scene({ quarantine: { space: 8 * page, writable: Infinity } })
    const first = retire(3)
    retire(2)
    retired.recount()
    expect([retired.bytes, retired.alloc(3 * page), retired.bytes]).toEqual([5 * page, first, 2 * page])
  })
})

describe('a sweep', () => {
  /** Retires one page 255 times; the next time a sweep comes. Returns the calls of the sweep. */
  function swept({ os, retired }: Scene, last: Address): string[] {
    os.emptied.length = 0
    retired.add(last, page)
    return [...os.emptied]
  }

  /** `count` pages from `v` on, each with a gap behind it, retired one by one. */
  function addAll({ retired }: Scene, v: Address, count: number): void {
    for (let i = 0; i < count; i++) retired.add(v + 2 * i * page, page)
  }

  const hex = (v: Address, pages = 1): string => `${v.toString(16)}+${pages * page}`

  it('comes with each 256th range, visits 64 ranges, and the next one goes on from there', () => {
    const all = scene({ pages: 2000 })
    const v = all.os.sysAllocOS(1200 * page) as Address
    addAll(all, v, 255)
    expect(all.os.emptied).toEqual([])
    expect(swept(all, v + 510 * page)).toEqual(Array.from({ length: 64 }, (_, i) => hex(v + 2 * i * page)))
    addAll(all, v + 600 * page, 255)
    expect(swept(all, v + 1199 * page)).toEqual(Array.from({ length: 64 }, (_, i) => hex(v + 2 * (64 + i) * page)))
  })

  it('begins again at the first address after one that came to the last', () => {
    const all = scene({ pages: 2000 })
    const v = all.os.sysAllocOS(1200 * page) as Address
    addAll(all, v, 99)
    const turn = (): string[] => {
      for (let i = 0; i < 255; i++) all.retired.add(v, page)
      return swept(all, v + 198 * page)
    }
    for (let i = 0; i < 156; i++) all.retired.add(v, page)
    const places = Array.from({ length: 100 }, (_, i) => hex(v + 2 * i * page))
    expect(swept(all, v + 198 * page)).toEqual(places.slice(0, 64))
    expect([turn(), turn()]).toEqual([places.slice(64), places.slice(0, 64)])
    expect([all.os.mapped.length, all.os.mapped.includes(true)]).toEqual([164, false])
  })

  it('does not come where the OS charges what is committed', () => {
    const os = new CommittingOS({ pages: 2000 })
    const retired = new Retired(os)
    const v = os.sysAllocOS(1200 * page) as Address
    for (let i = 0; i < 600; i++) retired.add(v + 2 * i * page, page)
    expect(os.emptied).toEqual([])
  })

  it('begins again at the first address each time where it visits all', () => {
    const all = scene({ pages: 2000 })
    const v = all.os.sysAllocOS(1200 * page) as Address
    for (const turn of [1, 2]) {
      for (let i = 0; i < 255; i++) all.retired.add(v, page)
      expect([turn, swept(all, v + 2 * page)]).toEqual([turn, [hex(v), hex(v + 2 * page)]])
    }
  })

  it('takes neighbours as one, and leaves out what can not be touched', () => {
    const all = scene({ pages: 2000, quarantine: { space: Infinity, writable: 300 * page } })
    const v = all.os.sysAllocOS(700 * page) as Address
    // They trap from the start, and stay so.
    all.retired.add(v, 301 * page)
    for (let i = 0; i < 254; i++) all.retired.add(v + (302 + i) * page, page)
    expect(swept(all, v + 650 * page)).toEqual([hex(v + 302 * page, 254), hex(v + 650 * page)])
  })

  it('visits what has cooled too, where that can be touched', () => {
    const all = scene({ pages: 2000 })
    const v = all.os.sysAllocOS(700 * page) as Address
    addAll(all, v, 2)
    all.retired.cool()
    for (let i = 0; i < 253; i++) all.retired.add(v + 100 * page, page)
    expect(swept(all, v + 650 * page)).toEqual([hex(v), hex(v + 2 * page), hex(v + 100 * page), hex(v + 650 * page)])
  })
})
