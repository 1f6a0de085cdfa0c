// A buffer that other code takes away while a call of its region is under way: the call says what has become of the
// pages, and blames no file and no source. Nothing holds the pages any more.
import { createMemory, type AdoptedRegion } from '@memlayer/core'
import { createOS } from '@memlayer/os-engine'
import { describe, expect, it } from 'vitest'
import { kinds, size } from './made-buffers.js'

/** What a promise is rejected with. */
const rejection = (promise: Promise<unknown>): Promise<Error & { readonly code?: unknown }> =>
  promise.then(
    (value) => expect.fail(`it was fulfilled with ${String(value)}`),
    (error: unknown) => error as Error,
  )

describe.skipIf(process.platform !== 'linux')('a buffer that goes during a call (needs Linux)', () => {
  const memory = createMemory(createOS())
  const page = memory.os.traits.pageSize
  const expectEnded = (region: AdoptedRegion): void => {
    const { prepared, ready } = memory.stats().total
    expect([region.disposed, memory.holds(), prepared, ready]).toEqual([true, [], 0, 0])
    memory.check()
  }

  describe.each<[string, () => ArrayBuffer, (buffer: ArrayBuffer) => unknown]>([
    ['transferred', () => new ArrayBuffer(size), (buffer) => buffer.transfer()],
    ['posted', () => new ArrayBuffer(size), (buffer) => structuredClone(buffer, { transfer: [buffer] })],
    ['shrunk', () => new ArrayBuffer(size, { maxByteLength: size }), (buffer) => buffer.resize(size / 2)],
  ])('and is %s', (_, make, lose) => {
    it.each<[string, (region: AdoptedRegion, use: () => unknown) => Promise<unknown>]>([
      ['lend', (region, use) => region.lend(Uint8Array, 0, page, use)],
      ['lendAll', (region, use) => region.lendAll(Uint8Array, [0, page, 2 * page, page], use)],
    ])('rejects %s with the error of a view whose bytes are gone', async (op, lend) => {
      const buffer = make()
      const region = memory.adopt(buffer, { name: 'lent' })
      const error = await rejection(lend(region, () => lose(buffer)))
      expect(error).toMatchObject({ name: 'UsageError', code: 'ERR_MEMLAYER_VIEW', op, region: 'lent' })
      expect(error.message).toContain("the view's bytes are gone, because the buffer of the region 'lent' was detached")
      expectEnded(region)
    })

    it('rejects lend with the error of the function that was called, where it throws', async () => {
      const buffer = make()
      const region = memory.adopt(buffer)
      const error = await rejection(
        region.lend(Uint8Array, 0, page, () => {
          lose(buffer)
          throw new RangeError('mine')
        }),
      )
      expect(error).toEqual(new RangeError('mine'))
      expectEnded(region)
    })

    it('rejects lend where a call of the region inside it has found the loss before', async () => {
      const buffer = make()
      const region = memory.adopt(buffer)
      const error = await rejection(
        region.lend(Uint8Array, 0, page, () => {
          lose(buffer)
          region.release()
        }),
      )
      expect(error.code).toBe('ERR_MEMLAYER_VIEW')
      expectEnded(region)
    })

    const asDisposed = (op: string): object => ({
      name: 'UsageError',
      code: 'ERR_MEMLAYER_DISPOSED',
      op,
      message: expect.stringMatching(
        `^${op}: the buffer of the region 'adopted' was detached, has shrunk or has moved`,
      ) as string,
    })

    it('rejects readFrom by the name of the region, and cancels the source', async () => {
      const buffer = make()
      const region = memory.adopt(buffer)
      let isEnded = false
      async function* source(): AsyncGenerator<Uint8Array> {
        try {
          yield new Uint8Array(page)
          await Promise.resolve()
          lose(buffer)
          yield new Uint8Array(page)
        } finally {
          isEnded = true
        }
      }
      expect(await rejection(region.readFrom(source()))).toMatchObject(asDisposed('readFrom'))
      expect(isEnded).toBe(true)
      expectEnded(region)
    })

    it('rejects readFile and writeFile by the name of the region, after the calls under way have ended', async () => {
      for (const op of ['readFile', 'writeFile'] as const) {
        const buffer = make()
        const region = memory.adopt(buffer)
        let [calls, underWay] = [0, 0]
        const call = async (
          _bytes: Uint8Array,
          _offset: number,
          length: number,
          _position: number,
        ): Promise<number> => {
          underWay += 1
          await new Promise((resolve) => setImmediate(resolve))
          if (++calls === 3) lose(buffer)
          underWay -= 1
          return length
        }
        const file = {
          read: async (...given: [Uint8Array, number, number, number]) => ({ bytesRead: await call(...given) }),
          write: async (...given: [Uint8Array, number, number, number]) => ({ bytesWritten: await call(...given) }),
        }
        const error = await rejection(region[op](file, 0, 0, 16 * page, { chunk: page }))
        expect(error).toMatchObject(asDisposed(op))
        expect([calls < 16, underWay]).toEqual([true, 0])
        expectEnded(region)
      }
    })

    it('ends streams with the error of the region', async () => {
      for (const op of ['stream', 'toReadable'] as const) {
        const buffer = make()
        const region = memory.adopt(buffer)
        const stream = region[op](0, 8 * page, { chunk: page }) as AsyncIterable<Uint8Array>
        const chunks = stream[Symbol.asyncIterator]()
        expect((await chunks.next()).done).toBe(false)
        lose(buffer)
        const error = await rejection(
          (async () => {
            for (let left = 8; left > 0; left--) await chunks.next()
          })(),
        )
        expect(error).toMatchObject(asDisposed(op))
        expectEnded(region)
      }
    })
  })

  it.each(Object.entries(kinds))('lends the bytes of %s, whatever grows meanwhile', async (_, make) => {
    const made = make()
    using region = memory.adopt(made)
    const length = await region.lend(Uint8Array, 0, page, (view) => {
      if ('buffer' in made) made.grow(1)
      return Promise.resolve(view.length)
    })
    // A WebAssembly memory that grows has another buffer at the same place, and the view is of the first one.
    expect([length === page || 'buffer' in made, memory.holds()]).toEqual([true, []])
    region.unused()
  })
})
