// Tests the ledger by itself: its contents, its size and its answers. The wrappers' tests compare it with the
// operations.
import { describe, expect, it } from 'vitest'
import { Gauge } from '../src/ledger/gauge.js'
import { Ledger } from '../src/ledger/ledger.js'
import {
  categoryOf,
  FROM_MAPPED,
  FROM_OWNED,
  FROM_READY,
  FROM_RESERVED,
  nameOfState,
  pack,
  PREPARED,
  READY,
  RESERVED,
} from '../src/ledger/states.js'

const page = 4096

/** Makes a ledger of ten pages from 0x10000: two Reserved, three Prepared for 1, two Ready for 1, three Ready for 2. */
function ledger(): Ledger {
  const made = new Ledger(true)
  made.enter('sysReserve', 0x10000, 10 * page, RESERVED, 0)
  made.assign(0x10000 + 2 * page, 5 * page, PREPARED, 1)
  made.move(0x10000 + 5 * page, 2 * page, READY)
  made.assign(0x10000 + 7 * page, 3 * page, PREPARED, 2)
  made.move(0x10000 + 7 * page, 3 * page, READY)
  return made
}

const at = (pages: number): number => 0x10000 + pages * page

describe('a ledger', () => {
  it('sums bytes by category and state, and keeps peaks', () => {
    const made = ledger()
    expect([made.bytes(0, RESERVED), made.bytes(1, PREPARED), made.bytes(1, READY), made.bytes(2, READY)]).toEqual([
      2 * page,
      3 * page,
      2 * page,
      3 * page,
    ])
    expect([made.peak(0), made.peak(1), made.peak(2), made.totalPeak]).toEqual([0, 2 * page, 3 * page, 5 * page])
    made.move(at(5), 5 * page, PREPARED)
    expect([made.bytes(1, PREPARED), made.bytes(2, PREPARED), made.bytes(1, READY)]).toEqual([5 * page, 3 * page, 0])
    expect([made.peak(1), made.peak(2), made.totalPeak]).toEqual([2 * page, 3 * page, 5 * page])
    expect(made.audit(String)).toBe(null)
  })

  it('tells the state and the category of a part of a page, and of a page that is not owned', () => {
    const parts = [0, 2, 4, 5, 6.5, 9, 10].map((pages) => ledger().within(at(pages), 1)[0]?.packed ?? NaN)
    expect(parts.map(nameOfState)).toEqual(['Reserved', 'Prepared', 'Prepared', 'Ready', 'Ready', 'Ready', 'None'])
    expect(parts.map(categoryOf)).toEqual([0, 1, 1, 1, 1, 2, 0])
  })

  it('lists its ranges in order of address, and the parts of a range', () => {
    const made = ledger()
    expect([...made.ranges()]).toEqual([
      { address: at(0), size: 2 * page, packed: pack(RESERVED, 0) },
      { address: at(2), size: 3 * page, packed: pack(PREPARED, 1) },
      { address: at(5), size: 2 * page, packed: pack(READY, 1) },
      { address: at(7), size: 3 * page, packed: pack(READY, 2) },
    ])
    expect(made.within(at(4), 4 * page)).toEqual([
      { address: at(4), size: page, packed: pack(PREPARED, 1) },
      { address: at(5), size: 2 * page, packed: pack(READY, 1) },
      { address: at(7), size: page, packed: pack(READY, 2) },
    ])
  })

  it('accepts a range only if all of it is in the expected states', () => {
    const made = ledger()
    const passes = (from: number, pages: number, states: number): boolean => {
      try {
        made.expect('sysUsed', at(from), pages * page, states)
        return true
      } catch {
        return false
      }
    }
    expect(passes(0, 2, FROM_RESERVED)).toBe(true)
    expect(passes(0, 3, FROM_RESERVED)).toBe(false)
    expect(passes(2, 8, FROM_MAPPED)).toBe(true)
    expect(passes(1, 9, FROM_MAPPED)).toBe(false)
    expect(passes(5, 5, FROM_READY)).toBe(true)
    expect(passes(4, 6, FROM_READY)).toBe(false)
    expect(passes(0, 10, FROM_OWNED)).toBe(true)
    expect(passes(0, 11, FROM_OWNED)).toBe(false)
    expect(passes(-1, 2, FROM_OWNED)).toBe(false)
  })

  it('counts a mapping for each run that the kernel can’t join, across categories', () => {
    const made = ledger()
    expect(made.mappings()).toBe(2)
    made.move(at(3), page, RESERVED)
    expect(made.mappings()).toBe(4)
    made.assign(at(8), page, 0, 0)
    expect(made.mappings()).toBe(5)
    made.assign(at(0), 8 * page, 0, 0)
    made.assign(at(9), page, 0, 0)
    expect(made.mappings()).toBe(0)
  })

  it('counts each huge page with mapped memory once, and skips reserved ones', () => {
    const made = ledger()
    // The pages from 0x12000 to 0x1a000 are Prepared or Ready.
    expect([page, 2 * page, 4 * page, 16 * page, 0].map((huge) => made.hugePagesMapped(huge))).toEqual([8, 4, 3, 1, 0])
    made.move(at(4), page, RESERVED)
    expect([page, 2 * page, 4 * page].map((huge) => made.hugePagesMapped(huge))).toEqual([7, 4, 3])
    made.assign(at(0), 10 * page, 0, 0)
    expect(made.hugePagesMapped(page)).toBe(0)
  })

  it('knows where a free may split a mapping: between two neighbours that may be in the mapping', () => {
    const made = ledger()
    const inside = (from: number, pages: number): boolean => made.isInside(at(from), pages * page, page)
    expect([inside(3, 1), inside(5, 2), inside(3, 6), inside(1, 2)]).toEqual([true, true, true, true])
    expect([inside(0, 1), inside(8, 2), inside(0, 10)]).toEqual([false, false, false])
    made.move(at(2), page, READY)
    expect([inside(2, 1), inside(1, 1), inside(2, 2), inside(3, 1)]).toEqual([false, false, false, true])
  })

  it('finds owned bytes without a reservation in its audit, and missing bytes of a reservation', () => {
    const made = new Ledger(false)
    made.enter('sysReserve', at(0), 10 * page, RESERVED, 0)
    expect(made.audit(String)).toBe(null)
    made.assign(at(4), page, 0, 0)
    expect(made.audit(String)).toBe('the reservation at 0x10000 is not owned from 0x14000 on')
    made.assign(at(0), 4 * page, 0, 0)
    expect(made.audit(String)).toBe(`the reservations have 0 bytes, but the owned ranges have ${5 * page}`)
  })

  it('finds wrong sums in its audit, and counts them anew from the ranges', () => {
    const made = ledger()
    const words = new Int32Array(4)
    made.gauge.publishTo(words, 2)
    // A script ended between the change of the ranges and the change of the sums.
    made.force(at(2), page, READY)
    expect(made.audit((category) => `c${category}`)).toBe(
      `category 'c1' counts ${3 * page} bytes Prepared, but its ranges have ${2 * page}`,
    )
    made.recount()
    expect(made.audit(String)).toBe(null)
    expect([made.bytes(1, PREPARED), made.bytes(1, READY), made.ready]).toEqual([2 * page, 3 * page, 6 * page])
    expect([...words]).toEqual([0, 0, 6, 0])
    expect(made.totalPeak).toBe(5 * page)
  })

  it('changes with a forced change its version, and leaves what it does not own', () => {
    const made = ledger()
    const { version } = made
    made.force(at(8), 4 * page, PREPARED)
    expect(made.version).not.toBe(version)
    expect(made.within(at(7), 4 * page).map(({ packed }) => packed)).toEqual([pack(READY, 2), pack(PREPARED, 2), 0])
  })

  it('forgets reservations of which nothing is left, when it counts anew', () => {
    const made = new Ledger(false)
    for (const pages of [0, 4, 8]) made.enter('sysReserve', at(pages), 4 * page, RESERVED, 0)
    made.force(at(2), 6 * page, 0)
    made.recount()
    expect(() => made.expectWhole('sysFree', at(4), 4 * page)).toThrow('sysFree')
    made.expectWhole('sysFree', at(8), 4 * page)
    made.expectWhole('sysFree', at(0), 4 * page)
  })

  it('has room for any number of categories', () => {
    const made = new Ledger(true)
    made.enter('sysAlloc', at(0), page, READY, 5000)
    expect([made.bytes(5000, READY), made.peak(5000)]).toEqual([page, page])
    for (const category of [9999, 50_000]) expect([made.bytes(category, READY), made.peak(category)]).toEqual([0, 0])
    expect(made.audit(String)).toBe(null)
  })

  it('refuses a range that overlaps one of its ranges, from either side', () => {
    const made = ledger()
    for (const [from, pages] of [
      [-1, 2],
      [9, 2],
      [3, 1],
      [-1, 12],
      [0, 10],
    ] as const) {
      expect(() => made.enter('sysReserve', at(from), pages * page, RESERVED, 0)).toThrow(
        'this memory owns a part of that already',
      )
    }
    expect([...made.ranges()]).toHaveLength(4)
    made.enter('sysReserve', at(-1), page, RESERVED, 0)
    made.enter('sysReserve', at(10), page, RESERVED, 0)
    expect(made.audit(String)).toBe(null)
  })
})

