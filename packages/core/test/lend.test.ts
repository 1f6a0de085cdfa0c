// A lend holds its pages, gives its view, and takes both back, whatever the function does that is given the view.
import { createMemory, GrowableBuffer, UsageError, type Memory, type Region } from '@memlayer/core'
import { beforeEach, describe, expect, it } from 'vitest'
import { PageOS } from './page-os.js'

const page = 4096
const errorWith = (code: string): unknown => expect.objectContaining({ code })

/** Makes a backend whose views are plain buffers, which the engine can move. */
function movableOS(): PageOS {
  return Object.assign(new PageOS({ pages: 2048 }), { view: (_v: number, n: number) => new ArrayBuffer(n) })
}

let memory: Memory
let region: Region

beforeEach(() => {
  memory = createMemory(movableOS())
  region = memory.reserve(16 * page, { name: 'vectors' })
  region.commit()
})

describe('region.lend', () => {
  it('keeps the pages until the promise has settled, and detaches the view then', async () => {
    let kept = new Float32Array()
    const result = await region.lend(Float32Array, page, 1024, async (view) => {
      kept = view
      await Promise.resolve()
      expect(() => region.unused(page, page)).toThrow(errorWith('ERR_MEMLAYER_SHARED'))
      expect(() => region.unused(page, page)).toThrow(
        /region\.lend\(\) keeps .* Ready \(.*lend\.test\.ts.*\)\. Wait until what region\.lend/,
      )
      expect(() => region.free()).toThrow(errorWith('ERR_MEMLAYER_SHARED'))
      region.unused(0, page)
      return view.length
    })
    expect([result, kept.length]).toEqual([1024, 0])
    region.free()
  })

  it('ends no other view of the pages', async () => {
    const other = region.view(Uint8Array, 0, page)
    await region.lend(Uint8Array, 0, page, () => 1)
    expect(other.length).toBe(page)
  })

  it.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new RangeError('mine')
      },
    ],
    ['rejects', () => Promise.reject(new RangeError('mine'))],
  ])('rejects with the error of a function that %s, and lets the pages go', async (_, use) => {
    await expect(region.lend(Uint8Array, 0, page, use)).rejects.toThrow(new RangeError('mine'))
    region.free()
  })

  it('refuses what takes the pages, and rejects with that where the function does not catch it', async () => {
    await expect(region.lend(Uint8Array, 0, page, () => region.free())).rejects.toThrow(
      errorWith('ERR_MEMLAYER_SHARED'),
    )
    region.free()
  })

  it('tells that the bytes were moved, and lets other pages go', async () => {
    const moved = region.lend(Uint8Array, page, page, (view) => structuredClone(view, { transfer: [view.buffer] }))
    await expect(moved).rejects.toThrow(UsageError)
    await expect(moved).rejects.toThrow(errorWith('ERR_MEMLAYER_VIEW'))
    await expect(moved).rejects.toThrow(/^lend\(4096, 4096\) of the region 'vectors' at .* was transferred/)
    region.unused(0, page)
    region.free(2 * page, 14 * page)
    expect(() => region.free()).toThrow(errorWith('ERR_MEMLAYER_VIEW'))
  })

  it.each<[string, unknown[], string]>([
    ['a function that is not one', [Uint8Array, 0, page, null], 'ERR_MEMLAYER_OPTION'],
    ['a type that is not a view', [Map, 0, page, () => 1], 'ERR_MEMLAYER_VIEW'],
    ['a range outside', [Uint8Array, 15 * page, 2 * page, () => 1], 'ERR_MEMLAYER_RANGE'],
    ['a start between elements', [Float64Array, 4, 1, () => 1], 'ERR_MEMLAYER_VIEW'],
  ])('rejects %s, and holds nothing', async (_, given, expected) => {
    const lend = region.lend.bind(region) as (...given: unknown[]) => Promise<unknown>
    await expect(lend(...given)).rejects.toThrow(errorWith(expected))
    region.free()
  })

  it('needs Ready pages', async () => {
    region.unused(0, page)
    await expect(region.lend(Uint8Array, 0, undefined, () => 1)).rejects.toThrow(errorWith('ERR_MEMLAYER_STATE'))
    region.free()
  })

  it('lends no bytes as well', async () => {
    expect(await region.lend(Uint8Array, 16 * page, undefined, (view) => view.length)).toBe(0)
  })
})

describe('region.lendAll', () => {
  it('lends several ranges at once', async () => {
    const lengths = await region.lendAll(Uint16Array, [0, 8, 4 * page, page / 2], (views) => {
      expect(() => region.unused(4 * page, page)).toThrow(/region\.lendAll\(\) keeps/)
      return Promise.resolve(views.map(({ length }) => length))
    })
    expect(lengths).toEqual([8, page / 2])
    region.free()
  })

  it('lends nothing of an empty list, and calls the function all the same', async () => {
    expect(await region.lendAll(Uint8Array, [], (views) => views.length)).toBe(0)
    region.free()
  })

  it.each([2 ** 53, -2, 1, 0.5, NaN, Infinity, '2', undefined])('refuses a list of %s numbers', async (length) => {
    const list = { length } as ArrayLike<number>
    await expect(region.lendAll(Uint8Array, list, () => 1)).rejects.toThrow(errorWith('ERR_MEMLAYER_SIZE'))
    region.free()
  })

  it('lends nothing where one range is wrong', async () => {
    await expect(region.lendAll(Uint8Array, [0, page, 16 * page, 1], () => 1)).rejects.toThrow(
      errorWith('ERR_MEMLAYER_RANGE'),
    )
    await expect(region.lendAll(Uint8Array, [0], () => 1)).rejects.toThrow(errorWith('ERR_MEMLAYER_SIZE'))
    await expect(region.lendAll(Uint8Array, null as never, () => 1)).rejects.toThrow(errorWith('ERR_MEMLAYER_SIZE'))
    region.free()
  })

  it('lets all others go where one was moved', async () => {
    const lent = region.lendAll(Uint8Array, [0, page, page, page, 2 * page, page], ([, second]) => {
      structuredClone(second, { transfer: [(second as Uint8Array<ArrayBuffer>).buffer] })
    })
    await expect(lent).rejects.toThrow(errorWith('ERR_MEMLAYER_VIEW'))
    region.unusedAll([0, page, 2 * page, page])
  })
})

describe('buffer.lend', () => {
  it('lends bytes of the buffer, which may grow meanwhile', async () => {
    using buffer = new GrowableBuffer(memory, { maximum: 2 ** 21, length: 100 })
    await buffer.lend(Uint8Array, 50, undefined, async (view) => {
      await Promise.resolve()
      buffer.grow(2 ** 20)
      expect(view.length).toBe(50)
      expect(() => buffer.free()).toThrow(errorWith('ERR_MEMLAYER_SHARED'))
    })
    await expect(buffer.lend(Uint8Array, 2 ** 20, 200, () => 1)).rejects.toThrow(errorWith('ERR_MEMLAYER_RANGE'))
    expect(await buffer.lendAll(Uint8Array, [0, 1, 5, 2], (views) => views.length)).toBe(2)
  })
})
