// Tests how many bytes views pin: whole pages, each of which counts once.
import { describe, expect, it } from 'vitest'
import { pinnedBytes } from '../src/borrows/reclaim.js'

const page = 4096
const at = (start: number, end: number): { start: number; end: number } => ({ start, end })

describe('pinned bytes', () => {
  it('are the whole pages of each view', () => {
    expect(pinnedBytes([], page)).toBe(0)
    expect(pinnedBytes([at(page, page + 1)], page)).toBe(page)
    expect(pinnedBytes([at(2 * page - 1, 2 * page + 1)], page)).toBe(2 * page)
  })

  it('count a page of several views once, in whatever order the views were made', () => {
    const views = [at(10 * page, 14 * page), at(page, 3 * page), at(2 * page, 4 * page), at(11 * page, 12 * page)]
    for (let turn = 0; turn < views.length; turn++) {
      expect(pinnedBytes([...views.slice(turn), ...views.slice(0, turn)], page)).toBe(7 * page)
      expect(pinnedBytes([...views.slice(turn), ...views.slice(0, turn)].toReversed(), page)).toBe(7 * page)
    }
  })
})