describe('the questions of a ledger', () => {
  it('about what is Ready are answered to the byte', () => {
    const made = ledger()
    expect([made.ready, made.readyIn(at(0), 10 * page), made.readyIn(at(6), 2 * page)]).toEqual([
      5 * page,
      5 * page,
      2 * page,
    ])
    expect([made.readyIn(at(3), 3 * page), made.readyIn(at(0), 5 * page), made.readyIn(at(9), 5 * page)]).toEqual([
      page,
      0,
      page,
    ])
    expect(made.readyOf(at(5), page, pack(READY, 1))).toBe(page)
    expect(made.readyOf(at(2), page, pack(PREPARED, 1))).toBe(0)
    expect(made.readyOf(at(4), 2 * page, -1)).toBe(page)
  })

  it('about one state and one category are answered for all of a range', () => {
    const made = ledger()
    expect([made.isPrepared(at(2), 3 * page), made.isPrepared(at(2), 4 * page), made.isPrepared(at(5), page)]).toEqual([
      true,
      false,
      false,
    ])
    expect([made.isPrepared(at(0), page), made.isPrepared(at(20), page)]).toEqual([false, false])
    expect([made.categoryOf(pack(READY, 2), at(5)), made.categoryOf(-1, at(5)), made.categoryOf(-1, at(8))]).toEqual([
      2, 1, 2,
    ])
  })

  it('about a run are answered within the bounds that are given', () => {
    const made = ledger()
    expect(made.runAt(at(3), at(0), at(10))).toEqual([at(2), at(5)])
    expect(made.runAt(at(3), at(3), at(4))).toEqual([at(3), at(4)])
    expect(made.runAt(at(8), at(1), at(20))).toEqual([at(7), at(10)])
  })

  it('about all ranges are answered as a list, with the names of categories', () => {
    expect(ledger().list((category) => `c${category}`)).toEqual([
      { address: at(0), size: 2 * page, state: 'Reserved', category: null },
      { address: at(2), size: 3 * page, state: 'Prepared', category: 'c1' },
      { address: at(5), size: 2 * page, state: 'Ready', category: 'c1' },
      { address: at(7), size: 3 * page, state: 'Ready', category: 'c2' },
    ])
    expect(new Ledger(true).list(String)).toEqual([])
  })

  it('about huge pages count each of them once, also those that several ranges lie in', () => {
    const made = new Ledger(true)
    const huge = 4 * page
    made.enter('sysAlloc', at(1), page, READY, 0)
    made.enter('sysAlloc', at(3), 2 * page, READY, 0)
    made.enter('sysAlloc', at(6), page, PREPARED, 0)
    made.enter('sysReserve', at(12), 8 * page, RESERVED, 0)
    expect([made.hugePagesMapped(huge), made.hugePagesMapped(page), made.hugePagesMapped(0)]).toEqual([2, 4, 0])
  })

  it('about peaks are answered by category, and forgotten with the category', () => {
    const made = ledger()
    made.move(at(5), 5 * page, PREPARED)
    made.move(at(7), page, READY)
    expect([made.peak(2), made.totalPeak, made.peak(99), made.bytes(99, READY)]).toEqual([3 * page, 5 * page, 0, 0])
    made.forgetPeak(2)
    expect([made.peak(1), made.peak(2)]).toEqual([2 * page, 0])
    made.forgetPeak(99)
    expect(made.peak(99)).toBe(0)
  })

  it('about what changed are answered by a version and a gauge for other threads', () => {
    const words = new Int32Array(4)
    const made = ledger()
    made.gauge.publishTo(words, 2)
    const { version } = made
    made.move(at(2), page, READY)
    expect([made.version === version, words[2]]).toEqual([false, 6])
    const next = made.version
    made.force(at(2), page, RESERVED)
    expect(made.version).not.toBe(next)
    made.recount()
    expect([made.ready, words[2], made.audit(String)]).toEqual([5 * page, 5, null])
  })
})

