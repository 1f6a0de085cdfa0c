// Tests the worker's side of a share over a token in one thread: what it tells, its views, and its release.
import { describe, expect, it } from 'vitest'
import { RELEASED, STATE, TAKEN, makeToken } from '../src/borrows/share-token.js'
import { SharedRegion } from '../src/borrows/shared-region.js'
import { PageOS } from './page-os.js'

const page = 4096

/** A share of two pages that are Ready. */
function shared(): { region: SharedRegion; words: Int32Array; v: number } {
  const os = new PageOS()
  const v = os.sysAllocOS(4 * page) as number
  const { token, words } = makeToken(os.name, 'series', v + page, 2 * page, undefined, null)
  return { region: new SharedRegion(os, token), words, v: v + page }
}

describe('a shared region', () => {
  it('tells what its owner calls it, where it lies, and that it is taken', () => {
    const { region, words, v } = shared()
    expect([region.name, region.address, region.size, region.released]).toEqual(['series', v, 2 * page, false])
    expect(words[STATE]).toBe(TAKEN)
    expect(String(region)).toContain('series')
  })

  it('has views of its bytes, up to the last one, and none beyond', () => {
    const { region } = shared()
    expect(region.view(Uint8Array).length).toBe(2 * page)
    expect(region.view(Uint32Array, page).length).toBe(page / 4)
    expect(region.view(Uint8Array, page, page).length).toBe(page)
    expect(region.view(Uint8Array, 2 * page).length).toBe(0)
    for (const [offset, length] of [
      [2 * page, 1],
      [-1, 1],
      [0.5, 1],
      [page, page + 1],
      [2 * page + 1, undefined],
    ] as const) {
      const error = expect.objectContaining({ code: 'ERR_MEMLAYER_RANGE', region: 'series' }) as Error
      expect(() => region.view(Uint8Array, offset, length)).toThrow(error)
    }
  })

  it('ends its views when it is released, once, and is no use after it', () => {
    const { region, words } = shared()
    const view = region.view(Uint8Array)
    region.release()
    expect([view.length, region.released, words[STATE]]).toEqual([0, true, RELEASED])
    words[STATE] = TAKEN
    region.release()
    expect(words[STATE]).toBe(TAKEN)
    const error = expect.objectContaining({ code: 'ERR_MEMLAYER_DISPOSED', op: 'view', region: 'series' }) as Error
    expect(() => region.view(Uint8Array)).toThrow(error)
    expect(String(region)).toMatch(/, released$/)
  })

  it('is not released while a view is lent, and is after it', async () => {
    const { region, words } = shared()
    let ready: () => void = () => undefined
    const lent = region.lend(Uint8Array, 0, page, async (view) => {
      await new Promise<void>((resolve) => {
        ready = resolve
      })
      return view.length
    })
    const error = expect.objectContaining({ code: 'ERR_MEMLAYER_SHARED', op: 'release', region: 'series' }) as Error
    expect(() => region.release()).toThrow(error)
    expect([region.released, words[STATE]]).toEqual([false, TAKEN])
    ready()
    expect(await lent).toBe(page)
    region.release()
    expect(words[STATE]).toBe(RELEASED)
  })
})
