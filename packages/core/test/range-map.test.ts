// A map of ranges, assignment by assignment: what each leaves, and where the cursor finds it.
import { testSeed } from '@memlayer/witness'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RangeMap } from '../src/ledger/range-map.js'
import { rangesOf, runsIn } from './range-map-runs.js'

fc.configureGlobal({ seed: testSeed() })

describe('a range map', () => {
  it('holds 0 everywhere to begin with', () => {
    const map = new RangeMap()
    expect(rangesOf(map)).toEqual([[0, Infinity, 0]])
    map.seek(2 ** 64 - 4096)
    expect([map.start, map.end, map.value]).toEqual([0, Infinity, 0])
    expect(map.next()).toBe(false)
  })

  // Each range is start-end=value. The first text is what is assigned, in order. The second is what there is then.
  it.each([
    ['apart', '10-20=1 30-40=1', '10-20=1 30-40=1'],
    ['touching and equal', '10-20=1 20-30=1', '10-30=1'],
    ['touching and different', '10-20=1 20-30=2', '10-20=1 20-30=2'],
    ['filling a gap between equals', '10-20=1 30-40=1 20-30=1', '10-40=1'],
    ['over the middle', '10-40=1 20-30=2', '10-20=1 20-30=2 30-40=1'],
    ['over the start', '10-40=1 5-20=2', '5-20=2 20-40=1'],
    ['over the end', '10-40=1 30-50=2', '10-30=1 30-50=2'],
    ['over several', '10-20=1 20-30=2 30-40=3 15-35=4', '10-15=1 15-35=4 35-40=3'],
    ['over all, exactly', '10-20=1 20-30=2 10-30=3', '10-30=3'],
    ['the same again', '10-20=1 10-20=1', '10-20=1'],
    ['a part of the same again', '10-20=1 12-18=1', '10-20=1'],
    ['growing at the start', '10-20=1 5-10=1', '5-20=1'],
    ['the head to the neighbour before', '10-20=1 20-30=2 20-25=1', '10-25=1 25-30=2'],
    ['the tail to the neighbour after', '10-20=1 20-30=2 15-20=2', '10-15=1 15-30=2'],
    ['gone', '10-20=1 10-20=0', ''],
    ['gone in the middle', '10-40=1 20-30=0', '10-20=1 30-40=1'],
    ['from address 0', '0-10=1 0-5=2', '0-5=2 5-10=1'],
    ['at the end of all addresses', `${2 ** 64 - 4096}-${2 ** 64}=1`, `${2 ** 64 - 4096}-${2 ** 64}=1`],
  ])('assigns ranges %s: %s gives %s', (_, assigned, expected) => {
    const map = new RangeMap()
    for (const [start, end, value] of runsIn(assigned)) map.assign(start, end - start, value)
    expect(rangesOf(map).filter(([, , value]) => value !== 0)).toEqual(runsIn(expected))
  })

  it('finds every address, wherever the cursor was before', () => {
    const map = new RangeMap()
    for (let i = 0; i < 1000; i++) map.assign(10 * i, 5, (i % 3) + 1)
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 9999 })), (addresses) => {
        for (const at of addresses) {
          map.seek(at)
          const i = Math.floor(at / 10)
          const isAssigned = at % 10 < 5
          const end = isAssigned ? 10 * i + 5 : i === 999 ? Infinity : 10 * i + 10
          expect([map.start, map.end, map.value]).toEqual([
            isAssigned ? 10 * i : 10 * i + 5,
            end,
            isAssigned ? (i % 3) + 1 : 0,
          ])
        }
      }),
    )
  })

  it('removes the idle boundaries that it passes', () => {
    const map = new RangeMap()
    map.assign(0, 10_000, 1)
    // With many ranges elsewhere, a hundred idle boundaries are few and stay.
    for (let at = 20_000; at < 20_400; at += 2) map.assign(at, 1, 1)
    for (let at = 1000; at < 1100; at += 2) {
      map.assign(at, 1, 2)
      expect(map.put(at, 1, 1)).toBe(true)
    }
    const before = map.size
    map.seek(500)
    expect(map.reaches(500, 9_000)).toBe(true)
    expect(before - map.size).toBe(100)
    expect([map.start, map.end, map.value]).toEqual([0, 10_000, 1])
  })

  it('changes a value in place where both ends have a boundary', () => {
    const map = new RangeMap()
    map.assign(10, 30, 1)
    expect(map.put(20, 10, 2)).toBe(false)
    map.assign(20, 10, 2)
    expect(map.size).toBe(5)
    for (let i = 0; i < 1000; i++) {
      expect(map.put(20, 10, 1)).toBe(true)
      expect([...rangesOf(map)]).toEqual([
        [0, 10, 0],
        [10, 40, 1],
        [40, Infinity, 0],
      ])
      expect(map.put(20, 10, 2)).toBe(true)
    }
    expect(map.size).toBe(5)
    // put refuses where a boundary is missing, or stands between.
    for (const [at, length] of [
      [10, 20],
      [20, 20],
      [20, 5],
      [25, 5],
      [15, 10],
    ] as const)
      expect(map.put(at, length, 3)).toBe(false)
    expect([...rangesOf(map)]).toEqual([
      [0, 10, 0],
      [10, 20, 1],
      [20, 30, 2],
      [30, 40, 1],
      [40, Infinity, 0],
    ])
  })
})