describe('a whole reservation', () => {
  it('is freed as it was reserved, where the OS frees no parts', () => {
    const made = new Ledger(false)
    made.enter('sysReserve', at(0), 4 * page, RESERVED, 0)
    made.enter('sysReserve', at(4), 2 * page, RESERVED, 0)
    made.expectWhole('sysFree', at(0), 4 * page)
    for (const [from, pages] of [
      [0, 3],
      [0, 6],
      [1, 3],
      [2, 2],
    ] as const)
      expect(() => made.expectWhole('sysFree', at(from), pages * page)).toThrow(
        expect.objectContaining({ code: 'ERR_MEMLAYER_RESERVATION', op: 'sysFree' }),
      )
    made.assign(at(0), 4 * page, 0, 0)
    expect(() => made.expectWhole('sysFree', at(0), 4 * page)).toThrow(
      expect.objectContaining({ code: 'ERR_MEMLAYER_RESERVATION' }),
    )
    made.force(at(4), 2 * page, 0)
    expect(() => made.expectWhole('sysFree', at(4), 2 * page)).toThrow(
      expect.objectContaining({ code: 'ERR_MEMLAYER_RESERVATION' }),
    )
    new Ledger(true).expectWhole('sysFree', at(1), page)
  })

  it('is entered at an address that is a whole page, once', () => {
    const made = new Ledger(true, page)
    for (const wrong of [NaN, -page, 0.5, page + 1])
      expect(() => made.enter('sysReserve', wrong, page, RESERVED, 0)).toThrow()
    made.enter('sysReserve', at(1), 2 * page, RESERVED, 0)
    for (const [from, pages] of [
      [0, 2],
      [0, 9],
      [1, 1],
      [2, 2],
    ] as const)
      expect(() => made.enter('sysReserve', at(from), pages * page, RESERVED, 0)).toThrow()
    made.enter('sysReserve', at(3), page, RESERVED, 0)
    made.enter('sysReserve', at(0), page, RESERVED, 0)
    expect([...made.ranges()]).toHaveLength(1)
  })
})

