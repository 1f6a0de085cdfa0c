// Transfers into a region and streams of one, over a map of pages: what is refused before any effect, how far a
// transfer came that ended in the middle, and that nothing holds the pages afterwards. The test in-out of memlayer runs
// them on every runtime, with real pages and real sources.
import { Readable } from 'node:stream'
import { createMemory, TransferError, UsageError, type ByteSource, type Memory, type Region } from '@memlayer/core'
import { beforeEach, describe, expect, it } from 'vitest'
import { PageOS } from './page-os.js'

const page = 4096
const errorWith = (code: string): unknown => expect.objectContaining({ code })

async function* chunks(...lengths: number[]): AsyncGenerator<Uint8Array> {
  for (const length of lengths) {
    await Promise.resolve()
    yield new Uint8Array(length).fill(length)
  }
}
/** What a promise is rejected with. */
const rejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => expect.fail('it did not reject'),
    (error: unknown) => error,
  )

let memory: Memory
let region: Region

beforeEach(() => {
  // Views are plain buffers, because the map of pages has no bytes within a page.
  memory = createMemory(Object.assign(new PageOS({}), { view: (_v: number, n: number) => new ArrayBuffer(n) }))
  region = memory.reserve(16 * page, { name: 'vectors' })
  region.commit()
})

describe('region.readFrom', () => {
  it('copies all chunks to the offset, and returns the number of bytes', async () => {
    const reading = region.readFrom(chunks(10, 0, 20), 100)
    expect(() => region.unused(0, page)).toThrow(/region\.readFrom\(\) keeps/)
    expect(await reading).toBe(30)
    region.unused()
  })

  it('ends a source at the limit, within a chunk', async () => {
    const source = Readable.from(chunks(10, 20, 30))
    expect(await region.readFrom(source, 0, { limit: 15 })).toBe(15)
    expect(source.destroyed).toBe(true)
    expect(await region.readFrom(chunks(10), 0, { limit: 0 })).toBe(0)
  })

  it('holds only as much as the limit', async () => {
    const reading = region.readFrom(chunks(10), page, { limit: page })
    region.unusedAll([0, page, 2 * page, 14 * page])
    expect(await reading).toBe(10)
  })

  it('fills the region to its end, and refuses a source that has more', async () => {
    expect(await region.readFrom(chunks(15 * page, page))).toBe(16 * page)
    const error = await rejection(region.readFrom(chunks(16 * page, 1)))
    expect(error).toBeInstanceOf(TransferError)
    expect(error).toMatchObject({ code: 'ERR_MEMLAYER_TRANSFER', bytes: 16 * page, op: 'readFrom', region: 'vectors' })
    expect(String(error)).toBe(
      `TransferError: readFrom(0) of the region 'vectors': the source has more bytes than the region ` +
        `after ${16 * page} bytes. Pass a limit to read a part of a source, or reserve a larger region.`,
    )
  })

  it('says how far it came when the source fails, with the error of the source', async () => {
    const cause = new RangeError('mine')
    const source = async function* (): AsyncGenerator<Uint8Array> {
      yield* chunks(10, 20)
      throw cause
    }
    const error = await rejection(region.readFrom(source(), 8))
    expect(error).toMatchObject({ name: 'TransferError', bytes: 30, offset: 8, cause })
    region.free()
  })

  it('says how far it came when the signal aborts, also while the source is silent', async () => {
    const controller = new AbortController()
    const silent = new ReadableStream({ start: (c) => c.enqueue(new Uint8Array(5)) })
    const reading = region.readFrom(silent, 0, { signal: controller.signal })
    await new Promise((resolve) => setTimeout(resolve, 5))
    controller.abort()
    const error = await rejection(reading)
    expect(error).toMatchObject({ name: 'AbortError', code: 'ERR_MEMLAYER_TRANSFER', bytes: 5 })
    expect((error as Error).cause).toBe(controller.signal.reason)
    region.free()
  })

  it('does not touch the source where the signal has aborted before', async () => {
    const stream = new ReadableStream()
    const error = await rejection(region.readFrom(stream, 0, { signal: AbortSignal.abort() }))
    expect(error).toMatchObject({ name: 'AbortError', bytes: 0 })
    expect(stream.locked).toBe(false)
  })

  it('takes a chunk that has no bytes for an error of the source', async () => {
    const source = Readable.from(['text']) as unknown as ByteSource
    const error = await rejection(region.readFrom(source))
    expect(error).toMatchObject({ bytes: 0, cause: errorWith('ERR_MEMLAYER_VIEW') })
    expect(String(error)).toContain('readFrom: a chunk of the source is "text". Pass a source of bytes.')
  })

  it.each<[string, unknown[], string]>([
    ['what is not a source', [new Uint8Array(4)], 'ERR_MEMLAYER_OPTION'],
    ['null', [null], 'ERR_MEMLAYER_OPTION'],
    ['an offset outside', [chunks(1), 17 * page], 'ERR_MEMLAYER_RANGE'],
    ['a limit beyond the end', [chunks(1), 0, { limit: 17 * page }], 'ERR_MEMLAYER_RANGE'],
    ['a limit that is not one', [chunks(1), 0, { limit: -1 }], 'ERR_MEMLAYER_OPTION'],
    ['a signal that is not one', [chunks(1), 0, { signal: {} }], 'ERR_MEMLAYER_OPTION'],
    ['an option that is not known', [chunks(1), 0, { limits: 1 }], 'ERR_MEMLAYER_OPTION'],
  ])('refuses %s before any effect', async (_, given, code) => {
    const readFrom = region.readFrom.bind(region) as (...given: unknown[]) => Promise<unknown>
    const error = await rejection(readFrom(...given))
    expect(error).toBeInstanceOf(UsageError)
    expect(error).toMatchObject({ code })
    region.free()
  })

  it('refuses a stream that another reader has, and a body that was used', async () => {
    const stream = new ReadableStream()
    stream.getReader()
    expect(await rejection(region.readFrom(stream))).toMatchObject({ code: 'ERR_MEMLAYER_OPTION' })
    const used = new Response('text')
    await used.text()
    expect(await rejection(region.readFrom(used))).toMatchObject({ code: 'ERR_MEMLAYER_OPTION' })
    expect(await region.readFrom(new Response(null))).toBe(0)
  })

  it('needs Ready pages', async () => {
    region.unused(0, page)
    expect(await rejection(region.readFrom(chunks(1)))).toMatchObject({ code: 'ERR_MEMLAYER_STATE', op: 'readFrom' })
  })
})

