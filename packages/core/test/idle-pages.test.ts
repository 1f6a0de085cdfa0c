// The idle pages of a memory, apart from it: which are idle, since when, and how many bytes that are.
import { afterEach, describe, expect, it, vi } from 'vitest'
import { unitBytes } from '../src/ledger/gauge.js'
import { RangeMap } from '../src/ledger/range-map.js'
import { bytesOf, Idle } from '../src/scavenge/idle.js'

const page = 4096

afterEach(() => void vi.restoreAllMocks())

/** Pages 1 to 2 of the first turn, 3 to 4 of the second, and 7 of the second. */
function idlePages(): Idle {
  const idle = new Idle()
  idle.add(page, 2 * page)
  idle.nextTurn()
  idle.add(3 * page, 2 * page)
  idle.add(7 * page, page)
  return idle
}

describe('idle pages', () => {
  it('are idle as a range where all of it is, of one turn or of several', () => {
    const idle = idlePages()
    expect(new Idle().has(page, page)).toBe(false)
    expect([idle.has(page, page), idle.has(page, 4 * page), idle.has(2 * page, 2 * page)]).toEqual([true, true, true])
    expect([idle.has(0, 2 * page), idle.has(page, 5 * page), idle.has(5 * page, page)]).toEqual([false, false, false])
    expect([idle.has(4 * page, 4 * page), idle.has(7 * page, page), idle.has(7 * page, 2 * page)]).toEqual([
      false,
      true,
      false,
    ])
  })

  it('are told of a range as pairs and as bytes', () => {
    const idle = idlePages()
    expect(idle.within(0, 100 * page)).toEqual([page, 2 * page, 3 * page, 2 * page, 7 * page, page])
    expect(idle.within(2 * page, 2 * page)).toEqual([2 * page, page, 3 * page, page])
    expect([idle.bytesIn(0, 100 * page), idle.bytesIn(2 * page, 2 * page), idle.bytesIn(5 * page, 2 * page)]).toEqual([
      5 * page,
      2 * page,
      0,
    ])
    expect([new Idle().within(0, page), new Idle().bytesIn(0, page)]).toEqual([[], 0])
    expect(bytesOf([1, 2, 3, 4])).toBe(6)
  })

  it('are idle no more once they are forgotten, wherever the range begins and ends', () => {
    const idle = idlePages()
    idle.forget(5 * page, 2 * page)
    expect(idle.bytes).toBe(5 * page)
    idle.forget(2 * page, 2 * page)
    expect([idle.bytes, idle.within(0, 100 * page)]).toEqual([3 * page, [page, page, 4 * page, page, 7 * page, page]])
    idle.forget(page, page)
    idle.forget(0, 100 * page)
    idle.forget(page, page)
    expect([idle.bytes, idle.within(0, 100 * page)]).toEqual([0, []])
  })

  it('are walked from an address on, with their turn, until the visitor has enough', () => {
    const idle = idlePages()
    const walked = (from: number, most: number): number[][] => {
      const all: number[][] = []
      idle.walk(from, (at, size, turn) => all.push([at / page, size / page, turn]) < most)
      return all
    }
    expect(walked(0, 9)).toEqual([
      [1, 2, 1],
      [3, 2, 2],
      [7, 1, 2],
    ])
    expect(walked(2 * page, 2)).toEqual([
      [2, 1, 1],
      [3, 2, 2],
    ])
    expect(walked(8 * page, 9)).toEqual([])
  })

  it('are told apart by their turns, however many there were', () => {
    const idle = new Idle()
    for (let i = 0; i < 1000; i++) {
      const { turn } = idle
      idle.nextTurn()
      expect(idle.turn).toBeGreaterThan(turn)
    }
  })

  it('are counted anew where a script ended while they changed, for other threads too', () => {
    const words = new Int32Array(4)
    const idle = idlePages()
    idle.gauge.publishTo(words, 1)
    idle.add(20 * page, page)
    expect(words[1]).toBe((6 * page) / unitBytes)
    vi.spyOn(RangeMap.prototype, 'put').mockReturnValueOnce(false)
    vi.spyOn(RangeMap.prototype, 'assign').mockImplementationOnce(function (this: RangeMap, v, n, value) {
      vi.restoreAllMocks()
      this.assign(v, n, value)
      throw new Error('the script ends')
    })
    expect(() => idle.forget(page, page)).toThrow('the script ends')
    expect(idle.bytes).toBe(6 * page)
    idle.recount()
    expect([idle.bytes, words[1]]).toEqual([5 * page, (5 * page) / unitBytes])
  })
})
