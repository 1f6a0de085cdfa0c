// The map of ranges beside a plain array with one cell an address. After every step both say the same, and the map
// has no more boundaries, and no more memory, than it may.
import { runChild, testSeed } from '@memlayer/witness'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RangeMap } from '../src/ledger/range-map.js'
import { rangesOf, type Run } from './range-map-runs.js'

fc.configureGlobal({ seed: testSeed() })

/** How many idle boundaries may stay, however few ranges there are. */
const idleMax = 2 * 64

/** The ranges of the array. Equal neighbours are one range. */
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

/** The map has the ranges of the array, and no boundary more. */
function expectSame(map: RangeMap, cells: Int32Array): void {
  const runs = runsOf(cells)
  expect(rangesOf(map)).toEqual(runs)
  expect(map.size).toBe(runs.length)
}

/** Like `expectSame`, for a map with idle boundaries. The range at `at` is found whole, and few boundaries are idle. */
function expectSameFrom(map: RangeMap, cells: Int32Array, at: number): void {
  const runs = runsOf(cells)
  expect(rangesOf(map)).toEqual(runs)
  expect(map.size).toBeLessThanOrEqual(2 * runs.length + idleMax)
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

describe('a range map through long histories', () => {
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
          // In every second thousand most assignments clear, so that chunks also become empty.
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
          // It is one range now, with many idle boundaries. It is found whole, and can be cleared in part.
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

  const assigned = 'map.assign(2 * k, 1, 0)'
  const put = `if (!map.put(2 * k, 1, 0)) ${assigned}`
  it.each([
    ['from the low end', 'i', assigned],
    ['from the high end', 'N - 1 - i', assigned],
    ['in no order', '(i * 79_999) % N', assigned],
    ['in place from the low end', 'i', put],
    ['in place in no order', '(i * 79_999) % N', put],
  ])('gives its memory back when what it held is merged away %s, leaving one in a hundred', (_, order, way) => {
    // A map that shrank has as much memory as a map of its size, but for slack in its chunks.
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
    else expect(size).toBeLessThanOrEqual(2 * 4000 + idleMax)
    // A boundary takes 12 bytes, and a chunk is at least an eighth full.
    expect(full).toBeGreaterThan(400_000 * 12)
    expect(left).toBeLessThan(size * 12 * 8)
  })
})