describe.each(['stream', 'toReadable'] as const)('region.%s', (name) => {
  const collect = async (source: AsyncIterable<Uint8Array>): Promise<number[]> => {
    const lengths: number[] = []
    for await (const chunk of source) lengths.push(chunk.length)
    return lengths
  }

  it('gives copies in chunks, and lets the pages go after the last', async () => {
    region.write(0, new Uint8Array(16).fill(1))
    const stream = region[name](0, 10_000, { chunk: 4000 }) as AsyncIterable<Uint8Array>
    expect(() => region.free()).toThrow(errorWith('ERR_MEMLAYER_SHARED'))
    expect(() => region.free()).toThrow(new RegExp(`region\\.${name}\\(\\) keeps`))
    expect(await collect(stream)).toEqual([4000, 4000, 2000])
    region.free()
  })

  it('lets the pages go when its consumer leaves', async () => {
    for await (const chunk of region[name](0, 10_000, { chunk: 4000 }) as AsyncIterable<Uint8Array>) {
      expect(chunk.length).toBe(4000)
      break
    }
    region.free()
  })

  it('ends at once where there are no bytes', async () => {
    expect(await collect(region[name](page, 0) as AsyncIterable<Uint8Array>)).toEqual([])
    region.free()
  })

  it.each<[unknown[], string]>([
    [[0, 17 * page], 'ERR_MEMLAYER_RANGE'],
    [[0, page, { chunk: 0 }], 'ERR_MEMLAYER_OPTION'],
    [[0, page, { size: 1 }], 'ERR_MEMLAYER_OPTION'],
  ])('refuses %j', (given, code) => {
    const make = region[name].bind(region) as (...given: unknown[]) => unknown
    expect(() => make(...given)).toThrow(errorWith(code))
    region.free()
  })
})
