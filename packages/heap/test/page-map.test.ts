// The page map beside a plain array of pages.
import { random } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'
import { PageMap } from '../src/page-map.js'
import { PageSet } from '../src/page-set.js'

/** Which pages are in use, and first fit by looking at each. */
class PlainMap {
  readonly used: boolean[]

  constructor(count: number) {
    this.used = Array.from({ length: count }, () => false)
  }

  find(n: number): number {
    let run = 0
    for (let page = 0; page < this.used.length; page++) {
      run = this.used[page] === true ? 0 : run + 1
      if (run === n) return page - n + 1
    }
    return -1
  }

  set(page: number, n: number, used: boolean): void {
    this.used.fill(used, page, page + n)
  }
}

describe('the page map', () => {
  it.each([1, 2, 31, 513, 5000, 40_000])(
    'finds the lowest run of free pages among %d, as a plain search does',
    (count) => {
      const { below } = random()
      const [map, plain] = [new PageMap(count), new PlainMap(count)]
      const runs: [number, number][] = []
      let used = 0
      for (let i = 0; i < 3000; i++) {
        const largest = [3, 40, 700, count][below(4)] as number
        const n = 1 + below(Math.min(largest, count))
        const page = map.find(n)
        expect(page, `${n} pages in round ${i}`).toBe(plain.find(n))
        if (page >= 0 && below(5) < 3) {
          map.take(page, n)
          plain.set(page, n, true)
          runs.push([page, n])
          used += n
        } else if (runs.length > 0) {
          const [[from, length]] = runs.splice(below(runs.length), 1) as [[number, number]]
          // Sometimes a part stays.
          const part = 1 + below(length)
          map.give(from, part)
          plain.set(from, part, false)
          used -= part
          if (part < length) runs.push([from + part, length - part])
        }
        expect(map.used).toBe(used)
        expect(map.usedEnd(count)).toBe(plain.used.lastIndexOf(true) + 1)
        const from = below(count)
        const some = 1 + below(count - from)
        expect(map.isFree(from, some)).toBe(!plain.used.slice(from, from + some).includes(true))
      }
    },
  )
})

describe('a set of pages', () => {
  it('gives the lowest page, as a sorted list does', () => {
    const { below } = random()
    const count = 70_000
    const [set, plain] = [new PageSet(), new Set<number>()]
    for (let i = 0; i < 20_000; i++) {
      const page = below(3) === 0 ? below(count) : below(200)
      if (below(2) === 0) {
        set.add(page)
        plain.add(page)
      } else {
        set.delete(page)
        plain.delete(page)
      }
      if (i % 50 === 0) expect(set.lowest()).toBe(plain.size === 0 ? -1 : Math.min(...plain))
    }
    set.clear()
    expect(set.lowest()).toBe(-1)
  })
})
