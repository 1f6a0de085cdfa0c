// The map of ranges against a plain array with one cell an address: the same at every step, with no more
// boundaries than it says it may have, and no more memory than they need.
import { runChild, testSeed } from '@memlayer/witness'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RangeMap } from '../src/ledger/range-map.js'

fc.configureGlobal({ seed: testSeed() })

/** Idle boundaries that a map has at any time, few as the others may be. */
const MOST_IDLE = 2 * 64

type Run = [start: number, end: number, value: number]

/** Every range of the map, walked with the cursor alone. */
function rangesOf(map: RangeMap): Run[] {
  const runs: Run[] = []
  map.seek(0)
  do runs.push([map.start, map.end, map.value])
  while (map.next())
  return runs
}

/** The same of the array: neighbours that are equal are one. */
function runsOf(cells: Int32Array): Run[] {
  const runs: Run[] = []
  cells.forEach((value, at) => {
    const last = runs.at(-1)
    if (last?.[2] === value) last[1] = at + 1
    else runs.push([at, at + 1, value])
  })
  const last = runs.at(-1)
  if (last?.[2] === 0) last[1] = Infinity
  else runs.push([cells.length, Infinity, 0])
  return runs
}

function expectSame(map: RangeMap, cells: Int32Array): void {
  const runs = runsOf(cells)
  expect(rangesOf(map)).toEqual(runs)
  expect(map.size).toBe(runs.length)
}

/** The same where boundaries may be idle: found from any address, from any place of the cursor, and never many. */
function expectSameFrom(map: RangeMap, cells: Int32Array, at: number): void {
  const runs = runsOf(cells)
  expect(rangesOf(map)).toEqual(runs)
  expect(map.size).toBeLessThanOrEqual(2 * runs.length + MOST_IDLE)
  const [start, end, value] = runs.find((run) => run[1] > at) as Run
  map.seek(at)
  expect([map.value, map.end, map.endBy(at + 5), map.endBy(Infinity)]).toEqual([value, end, Math.min(end, at + 5), end])
  expect(map.start).toBe(start)
  map.seek(at)
  const length = Math.min(end, cells.length) - at
  if (length === 0) return
  expect([map.reaches(at, length), map.value, map.reaches(at, length + 1), map.value]).toEqual([
    true,
    value,
    end === Infinity,
    value,
  ])
  expect(rangesOf(map)).toEqual(runs)
}

