// The retired ranges of a memory, apart from the memory: what is asked of the OS for them, in which order they trap,
// cool and go, and what a script leaves that ends half way.
import type { Address } from '@memlayer/core'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { RangeMap } from '../src/ledger/range-map.js'
import { queuedMax } from '../src/retired/queue.js'
import { Retired } from '../src/retired/retired.js'
import { KeepingOS, type KeepingOSOptions } from './keeping-os.js'
import { PageOS } from './page-os.js'

const page = 4096

interface Scene {
  readonly os: KeepingOS
  readonly retired: Retired
  /** Obtains `pages` pages, lets JavaScript see them, and retires them. */
  readonly retire: (pages: number) => Address
}

function scene(options: KeepingOSOptions = {}): Scene {
  const os = new KeepingOS(options)
  const retired = new Retired(os)
  const retire = (pages: number): Address => {
    const v = os.sysAllocOS(pages * page) as Address
    retired.see(v, 1)
    expect(retired.retire(v, pages * page, true)).toBe(true)
    retired.add(v, pages * page)
    return v
  }
  return { os, retired, retire }
}

/** The bytes that the OS still has of a memory. */
const owned = (os: KeepingOS): number => os.pages.size * page

afterEach(() => void vi.restoreAllMocks())

describe('what JavaScript has seen', () => {
  it('is whole pages, those around the bytes of a view', () => {
    const { retired } = scene()
    expect(retired.hasSeen(0, 100 * page)).toBe(false)
    retired.see(10 * page + 100, page)
    for (const at of [9, 12]) expect(retired.hasSeen(at * page, page)).toBe(false)
    for (const at of [10, 11]) expect(retired.hasSeen(at * page, page)).toBe(true)
    expect([retired.counts(10 * page, 2 * page), retired.counts(10 * page, 3 * page)]).toEqual([true, false])
    expect(retired.counts(9 * page, 2 * page)).toBe(false)
    expect([retired.hasSeen(8 * page, 3 * page), retired.hasSeen(11 * page, 9 * page)]).toEqual([true, true])
  })

  it('is forgotten with a range that was retired or given back, and with no other', () => {
    for (const how of ['add', 'addAgain', 'forget'] as const) {
      const { retired, os } = scene()
      const v = os.sysAllocOS(3 * page) as Address
      retired.see(v, 3 * page)
      retired[how](v, 2 * page)
      expect([retired.hasSeen(v, 2 * page), retired.hasSeen(v + 2 * page, page)]).toEqual([false, true])
    }
  })
})

