// Compares the index of views with a plain list. The index searches few views one by one and finds many by granule.
// Both ways must find the same views.
import { testSeed } from '@memlayer/witness'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { RangeIndex, type Found, type IndexEntry } from '../src/borrows/range-index.js'

fc.configureGlobal({ seed: testSeed() })

const BASE = 0x7f12_3456_7000

// The number of the next entry. The tests compare entries by number, because two entries may have equal ranges, and an
// entry links to others.
let made = 0

interface Numbered extends IndexEntry<Numbered> {
  readonly place: number
}

function entry(start: number, size: number): Numbered {
  return {
    start: BASE + start,
    end: BASE + start + size,
    place: made++,
    next: null,
    previous: null,
    isIn: false,
  }
}

function listOf(found: Found<Numbered> | null): Numbered[] {
  const list: Numbered[] = []
  for (let at = found; at !== null; at = at.next) list.push(at.entry)
  return list
}

/** Returns the entries' numbers, sorted, because neither the index nor the list has an order. */
function which(entries: readonly Numbered[] | Found<Numbered> | null): number[] {
  return (Array.isArray(entries) ? (entries as readonly Numbered[]) : listOf(entries as Found<Numbered> | null))
    .map(({ place }) => place)
    .toSorted((a, b) => a - b)
}

function touching(entries: readonly Numbered[], v: number, n: number): Numbered[] {
  return entries.filter(({ start, end }) => start < v + n && end > v)
}

// Sizes from one byte to more than the granules of the first levels.
const sizes = fc.oneof(
  fc.integer({ min: 1, max: 4096 }),
  fc.integer({ min: 1, max: 2 ** 20 }),
  fc.integer({ min: 1, max: 2 ** 34 }),
)
const starts = fc.oneof(fc.nat(8192), fc.nat(2 ** 22), fc.nat(2 ** 34))

