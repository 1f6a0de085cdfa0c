// Tests the worker's side of a share over a token in one thread: what it tells, its views, and its release.
import { afterEach, describe, expect, it, vi } from 'vitest'
import { RELEASED, STATE, TAKEN, makeToken } from '../src/borrows/share-token.js'
import { SharedRegion } from '../src/borrows/shared-region.js'
import { replaceRegistry } from './collected.js'
import { errorOf } from './errors-of.js'
import { PageOS } from './page-os.js'

const page = 4096

interface Shared {
  readonly region: SharedRegion
  readonly words: Int32Array
  readonly v: number
  /** The ranges of the buffers that were made for its views. */
  readonly made: [offset: number, n: number][]
}

/** A share of Ready pages: two of them, or `n` bytes that begin `at` bytes into the first. */
function shared(at = 0, n = 2 * page): Shared {
  const made: [number, number][] = []
  const os = new PageOS()
  const v = (os.sysAllocOS(4 * page) as number) + page
  os.view = (start, bytes) => {
    made.push([start - v, bytes])
    return new ArrayBuffer(bytes)
  }
  const { token, words } = makeToken(os.name, 'series', v + at, n, undefined, null)
  return { region: new SharedRegion(os, token), words, v, made }
}

afterEach(() => void vi.unstubAllGlobals())

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

  it('has as many whole elements as fit, where no length is given', () => {
    const { region } = shared(0, page + 10)
    expect([region.view(Uint32Array).length, region.view(Float64Array, 8).length]).toEqual([page / 4 + 2, page / 8])
    expect(region.view(Uint8Array, page + 10).length).toBe(0)
    expect(errorOf(() => region.view(Uint32Array, 0, page / 4 + 3)).code).toBe('ERR_MEMLAYER_RANGE')
  })

  it('has elements where they are aligned in memory, wherever it begins', () => {
    const { region, v } = shared(6, 100)
    expect(region.view(Float64Array, 2, 1).length).toBe(1)
    const error = errorOf(() => region.view(Float64Array, 4, 1))
    expect(error).toMatchObject({ code: 'ERR_MEMLAYER_VIEW', address: v + 10 })
    expect(errorOf(() => region.view(Uint8Array, 0, 0.5)).code).toBe('ERR_MEMLAYER_VIEW')
  })

  it('tells what of a view lies outside', () => {
    const { region } = shared()
    expect(errorOf(() => region.view(Uint8Array, 5, 2 * page)).message).toContain(
      '8192 elements at 5 do not lie within',
    )
    const error = errorOf(() => region.view(Uint8Array, -1))
    expect(error).toMatchObject({ op: 'view', region: 'series' })
    expect(error.message).toContain("the offset -1 does not lie within the share of 'series', 8192 bytes")
    expect(errorOf(() => region.view(Uint8Array, 0, '5' as never)).code).toBe('ERR_MEMLAYER_RANGE')
  })

  it('has views on the buffer of a page only where all of the page is its own', () => {
    const whole = shared()
    for (const offset of [0, 8, page + 8]) whole.region.view(Uint8Array, offset, 8)
    expect(whole.made).toEqual([
      [0, page],
      [page, page],
    ])
    const from = shared(100, 2 * page - 100)
    from.region.view(Uint8Array, 0, 8)
    from.region.view(Uint8Array, page - 100, 8)
    expect(from.made).toEqual([
      [100, 8],
      [page, page],
    ])
    const to = shared(0, 2 * page - 100)
    to.region.view(Uint8Array, page, 8)
    to.region.view(Uint8Array, page - 8, 8)
    expect(to.made).toEqual([
      [page, 8],
      [0, page],
    ])
  })

  it('ends each view that it lends, wherever that lies, and no other', async () => {
    const { region } = shared()
    const other = region.view(Uint8Array, page, 8)
    const kept = await region.lend(Uint16Array, page, 4, (view) => view)
    const all = await region.lendAll(Uint8Array, [8, 8, page + 16, 8], (views) => views)
    expect([kept.length, ...all.map(({ length }) => length), other.length]).toEqual([0, 0, 0, 8])
    region.release()
    expect(other.length).toBe(0)
    for (const op of ['lend', 'lendAll'] as const) {
      const given = op === 'lend' ? ([Uint8Array, 0, 8] as const) : ([Uint8Array, [0, 8]] as const)
      const call = region[op] as (...all: unknown[]) => Promise<unknown>
      const error = expect.objectContaining({ code: 'ERR_MEMLAYER_DISPOSED', op }) as Error
      await expect(call.call(region, ...given, () => 1)).rejects.toThrow(error)
    }
  })

  it('lends several views at once, and is released when the last has ended', async () => {
    const { region, words } = shared()
    const ends: (() => void)[] = []
    const lends = [0, 1].map(() => region.lend(Uint8Array, 0, 8, () => new Promise<void>((end) => ends.push(end))))
    for (const [at, end] of ends.entries()) {
      expect(errorOf(() => region.release()).code).toBe('ERR_MEMLAYER_SHARED')
      end()
      await lends[at]
    }
    region.release()
    expect(words[STATE]).toBe(RELEASED)
  })

  it('is released by the end of a block that declares it', () => {
    const { region, words } = shared()
    {
      using own = region
      expect(own.released).toBe(false)
    }
    expect([region.released, words[STATE]]).toEqual([true, RELEASED])
  })

  it('goes on where the bytes of a view were moved, and the owner does not get the pages', () => {
    const { region, words } = shared()
    const { buffer } = region.view(Uint8Array, 0, 2 * page)
    structuredClone(buffer, { transfer: [buffer] })
    expect(errorOf(() => region.release())).toMatchObject({ code: 'ERR_MEMLAYER_VIEW', op: 'release' })
    expect([region.released, words[STATE]]).toEqual([false, TAKEN])
  })

  it('gives its pages up when it is collected, and is not told of after a release', async () => {
    const collector = replaceRegistry()
    const anew = await import('../src/borrows/shared-region.js')
    const os = new PageOS()
    const [first, second] = [0, 1].map(() => makeToken(os.name, 'series', page, page, undefined, null))
    const dropped = new anew.SharedRegion(os, first?.token as never)
    const released = new anew.SharedRegion(os, second?.token as never)
    expect(collector.collect(dropped)).toBe(1)
    expect(first?.words[STATE]).toBe(RELEASED)
    released.release()
    expect(collector.collect(released)).toBe(0)
  })

  it('of memory of the engine has views on the very buffer that the owner has, at their places', () => {
    const buffer = new SharedArrayBuffer(4 * page)
    const bytes = { buffer, byteOffset: page }
    const { token, words } = makeToken('pages', 'series', 8 * page, 2 * page, undefined, null, bytes)
    const region = new SharedRegion(new PageOS({ traits: { ends: 'zeroed' } }), token)
    const view = region.view(Uint8Array, 8, 4)
    expect([(view.buffer as unknown) === buffer, view.byteOffset, view.length]).toEqual([true, page + 8, 4])
    region.release()
    expect(words[STATE]).toBe(RELEASED)
  })
})
