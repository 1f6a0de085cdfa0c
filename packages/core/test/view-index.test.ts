// Where the views are, against a plain list of them: few are looked through, many are found by granule,
// and both find the same.
import { testSeed } from '@memlayer/witness'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ViewIndex, type ViewEntry } from '../src/view-index.js'

fc.configureGlobal({ seed: testSeed() })

const BASE = 0x7f12_3456_7000

let made = 0

function entry(start: number, size: number): ViewEntry {
  return { start: BASE + start, end: BASE + start + size, fresh: null, aged: null, place: (made += 1), next: null }
}

/** Which entries they are. They have no order, neither in the index nor in the list. */
function sorted(entries: readonly ViewEntry[]): number[] {
  return entries.map(({ place }) => place).toSorted((a, b) => a - b)
}

function touching(entries: readonly ViewEntry[], v: number, n: number): ViewEntry[] {
  return entries.filter(({ start, end }) => start < v + n && end > v)
}

// From a byte to what is longer than the first levels' granules.
const sizes = fc.oneof(fc.integer({ min: 1, max: 4096 }), fc.integer({ min: 1, max: 2 ** 20 }), fc.integer({ min: 1, max: 2 ** 34 }))
const starts = fc.oneof(fc.nat(8192), fc.nat(2 ** 22), fc.nat(2 ** 34))

describe('the index of views', () => {
  it.each([
    ['few', 6],
    ['as many as are few, and one more', 10],
    ['many', 120],
  ])('finds what a list of all finds: %s', (_, most) => {
    const step = fc.record({ start: starts, size: sizes, drop: fc.boolean(), which: fc.nat(), v: starts, n: sizes })
    fc.assert(
      fc.property(fc.array(step, { minLength: most, maxLength: 3 * most, size: 'max' }), (steps) => {
        const index = new ViewIndex()
        const all: ViewEntry[] = []
        for (const { start, size, drop, which, v, n } of steps) {
          if (all.length === most || (drop && all.length > 0)) {
            const [gone] = all.splice(which % all.length, 1)
            index.delete(gone as ViewEntry)
            // Whoever collects it later forgets it again.
            index.delete(gone as ViewEntry)
          } else {
            const one = entry(start, size)
            all.push(one)
            index.add(one)
          }
          expect(index.size).toBe(all.length)
          expect(index.bytes).toBe(all.reduce((sum, one) => sum + one.end - one.start, 0))
          expect(sorted(index.touching(BASE + v, n))).toEqual(sorted(touching(all, BASE + v, n)))
        }
        for (const one of all) index.delete(one)
        expect([index.size, index.bytes, index.touching(0, 2 ** 52)]).toEqual([0, 0, []])
      }),
      { numRuns: 100 },
    )
  })

  it('looks through no more than it holds, however long the range', () => {
    const index = new ViewIndex()
    const all = Array.from({ length: 20 }, (_, i) => entry(i * 2 ** 30, 4096))
    for (const one of all) index.add(one)
    expect(sorted(index.touching(0, 2 ** 53 - 1))).toEqual(sorted(all))
    expect(index.touching(BASE + 4096, 2 ** 30 - 4096)).toEqual([])
    expect(index.touching(BASE + 4096, 2 ** 30 - 4095)).toEqual([all[1]])
  })
})
