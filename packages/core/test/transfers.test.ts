// Transfers into a region and streams of one, over a map of pages: what is refused before any effect, how far a
// transfer came that ended in the middle, and that nothing holds the pages afterwards. The test in-out of memlayer runs
// them on every runtime, with real pages and real sources.
import { Agent, createServer, request, type IncomingMessage, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { PassThrough, Readable } from 'node:stream'
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

  it('ends what only transforms bytes at the limit, because it is not a connection', async () => {
    const source = new PassThrough()
    source.end(new Uint8Array(100))
    expect(await region.readFrom(source, 0, { limit: 15 })).toBe(15)
    expect(source.destroyed).toBe(true)
  })

  it.each<[string, object]>([
    [
      'throws',
      {
        return() {
          throw new Error('mine')
        },
      },
    ],
    ['rejects', { return: () => Promise.reject(new Error('mine')) }],
    ['never settles', { return: () => new Promise(() => {}) }],
  ])('ends a source whose return() %s, at the limit, by an error and by a signal', async (_, end) => {
    const source = (chunk: Promise<unknown>): ByteSource =>
      ({ [Symbol.asyncIterator]: () => ({ next: () => chunk, ...end }) }) as never
    const next = Promise.resolve({ done: false, value: new Uint8Array(10) })
    expect(await region.readFrom(source(next), 0, { limit: 15 })).toBe(15)
    expect(await rejection(region.readFrom(source(next), 16 * page - 15))).toMatchObject({
      code: 'ERR_MEMLAYER_TRANSFER',
      bytes: 15,
    })
    const signal = AbortSignal.timeout(5)
    const silent = source(new Promise(() => {}))
    expect(await rejection(region.readFrom(silent, 0, { signal }))).toMatchObject({ name: 'AbortError', bytes: 0 })
    region.free()
  })

  it('takes an iterable that throws, or has no iterator, for a source that fails', async () => {
    const cause = new Error('mine')
    const broken = {
      [Symbol.asyncIterator]() {
        throw cause
      },
    }
    expect(await rejection(region.readFrom(broken as never))).toMatchObject({ code: 'ERR_MEMLAYER_TRANSFER', cause })
    const none = { [Symbol.asyncIterator]: () => undefined }
    expect(await rejection(region.readFrom(none as never))).toMatchObject({ code: 'ERR_MEMLAYER_TRANSFER', bytes: 0 })
    region.free()
  })

  it('ends with a stream of bytes that closes and does not give the buffer back', async () => {
    let pulls = 0
    const source = new ReadableStream({
      type: 'bytes',
      pull(controller) {
        if (pulls++ < 3) controller.enqueue(new Uint8Array(10))
        else controller.close()
      },
    })
    expect(await region.readFrom(source)).toBe(30)
    region.free()
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

  it('refuses a stream of Node that another call reads, which would share its chunks', async () => {
    const source = new PassThrough()
    const first = region.readFrom(source, 0, { limit: 8 * page })
    source.write(new Uint8Array(10).fill(1))
    await new Promise((resolve) => setImmediate(resolve))
    const second = await rejection(region.readFrom(source, 8 * page, { limit: 10 }))
    expect(second).toEqual(errorWith('ERR_MEMLAYER_OPTION'))
    source.end(new Uint8Array(10).fill(2))
    expect(await first).toBe(20)
    // It has ended, and a second read of it finds nothing.
    expect(await region.readFrom(source)).toBe(0)
    expect(memory.holds()).toEqual([])
  })

  it('needs Ready pages', async () => {
    region.unused(0, page)
    expect(await rejection(region.readFrom(chunks(1)))).toMatchObject({ code: 'ERR_MEMLAYER_STATE', op: 'readFrom' })
  })
})

describe('region.readFrom of a request', () => {
  const long = new Uint8Array(2_000_000).fill(7)
  interface Client {
    /** Posts a body on the one connection that there is. Returns the answer. */
    post(chunked: boolean): Promise<string>
    get(): Promise<IncomingMessage>
    connections(): number
  }

  async function withServer(serve: RequestListener, use: (client: Client) => Promise<void>): Promise<void> {
    let connections = 0
    const server = createServer(serve).on('connection', () => (connections += 1))
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const to = { agent, host: '127.0.0.1', port: (server.address() as AddressInfo).port }
    const post = (chunked: boolean): Promise<string> =>
      new Promise((resolve, reject) => {
        const headers = chunked ? {} : { 'content-length': long.length }
        const sent = request({ ...to, method: 'POST', headers }, (answer) => {
          answer.setEncoding('utf8')
          let text = ''
          answer.on('data', (part: string) => (text += part)).on('end', () => resolve(text))
        })
        sent.on('error', reject).end(long)
      })
    const get = (): Promise<IncomingMessage> =>
      new Promise((resolve, reject) => void request(to, resolve).on('error', reject).end())
    try {
      await use({ post, get, connections: () => connections })
    } finally {
      agent.destroy()
      server.closeAllConnections()
      server.close()
    }
  }

  it.each([false, true])('answers at the limit, and the connection serves the next: chunked is %s', async (chunked) => {
    const serve: RequestListener = (asked, answer) =>
      void region.readFrom(asked, 0, { limit: 10 }).then((n) => answer.end(`${n} bytes`))
    await withServer(serve, async ({ post, connections }) => {
      for (let i = 0; i < 3; i++) expect(await post(chunked)).toBe('10 bytes')
      expect(connections()).toBe(1)
    })
  })

  it('leaves the rest to what reads on, also when the answer was sent before', async () => {
    const serve = async (asked: IncomingMessage, finish: () => void): Promise<number> => {
      let bytes = await region.readFrom(asked, 0, { limit: 10 })
      finish()
      for await (const chunk of asked) {
        bytes += (chunk as Uint8Array).length
        await new Promise((resolve) => setImmediate(resolve))
      }
      return bytes
    }
    const all: number[] = []
    const listen: RequestListener = (asked, answer) =>
      void serve(asked, () => answer.end('ok')).then((n) => all.push(n))
    await withServer(listen, async ({ post }) => {
      expect([await post(false), await post(true), await post(false)]).toEqual(['ok', 'ok', 'ok'])
      await expect.poll(() => all).toEqual([long.length, long.length, long.length])
    })
  })

  it('can still answer one that is too long, and its connection serves the next', async () => {
    const serve: RequestListener = (asked, answer) =>
      void region.readFrom(asked).catch((error: unknown) => answer.end((error as { code: string }).code))
    await withServer(serve, async ({ post, connections }) => {
      for (let i = 0; i < 3; i++) expect(await post(i === 1)).toBe('ERR_MEMLAYER_TRANSFER')
      expect(connections()).toBe(1)
    })
  })

  it("ends the answer of a server at the limit, so that the client's connection is free", async () => {
    await withServer(
      (_, answer) => void answer.end(long),
      async ({ get }) => {
        for (let i = 0; i < 3; i++) {
          const answer = await get()
          expect(await region.readFrom(answer, 0, { limit: 10 })).toBe(10)
          expect(answer.destroyed).toBe(true)
        }
      },
    )
  })
})

describe('region.stream', () => {
  it('ends a read that asks for more bytes than there are', async () => {
    const reader = (region.stream(0, 100) as ReadableStream<Uint8Array>).getReader({ mode: 'byob' })
    const { value } = await reader.read(new Uint8Array(200), { min: 150 })
    expect(value?.length).toBe(100)
    expect((await reader.read(new Uint8Array(1))).done).toBe(true)
    region.free()
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