describe('a range of several states', () => {
  it('moves part by part, each in its category, and is assigned to one', () => {
    const made = ledger()
    made.move(at(3), 6 * page, PREPARED)
    expect(made.list(String).map(({ size, state, category }) => [size / page, state, category])).toEqual([
      [2, 'Reserved', null],
      [5, 'Prepared', '1'],
      [2, 'Prepared', '2'],
      [1, 'Ready', '2'],
    ])
    made.assign(at(0), 10 * page, RESERVED, 3)
    expect([made.bytes(3, RESERVED), made.ready, made.audit(String)]).toEqual([10 * page, 0, null])
  })

  it('may be freed with one stat where what is counted in it is of that one alone', () => {
    const made = ledger()
    const check = (from: number, pages: number, category: number): void =>
      made.expectCategory('sysFree', at(from), pages * page, -1, category, (one) => `c${one}`)
    check(0, 7, 1)
    check(0, 2, 2)
    check(7, 3, 2)
    for (const [from, pages, category] of [
      [0, 10, 1],
      [5, 5, 2],
      [2, 1, 2],
    ] as const)
      expect(() => check(from, pages, category)).toThrow(expect.objectContaining({ code: 'ERR_MEMLAYER_STAT' }))
    expect(() => made.expectCategory('sysFree', at(7), page, pack(READY, 2), 1, String)).toThrow()
    made.expectCategory('sysFree', at(7), page, pack(READY, 2), 2, String)
    made.expectCategory('sysFree', at(0), page, pack(RESERVED, 0), 2, String)
  })
})

describe('a gauge', () => {
  it('tells whole pages, rounded up, and no more than a word holds', () => {
    const words = new Int32Array(2)
    const gauge = new Gauge()
    gauge.set(5)
    gauge.publishTo(words, 1)
    for (const [bytes, told] of [
      [0, 0],
      [1, 1],
      [page, 1],
      [page + 1, 2],
      [2 ** 52, 2 ** 31 - 1],
    ] as const) {
      gauge.set(bytes)
      expect([...words]).toEqual([0, told])
    }
  })
})