describe('the index of views', () => {
  it('finds an entry at the first byte of a granule, for a range of that byte alone', () => {
    const index = new RangeIndex<Numbered>()
    const granule = 2 ** 16
    // More than a list has, each at the start of a granule of its own.
    const entries = Array.from({ length: 12 }, (_, i) => entry((i + 1) * granule - (BASE % granule), 16))
    for (const one of entries) index.add(one)
    for (const one of entries) {
      expect(one.start % granule).toBe(0)
      expect(which(index.touching(one.start, 1))).toEqual([one.place])
      expect(which(index.touching(one.start - 1, 1))).toEqual([])
      expect(which(index.touching(one.end - 1, 1))).toEqual([one.place])
      expect(which(index.touching(one.end, 1))).toEqual([])
    }
  })

  it.each([
    ['few', 6],
    ['just more than few', 10],
    ['many', 120],
  ])('finds the same entries as a list, with %s entries', (_, entriesMax) => {
    const step = fc.record({ start: starts, size: sizes, drop: fc.boolean(), pick: fc.nat(), v: starts, n: sizes })
    fc.assert(
      fc.property(fc.array(step, { minLength: entriesMax, maxLength: 3 * entriesMax, size: 'max' }), (steps) => {
        const index = new RangeIndex<Numbered>()
        const all: Numbered[] = []
        const dropped: Numbered[] = []
        for (const { start, size, drop, pick, v, n } of steps) {
          if (all.length === entriesMax || (drop && all.length > 0)) {
            const gone = all.splice(pick % all.length, 1)[0] as Numbered
            index.delete(gone)
            dropped.push(gone)
            // The collector may delete an entry again, at once or later.
            index.delete(gone)
            index.delete(dropped[pick % dropped.length] as Numbered)
          } else {
            const one = entry(start, size)
            all.push(one)
            index.add(one)
          }
          expect(index.size).toBe(all.length)
          expect(index.bytes).toBe(all.reduce((sum, one) => sum + one.end - one.start, 0))
          expect(which(index.touching(BASE + v, n))).toEqual(which(touching(all, BASE + v, n)))
        }
        for (const one of all) index.delete(one)
        expect([index.size, index.bytes, index.touching(0, 2 ** 52)]).toEqual([0, 0, null])
      }),
      { numRuns: 100 },
    )
  })

  it('searches at most its own entries, for a range of any length', () => {
    const index = new RangeIndex<Numbered>()
    const entries = Array.from({ length: 20 }, (_, i) => entry(i * 2 ** 30, 4096))
    for (const one of entries) index.add(one)
    expect(which(index.touching(0, 2 ** 53 - 1))).toEqual(which(entries))
    expect(index.touching(BASE + 4096, 2 ** 30 - 4096)).toBe(null)
    expect(which(index.touching(BASE + 4096, 2 ** 30 - 4095))).toEqual(which(entries.slice(1, 2)))
  })

  it.each<{ name: string; order: (entries: Numbered[]) => Numbered[] }>([
    { name: 'in their order', order: (entries) => entries },
    { name: 'in reverse order', order: (entries) => entries.toReversed() },
    {
      name: 'from both ends',
      order: (entries) => entries.map((_, i) => entries.at(i % 2 === 0 ? i / 2 : -(i + 1) / 2) as Numbered),
    },
  ])('deletes thousands of entries of one granule without a search: $name', ({ order }) => {
    // A search from the first entry would take 2,000,000 steps in one of these orders.
    let steps = 0
    const entries = Array.from({ length: 2000 }, (_, i) => countSteps(entry(8 * i, 8), () => void steps++))
    const index = new RangeIndex<Numbered>()
    for (const one of entries) index.add(one)
    for (const one of order(entries)) index.delete(one)
    for (const one of entries) index.delete(one)
    expect([index.size, index.bytes, index.touching(0, 2 ** 52)]).toEqual([0, 0, null])
    expect(steps).toBeLessThan(20 * entries.length)
  })

  it.each([
    ['one page', (_: number) => [0, 8]],
    ['the next page', (_: number) => [7 * 4096 + 8, 8]],
    ['two pages', (i: number) => [5 * 4096 + (i % 4000), 4096 + 8]],
    ['all other pages', (i: number) => [((i % 7) + 9) * 4096 - 4096 * ((i & 1) * 9), 4096]],
  ] as [string, (i: number) => [number, number]][])(
    'looks at no entry of %s for an operation on another',
    (_, place) => {
      let steps = 0
      const index = new RangeIndex<Numbered>()
      // The base is not at a multiple of 64 KiB, and is one of the page.
      for (let i = 0; i < 40_000; i++) {
        const [start, size] = place(i)
        if (start < 8 * 4096 && start + size > 8 * 4096) continue
        if (start >= 8 * 4096 && start < 9 * 4096) continue
        index.add(countSteps(entry(start, size), () => void steps++))
      }
      steps = 0
      expect(index.size).toBeGreaterThan(20_000)
      expect(index.touching(BASE + 8 * 4096, 4096)).toBe(null)
      expect(steps).toBe(0)
    },
  )

  it('finds every entry that it has, where scripts end inside of its calls', () => {
    const { set, delete: remove } = Map.prototype
    let ends: 'before' | 'after' | null = null
    const end = (): never => {
      ends = null
      throw new Error('the script ends')
    }
    /** A call of the engine that a script may end in, before or after its effect. */
    const ending = <A extends unknown[], R>(call: (...args: A) => R) =>
      function (this: unknown, ...args: A): R {
        if (ends === 'before') end()
        const answer = call.apply(this, args)
        return ends === 'after' ? end() : answer
      }
    const steps = fc.array(
      fc.record({ at: fc.nat(40), start: fc.nat(60), end: fc.constantFrom('before', 'after', null, null) }),
      { minLength: 40, maxLength: 200 },
    )
    Object.assign(Map.prototype, { set: ending(set), delete: ending(remove) })
    try {
      fc.assert(
        fc.property(steps, (all) => {
          const index = new RangeIndex<Numbered>()
          const known: Numbered[] = []
          for (let i = 0; i < 9; i++) known.push(entry(i, 8))
          for (const one of known) index.add(one)
          for (const { at, start, end: how } of all) {
            const old = known[at]
            ends = how
            try {
              if (old === undefined) {
                const one = entry(start, 8)
                index.add(one)
                known.push(one)
              } else {
                index.delete(old)
                known.splice(at, 1)
              }
            } catch {
              // What was being taken out is asked for once more, and is gone then.
              if (old !== undefined) index.delete(known.splice(at, 1)[0] as Numbered)
            }
            ends = null
            const found = new Set(listOf(index.touching(0, 2 ** 52)))
            for (const one of known) if (!found.has(one)) throw new Error(`${one.place} is lost`)
            if (old !== undefined && found.has(old)) throw new Error(`${old.place} is there still`)
            if (index.size < found.size) throw new Error('the count is too low')
          }
        }),
        { numRuns: 300 },
      )
    } finally {
      Object.assign(Map.prototype, { set, delete: remove })
    }
  })
})

