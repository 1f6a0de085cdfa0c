// The map of ranges beside a plain array, through histories that are quick: thousands of boundaries, made and merged
// away, read at every step; and changes that a script left half done. The long ones are in range-map.random.test.ts.
import { testSeed } from '@memlayer/witness'
import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { RangeMap } from '../src/ledger/range-map.js'
import { rangesOf, type Run } from './range-map-runs.js'

fc.configureGlobal({ seed: testSeed() })

const cellsMax = 3000

afterEach(() => void vi.restoreAllMocks())

/** The ranges of the array. Equal neighbours are one range. */
function runsOf(cells: Int32Array): Run[] {
  const runs: Run[] = []
  cells.forEach((value, at) => {
    const last = runs.at(-1)
    if (last?.[2] === value) last[1] = at + 1
    else runs.push([at, at + 1, value])
  })
  runs.push([cells.length, Infinity, 0])
  return runs
}

/** The range around `at`, from the array. */
function runAround(cells: Int32Array, at: number): Run {
  const value = cells[at] as number
  let [start, end] = [at, at + 1]
  while (start > 0 && cells[start - 1] === value) start -= 1
  while (end < cells.length && cells[end] === value) end += 1
  return [start, end === cells.length ? (value === 0 ? Infinity : end) : end, value]
}

/** A map and an array that are told the same. The last cells stay 0. */
class Both {
  readonly map = new RangeMap()
  readonly cells = new Int32Array(cellsMax)

  assign(at: number, n: number, value: number, isPut = false): void {
    if (!isPut || !this.map.put(at, n, value)) this.map.assign(at, n, value)
    this.cells.fill(value, at, at + n)
  }

  expectAt(at: number, n: number): void {
    const [start, end, value] = runAround(this.cells, at)
    this.map.seek(at)
    const found = [this.map.value, this.map.endBy(at + n), this.map.start, this.map.end]
    if (found[0] !== value || found[1] !== Math.min(end, at + n) || found[2] !== start || found[3] !== end)
      expect(found).toEqual([value, Math.min(end, at + n), start, end])
    this.map.seek(at)
    expect(this.map.reaches(at, n)).toBe(end >= at + n)
  }

  expectSame(): void {
    expect(rangesOf(this.map).filter(([, , value]) => value !== 0)).toEqual(
      runsOf(this.cells).filter(([, , value]) => value !== 0),
    )
  }
}

const step = fc.record({
  at: fc.nat(cellsMax - 100),
  n: fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 1, max: 4 }) }, fc.integer({ min: 1, max: 90 })),
  value: fc.nat(3),
  isPut: fc.boolean(),
  isAgain: fc.boolean(),
})

describe('a range map', () => {
  it('has at every step what an array has, with thousands of boundaries', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1500, maxLength: 2000, size: 'max' }), (steps) => {
        const both = new Both()
        for (let at = 0; at < cellsMax - 10; at += 2) both.assign(at, 1, 1 + (at % 3))
        let last = { at: 0, n: 1 }
        for (const { at, n, value, isPut, isAgain } of steps) {
          last = isAgain ? last : { at, n }
          both.assign(last.at, last.n, value, isPut)
          both.expectAt(at, n)
        }
        both.expectSame()
      }),
      { numRuns: 6 },
    )
  })

  it('tells the parts of a range, cut to it', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), fc.nat(cellsMax - 200), (steps, from) => {
        const both = new Both()
        for (const { at, n, value } of steps) both.assign(at, n, value)
        const parts = both.map.within(from, 100)
        expect(parts.map(([start]) => start)[0]).toBe(from)
        for (const [i, [start, bytes, value]] of parts.entries()) {
          const [before = from, length = 0] = parts[i - 1] ?? []
          expect(start).toBe(before + length)
          expect(both.cells.subarray(start, start + bytes).every((cell) => cell === value)).toBe(true)
          expect(value).not.toBe(parts[i - 1]?.[2])
        }
        expect(parts.reduce((sum, [, bytes]) => sum + bytes, 0)).toBe(100)
      }),
      { numRuns: 60 },
    )
  })

  it('is small again once its ranges are gone, in whatever order they go', () => {
    for (const way of [1, -1, 7]) {
      const both = new Both()
      for (let at = 0; at < cellsMax - 2; at += 2) both.assign(at, 1, 1)
      const full = both.map.size
      expect(full).toBe(cellsMax - 2)
      for (let i = 0, at = 0; i < cellsMax; i++, at = (at + way + cellsMax - 1) % (cellsMax - 1)) both.assign(at, 1, 0)
      expect([both.map.size, rangesOf(both.map)]).toEqual([1, [[0, Infinity, 0]]])
    }
  })

  it('drops in one step all ranges that one assignment covers, and keeps those around', () => {
    const both = new Both()
    for (let at = 0; at < cellsMax - 2; at += 2) both.assign(at, 1, 1)
    both.assign(101, 2001, 2)
    both.expectSame()
    expect(both.map.size).toBe(2 * 51 + 2 * 448)
    both.assign(0, cellsMax - 2, 0)
    expect(both.map.size).toBe(1)
  })
})