describe('retired ranges', () => {
  it('are pairs in the order of their addresses, and neighbours are one pair whatever they are', () => {
    const { os, retired } = scene({ quarantine: { space: 8 * page, writable: Infinity } })
    const v = os.sysAllocOS(6 * page) as Address
    // Of 8 pages 4 may be in quarantine: the first one cools with the fifth.
    for (const at of [0, 1, 5, 3, 4]) retired.add(v + at * page, page)
    expect([retired.ranges(), retired.bytes]).toEqual([[v, 2 * page, v + 3 * page, 3 * page], 5 * page])
    expect([retired.reserve(2 * page), retired.reserve(page), retired.bytes]).toEqual([null, v, 4 * page])
  })

  it('may be as large as what the OS spares, and nothing may be where it spares nothing', () => {
    const { retired } = scene({ quarantine: { space: 4 * page, writable: Infinity } })
    expect([retired.mayRetire(4 * page), retired.mayRetire(5 * page)]).toEqual([true, false])
    expect(new Retired(new PageOS()).mayRetire(page)).toBe(false)
  })

  it('serve at the alignment that is asked, and what lies around stays retired', () => {
    const { os, retired } = scene()
    const v = os.sysAllocOS(8 * page) as Address
    expect(v % (8 * page)).toBe(0)
    retired.add(v + page, 7 * page)
    retired.cool()
    expect(retired.reserve(page, 8 * page)).toBe(null)
    expect(retired.reserve(5 * page, 4 * page)).toBe(null)
    expect(retired.reserve(2 * page, 4 * page)).toBe(v + 4 * page)
    expect([os.states(v + 4 * page, 2 * page), os.states(v + page, 3 * page)]).toEqual(['Reserved', 'Ready'])
    expect(retired.ranges()).toEqual([v + page, 3 * page, v + 6 * page, 2 * page])
    expect([retired.reserve(4 * page), retired.reserve(3 * page)]).toEqual([null, v + page])
  })

  it('serve an allocation from the first that is large enough, and a larger one that cools later', () => {
    const { retired, retire, os } = scene()
    const [small, gap, large] = [retire(2), os.sysAllocOS(page), retire(4)]
    expect(gap).not.toBe(null)
    retired.cool()
    expect([retired.alloc(3 * page), retired.alloc(2 * page), retired.alloc(2 * page)]).toEqual([large, small, null])
    expect(retire(5)).toBe(large + 4 * page)
    retired.cool()
    // It lies behind the page that is left of the large one, and both are one.
    expect([retired.alloc(5 * page), retired.bytes]).toEqual([large + 3 * page, page])
  })

  it('stay retired when the OS makes nothing of them, and no refusal is left for the next call', () => {
    const { os, retired, retire } = scene()
    const v = retire(2)
    retired.cool()
    os.retires = false
    os.fate = () => ({ hint: 'Wait.' })
    expect([retired.reserve(page), retired.alloc(page), os.refusal, retired.bytes]).toEqual([
      null,
      null,
      null,
      2 * page,
    ])
    os.retires = true
    os.fate = undefined
    expect([retired.alloc(2 * page), retired.bytes]).toEqual([v, 0])
  })

  it('cool and go on cooling after a time when there were none', () => {
    const { retired, retire } = scene()
    retired.cool()
    const v = retire(1)
    expect(retired.alloc(page)).toBe(null)
    retired.cool()
    expect(retired.alloc(page)).toBe(v)
  })

  it('all go back to the OS, in quarantine and cooled, and a second time there are none', () => {
    const { os, retired, retire } = scene({ quarantine: { space: 8 * page, writable: Infinity } })
    for (const pages of [3, 1, 2]) retire(pages)
    expect([retired.release(), retired.bytes, owned(os), retired.ranges()]).toEqual([true, 0, 0, []])
    expect(retired.release()).toBe(false)
  })

  it('that the OS does not take back are lost, and the others go back all the same', () => {
    for (const how of ['refuses', 'throws'] as const) {
      const { os, retired, retire } = scene()
      retire(1)
      os.sysAllocOS(page)
      retire(1)
      let frees = 0
      os.fate = (fn) => {
        if (fn !== 'sysFreeOS' || (frees += 1) > 1) return undefined
        return how === 'refuses' ? { hint: 'Wait.' } : (new Error('not now') as never)
      }
      expect([retired.release(), retired.bytes, os.refusal, owned(os)]).toEqual([true, 0, null, 2 * page])
    }
  })

  it('trap all of them when memory is short, which says whether any could be touched', () => {
    const { os, retired, retire } = scene({ quarantine: { space: Infinity, writable: 8 * page } })
    expect(retired.uncommit()).toBe(false)
    const [first, second] = [retire(2), retire(3)]
    expect([retired.uncommit(), os.states(first, 2 * page), os.states(second, 3 * page)]).toEqual([
      true,
      'Reserved',
      'Reserved',
    ])
    expect([retired.uncommit(), retired.bytes]).toEqual([false, 5 * page])
  })

  it('count as touchable while the OS does not let them trap', () => {
    const { os, retired, retire } = scene({ quarantine: { space: Infinity, writable: 8 * page } })
    retire(2)
    os.fate = () => ({ hint: 'Wait.' })
    expect([retired.uncommit(), os.refusal]).toEqual([false, null])
  })

  it('trap once they have cooled where little can be spared that is touchable', () => {
    const { os, retired, retire } = scene({ quarantine: { space: Infinity, writable: 8 * page } })
    const v = retire(2)
    expect(os.states(v, 2 * page)).toBe('Ready')
    retired.cool()
    expect(os.states(v, 2 * page)).toBe('Reserved')
    expect([retired.alloc(page), os.states(v, page), os.states(v + page, page)]).toEqual([v, 'Ready', 'Reserved'])
  })

  it('trap from the start when they are more than can be touched, by a single page', () => {
    const { os, retired, retire } = scene({ quarantine: { space: Infinity, writable: 2 * page } })
    const [most, more] = [retire(2), retire(3)]
    expect([os.states(most, 2 * page), os.states(more, 3 * page)]).toEqual(['Ready', 'Reserved'])
    // What traps already takes no place of what can be touched.
    expect([retired.uncommit(), os.states(most, 2 * page)]).toEqual([true, 'Reserved'])
  })

  it('are in quarantine up to half of the space, and beyond it the oldest serve', () => {
    const { retired, retire } = scene({ quarantine: { space: 8 * page, writable: Infinity } })
    const first = retire(2)
    retire(2)
    expect(retired.alloc(page)).toBe(null)
    retire(1)
    expect([retired.alloc(2 * page), retired.alloc(page)]).toEqual([first, null])
  })

  it('serve at once when a single one has more than half of the space', () => {
    const { retired, retire } = scene({ quarantine: { space: 8 * page, writable: Infinity } })
    const v = retire(5)
    expect(retired.alloc(5 * page)).toBe(v)
  })

  it('are asked of a frozen OS that tells no refusals', () => {
    const { os } = scene()
    const v = os.sysAllocOS(page) as Address
    const frozen = Object.freeze({ traits: os.traits, quarantine: os.quarantine, sysRetireOS: () => true })
    const retired = new Retired(frozen as never)
    expect(retired.retire(v, page, true)).toBe(true)
  })

  it('are never more than the space, and what is given back for it has cooled', () => {
    const { os, retired, retire } = scene({ quarantine: { space: 8 * page, writable: Infinity } })
    for (const pages of [4, 4, 1]) {
      retire(pages)
      os.sysAllocOS(page)
    }
    expect([retired.bytes, owned(os)]).toEqual([5 * page, 8 * page])
  })

  it('leave the quarantine one by one when they are more than its queue holds', () => {
    const { retired } = scene()
    for (let i = 1; i <= queuedMax; i++) retired.add(2 * i * page, page)
    expect(retired.reserve(page)).toBe(null)
    const { os, retired: other } = scene({ pages: 2, base: 2 * page })
    os.sysAllocOS(page)
    for (let i = 1; i <= queuedMax + 1; i++) other.add(2 * i * page, page)
    expect([other.alloc(page), other.alloc(page)]).toEqual([2 * page, null])
  })
})