describe('a range map', () => {
  it('holds 0 everywhere to begin with', () => {
    const map = new RangeMap()
    expect(rangesOf(map)).toEqual([[0, Infinity, 0]])
    map.seek(2 ** 64 - 4096)
    expect([map.start, map.end, map.value]).toEqual([0, Infinity, 0])
    expect(map.next()).toBe(false)
  })

  it.each([
    [
      'apart',
      [
        [10, 20, 1],
        [30, 40, 1],
      ],
      [
        [10, 20, 1],
        [30, 40, 1],
      ],
    ],
    [
      'touching and equal',
      [
        [10, 20, 1],
        [20, 30, 1],
      ],
      [[10, 30, 1]],
    ],
    [
      'touching and different',
      [
        [10, 20, 1],
        [20, 30, 2],
      ],
      [
        [10, 20, 1],
        [20, 30, 2],
      ],
    ],
    [
      'filling a gap between equals',
      [
        [10, 20, 1],
        [30, 40, 1],
        [20, 30, 1],
      ],
      [[10, 40, 1]],
    ],
    [
      'over the middle',
      [
        [10, 40, 1],
        [20, 30, 2],
      ],
      [
        [10, 20, 1],
        [20, 30, 2],
        [30, 40, 1],
      ],
    ],
    [
      'over the start',
      [
        [10, 40, 1],
        [5, 20, 2],
      ],
      [
        [5, 20, 2],
        [20, 40, 1],
      ],
    ],
    [
      'over the end',
      [
        [10, 40, 1],
        [30, 50, 2],
      ],
      [
        [10, 30, 1],
        [30, 50, 2],
      ],
    ],
    [
      'over several',
      [
        [10, 20, 1],
        [20, 30, 2],
        [30, 40, 3],
        [15, 35, 4],
      ],
      [
        [10, 15, 1],
        [15, 35, 4],
        [35, 40, 3],
      ],
    ],
    [
      'over all, exactly',
      [
        [10, 20, 1],
        [20, 30, 2],
        [10, 30, 3],
      ],
      [[10, 30, 3]],
    ],
    [
      'the same again',
      [
        [10, 20, 1],
        [10, 20, 1],
      ],
      [[10, 20, 1]],
    ],
    [
      'a part of the same again',
      [
        [10, 20, 1],
        [12, 18, 1],
      ],
      [[10, 20, 1]],
    ],
    [
      'growing at the start',
      [
        [10, 20, 1],
        [5, 10, 1],
      ],
      [[5, 20, 1]],
    ],
    [
      'the head to the neighbour before',
      [
        [10, 20, 1],
        [20, 30, 2],
        [20, 25, 1],
      ],
      [
        [10, 25, 1],
        [25, 30, 2],
      ],
    ],
    [
      'the tail to the neighbour after',
      [
        [10, 20, 1],
        [20, 30, 2],
        [15, 20, 2],
      ],
      [
        [10, 15, 1],
        [15, 30, 2],
      ],
    ],
    [
      'gone',
      [
        [10, 20, 1],
        [10, 20, 0],
      ],
      [],
    ],
    [
      'gone in the middle',
      [
        [10, 40, 1],
        [20, 30, 0],
      ],
      [
        [10, 20, 1],
        [30, 40, 1],
      ],
    ],
    [
      'from address 0',
      [
        [0, 10, 1],
        [0, 5, 2],
      ],
      [
        [0, 5, 2],
        [5, 10, 1],
      ],
    ],
    ['at the end of all addresses', [[2 ** 64 - 4096, 2 ** 64, 1]], [[2 ** 64 - 4096, 2 ** 64, 1]]],
  ] as [string, Run[], Run[]][])('assigns ranges %s', (_, assigned, expected) => {
    const map = new RangeMap()
    for (const [start, end, value] of assigned) map.assign(start, end - start, value)
    expect(rangesOf(map).filter(([, , value]) => value !== 0)).toEqual(expected)
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

  it('agrees with an array for every history', () => {
    const assignment = fc.record({ at: fc.nat(199), length: fc.integer({ min: 1, max: 60 }), value: fc.nat(3) })
    fc.assert(
      fc.property(fc.array(assignment, { maxLength: 60, size: 'max' }), (history) => {
        const map = new RangeMap()
        const cells = new Int32Array(260)
        for (const { at, length, value } of history) {
          map.assign(at, length, value)
          cells.fill(value, at, at + length)
          expectSame(map, cells)
        }
      }),
      { numRuns: 300 },
    )
  })

  it('agrees with an array through thousands of boundaries, made and merged away in any order', () => {
    fc.assert(
      fc.property(fc.infiniteStream(fc.nat()), fc.integer({ min: 1, max: 40 }), (random, longest) => {
        const map = new RangeMap()
        const cells = new Int32Array(6000)
        const next = (): number => random.next().value as number
        for (let i = 0; i < 6000; i++) {
          // At times most assignments clear, so that chunks empty as well as fill.
          const value = Math.floor(i / 1000) % 2 === 0 ? next() % 4 : next() % 8 === 0 ? 1 : 0
          const at = next() % 5900
          const end = Math.min(at + 1 + (next() % (next() % 20 === 0 ? 1000 : longest)), 6000)
          map.assign(at, end - at, value)
          cells.fill(value, at, end)
          if (i % 250 === 0) expectSame(map, cells)
        }
        expectSame(map, cells)
        map.assign(0, 6000, 0)
        expect(rangesOf(map)).toEqual([[0, Infinity, 0]])
      }),
      { numRuns: 12 },
    )
  })

  it('agrees with an array when boundaries are left where they are', () => {
    const step = fc.record({
      at: fc.nat(199),
      length: fc.integer({ min: 1, max: 60 }),
      value: fc.nat(2),
      again: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80, size: 'max' }), (history) => {
        const map = new RangeMap()
        const cells = new Int32Array(260)
        let last = { at: 0, length: 1 }
        for (const { value, again, ...range } of history) {
          const { at, length } = again ? last : range
          last = { at, length }
          if (!map.put(at, length, value)) map.assign(at, length, value)
          cells.fill(value, at, at + length)
          expectSameFrom(map, cells, range.at)
        }
      }),
      { numRuns: 300 },
    )
  })

  it('agrees with an array while thousands of ranges go to and fro', () => {
    fc.assert(
      fc.property(fc.infiniteStream(fc.nat()), (random) => {
        const map = new RangeMap()
        const cells = new Int32Array(6000)
        const next = (): number => random.next().value as number
        const set = (at: number, end: number, value: number): void => {
          if (!map.put(at, end - at, value)) map.assign(at, end - at, value)
          cells.fill(value, at, end)
        }
        for (let round = 0; round < 6; round++) {
          for (let i = 0; i < 2000; i++) {
            const at = 3 * (next() % 2000)
            set(at, at + 3, (i + round) % 3 === 0 ? 1 : 2)
          }
          expectSameFrom(map, cells, next() % 6000)
          for (let at = 0; at < 6000; at += 3) set(at, at + 3, 1)
          expectSameFrom(map, cells, next() % 6000)
          // All is one range now, cut in many places: it is found whole, and may go whole.
          map.seek(next() % 6000)
          expect([map.start, map.end, map.value]).toEqual([0, 6000, 1])
          const [from, end] = [next() % 3000, 3000 + (next() % 3000)]
          set(from, end, 0)
          expectSameFrom(map, cells, next() % 6000)
        }
      }),
      { numRuns: 12 },
    )
  })

  it('passes the boundaries within a range once', () => {
    const map = new RangeMap()
    map.assign(0, 10_000, 1)
    // Ranges elsewhere, so that a hundred idle boundaries are few.
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

  it('moves nothing where a boundary stands at both ends already', () => {
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
    // Not where one is missing, nor where one stands between.
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

  const assigned = 'map.assign(2 * k, 1, 0)'
  const put = `if (!map.put(2 * k, 1, 0)) ${assigned}`
  it.each([
    ['from the low end', 'i', assigned],
    ['from the high end', 'N - 1 - i', assigned],
    ['in no order', '(i * 79_999) % N', assigned],
    ['in place from the low end', 'i', put],
    ['in place in no order', '(i * 79_999) % N', put],
  ])('gives its memory back when what it held is merged away %s, leaving one in a hundred', (_, order, way) => {
    // A map that shrank holds what a map of its size holds, but for a chunk's slack: typed arrays are counted.
    const child = runChild(
      `
      import { setTimeout } from 'node:timers/promises'
      import { RangeMap } from '../dist/ledger/range-map.js'
      const N = 200_000
      const held = async () => {
        for (let i = 0; i < 5; i++) { globalThis.gc(); await setTimeout(10) }
        return process.memoryUsage().arrayBuffers
      }
      const start = await held()
      const map = new RangeMap()
      for (let i = 0; i < N; i++) map.assign(2 * i, 1, 1)
      const full = (await held()) - start
      for (let i = 0; i < N; i++) {
        const k = ${order}
        if (k % 100 !== 0) ${way}
      }
      console.log(JSON.stringify({ full, left: (await held()) - start, size: map.size }))
      `,
      { from: import.meta.dirname, nodeArgs: ['--expose-gc'] },
    )
    expect(child.stderr).toBe('')
    const { full, left, size } = JSON.parse(child.stdout) as Record<'full' | 'left' | 'size', number>
    if (way === assigned) expect(size).toBe(4000)
    else expect(size).toBeLessThanOrEqual(2 * 4000 + MOST_IDLE)
    // 12 bytes a boundary, and chunks at least an eighth full.
    expect(full).toBeGreaterThan(400_000 * 12)
    expect(left).toBeLessThan(size * 12 * 8)
  })
})