/** Makes an entry that calls `step` on each read of its links. */
function countSteps(one: Numbered, step: () => void): Numbered {
  let { next, previous } = one
  return Object.defineProperties(one, {
    next: {
      get: () => (step(), next),
      set(other: Numbered | null) {
        next = other
      },
    },
    previous: {
      get: () => (step(), previous),
      set(other: Numbered | null) {
        previous = other
      },
    },
  })
}

describe('an index of eight and nine', () => {
  it('shows no entry to a setter that other code has put on arrays', () => {
    const shown: unknown[] = []
    const arrays: object = Array.prototype
    const set = (value: unknown): void => {
      shown.push(value)
    }
    const index = new RangeIndex<Numbered>()
    const entries = Array.from({ length: 9 }, (_, i) => entry(i * 4096, 8))
    for (const at of [7, 8]) {
      Reflect.defineProperty(arrays, at, { configurable: true, set })
    }
    try {
      for (const one of entries) index.add(one)
    } finally {
      for (const at of [7, 8]) Reflect.deleteProperty(arrays, at)
    }
    expect(shown).toEqual([])
    expect(which(index.touching(BASE, 9 * 4096))).toEqual(which(entries))
  })
})

describe('an index of many', () => {
  it('finds an entry that goes also where its link back is lost or is another one, because that is a hint', () => {
    const index = new RangeIndex<Numbered>()
    const entries = Array.from({ length: 20 }, (_, i) => entry(8 * i, 8))
    for (const one of entries) index.add(one)
    const [lost, wrong] = [entries[5], entries[9]] as [Numbered, Numbered]
    lost.previous = null
    wrong.previous = entries[2] as Numbered
    for (const one of [lost, wrong]) index.delete(one)
    expect([index.size, which(index.touching(BASE, 4096))]).toEqual([
      18,
      which(entries.filter((one) => one !== lost && one !== wrong)),
    ])
    index.delete(lost)
    expect([index.size, index.bytes]).toEqual([18, 18 * 8])
  })

  it('walks over no more than the places around a page, however many others there are', () => {
    const index = new RangeIndex<Numbered>()
    for (let i = 0; i < 500; i++) index.add(entry(i * 2 ** 16, 8))
    const [gets, walks] = [vi.spyOn(Map.prototype, 'get'), vi.spyOn(Map.prototype, 'values')]
    const found = index.touching(BASE + 100 * 2 ** 16, 4096)
    const asked = [gets.mock.calls.length, walks.mock.calls.length]
    vi.restoreAllMocks()
    expect(asked[1]).toBe(0)
    expect(asked[0]).toBeLessThan(4)
    expect(which(found)).toHaveLength(1)
  })

  it('looks at no entry of the page behind the one that is asked for', () => {
    let steps = 0
    const index = new RangeIndex<Numbered>()
    const at = 2 * 4096
    for (let i = 0; i < 64; i++) index.add(countSteps(entry(at + 4096 + 8 * i, 8), () => void steps++))
    steps = 0
    expect(index.touching(BASE + at, 4096)).toBe(null)
    expect(steps).toBe(0)
    expect(which(index.touching(BASE + at, 4097))).toHaveLength(1)
  })
})