describe('a map whose script ended while it changed', () => {
  /** Calls of the engine in which a script may end. */
  const calls = [
    [Float64Array.prototype, 'copyWithin'],
    [Float64Array.prototype, 'fill'],
    [Int32Array.prototype, 'copyWithin'],
    [Int32Array.prototype, 'slice'],
    [Int32Array.prototype, 'set'],
  ] as const

  /** Lets the k-th of these calls end the script, before or after its effect. Returns whether it came to that. */
  function endsAt(k: number, isAfter: boolean, run: () => void): boolean {
    let seen = 0
    const count = (isNow: boolean): void => {
      if (isNow === isAfter && seen === k) throw new Error('the script ends')
    }
    for (const [prototype, name] of calls) {
      const host = prototype as unknown as Record<string, (...given: unknown[]) => unknown>
      const own = host[name] as (...given: unknown[]) => unknown
      vi.spyOn(host, name).mockImplementation(function (this: unknown, ...given) {
        seen += 1
        count(false)
        const answer = own.apply(this, given)
        count(true)
        return answer
      })
    }
    try {
      run()
      return false
    } catch (error) {
      expect((error as Error).message).toBe('the script ends')
      return true
    } finally {
      vi.restoreAllMocks()
    }
  }

  /** Ranges in many chunks. */
  function many(): Both {
    const both = new Both()
    for (let at = 0; at < cellsMax - 10; at += 3) both.assign(at, 1, 1 + (at % 3))
    return both
  }

  it.each<[string, (map: RangeMap) => void, (cells: Int32Array) => void]>([
    ['an assignment over many chunks', (map) => map.assign(301, 1700, 2), (cells) => cells.fill(2, 301, 2001)],
    ['one that clears', (map) => map.assign(0, 2001, 0), (cells) => cells.fill(0, 0, 2001)],
    ['one over all', (map) => map.assign(0, cellsMax - 10, 3), (cells) => cells.fill(3, 0, cellsMax - 10)],
  ])('has what it had or what it was to have, wherever it ended: %s', (_, change, changed) => {
    let ended = 0
    for (const isAfter of [false, true]) {
      for (let k = 1; ; k++) {
        const both = many()
        const before = runsOf(both.cells)
        if (!endsAt(k, isAfter, () => change(both.map))) break
        ended += 1
        changed(both.cells)
        const found = rangesOf(both.map).filter(([, , value]) => value !== 0)
        const [old, made] = [before, runsOf(both.cells)].map((runs) => runs.filter(([, , value]) => value !== 0))
        expect([JSON.stringify(old), JSON.stringify(made)]).toContain(JSON.stringify(found))
        // It goes on as any other map.
        const goesOn = new Both()
        for (const [start, end, value] of found) goesOn.assign(start, end - start, value)
        for (const one of [both.map, goesOn.map]) one.assign(50, 500, 3)
        expect(rangesOf(both.map)).toEqual(rangesOf(goesOn.map))
      }
    }
    expect(ended).toBeGreaterThan(3)
  })

  it('has all that it had where it ended while it made room', () => {
    let ended = 0
    for (const isAfter of [false, true]) {
      for (let k = 1; k < 40; k++) {
        const both = new Both()
        let last = 0
        const hasEnded = endsAt(k, isAfter, () => {
          for (let at = 0; at < 600; at += 2) {
            last = at
            both.map.assign(at, 1, 1)
          }
        })
        if (!hasEnded) break
        ended += 1
        const expected = Array.from({ length: last / 2 }, (_, i): Run => [2 * i, 2 * i + 1, 1])
        const found = rangesOf(both.map).filter(([, , value]) => value !== 0)
        expect([expected.length, expected.length + 1]).toContain(found.length)
        expect(found.slice(0, expected.length)).toEqual(expected)
      }
    }
    expect(ended).toBeGreaterThan(3)
  })
})