describe('retired ranges of an OS that takes back whole reservations only', () => {
  const options: KeepingOSOptions = {
    traits: { freesParts: false },
    quarantine: { space: 8 * page, writable: 3 * page },
  }

  it('serve nothing: they go back to the OS when their quarantine ends', () => {
    const { os, retired, retire } = scene(options)
    const [first, second] = [retire(3), retire(2)]
    expect([os.states(first, 3 * page), os.states(second, 2 * page)]).toEqual(['None', 'Ready'])
    expect([retired.bytes, retired.alloc(page), retired.reserve(page)]).toEqual([2 * page, null, null])
    retired.cool()
    expect([retired.bytes, owned(os), retired.alloc(page)]).toEqual([0, 0, null])
  })

  it('trap when younger ranges take their place', () => {
    const { os, retired, retire } = scene(options)
    const [first, second] = [retire(2), retire(2)]
    expect([os.states(first, 2 * page), os.states(second, 2 * page)]).toEqual(['Reserved', 'Ready'])
    expect([retired.uncommit(), retired.uncommit(), os.states(second, 2 * page)]).toEqual([true, false, 'Reserved'])
  })

  it('go back once, also when a script ended after one of them was retired', () => {
    const { os, retired, retire } = scene(options)
    const v = retire(1)
    retired.addAgain(v, page)
    retired.recount()
    retired.cool()
    const frees = os.calls.filter((call) => call.startsWith('sysFreeOS'))
    expect([frees.length, retired.bytes, retired.ranges()]).toEqual([1, 0, []])
  })
})

describe('a script that ends while ranges are retired', () => {
  it('leaves a range that is retired after all, with its memory given back', () => {
    const { os, retired } = scene({ quarantine: { space: Infinity, writable: 2 * page } })
    const v = os.sysAllocOS(5 * page) as Address
    retired.addAgain(v, 2 * page)
    retired.addAgain(v + 2 * page, 3 * page)
    retired.recount()
    expect([retired.bytes, retired.ranges()]).toEqual([5 * page, [v, 5 * page]])
    expect([os.states(v, 2 * page), os.states(v + 2 * page, 3 * page)]).toEqual(['Ready', 'Reserved'])
    expect([retired.uncommit(), os.states(v, 2 * page)]).toEqual([true, 'Reserved'])
    retired.cool()
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
    return os.emptied
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

  it('begins again at the first address after the last', () => {
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
