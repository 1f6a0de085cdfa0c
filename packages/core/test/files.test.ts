// readFile and writeFile over files that a test makes: short calls, ends, failures, aborts, several calls at once.
// The test in-out of memlayer runs them on real files and every runtime.
import { createMemory, TransferError, type Memory, type ReadableFile, type Region } from '@memlayer/core'
import { beforeEach, describe, expect, it } from 'vitest'
import { PageOS } from './page-os.js'

const page = 4096
/** What a promise is rejected with. */
const rejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => expect.fail('it did not reject'),
    (error: unknown) => error,
  )

/** A file that answers every call with `most` bytes or fewer, and ends at `size`. */
function fileOf(size: number, most = Infinity): ReadableFile & { calls: number[][]; underWay: number; atOnce: number } {
  return {
    calls: [],
    underWay: 0,
    atOnce: 0,
    async read(_buffer, _offset, length, position) {
      this.calls.push([position, length])
      this.underWay += 1
      this.atOnce = Math.max(this.atOnce, this.underWay)
      await new Promise((resolve) => setImmediate(resolve))
      this.underWay -= 1
      return { bytesRead: Math.max(0, Math.min(length, most, size - position)) }
    },
  }
}

let memory: Memory
let region: Region

beforeEach(() => {
  memory = createMemory(Object.assign(new PageOS({}), { view: (_v: number, n: number) => new ArrayBuffer(n) }))
  region = memory.reserve(16 * page, { name: 'vectors' })
  region.commit()
})

describe('region.readFile', () => {
  it('reads several chunks at once, and goes on after a short call', async () => {
    const file = fileOf(2 ** 20, 3000)
    const told: number[] = []
    const options = { chunk: page, concurrency: 3, progress: (bytes: number) => told.push(bytes) }
    expect(await region.readFile(file, 100, page, 4 * page, options)).toBe(4 * page)
    expect(file.atOnce).toBe(3)
    expect(file.calls.filter(([position]) => position === 100 + 3000)).toEqual([[3100, page - 3000]])
    expect(told.length).toBe(8)
    expect(told.at(-1)).toBe(4 * page)
    region.free()
  })

  it.each([0, 1, page, page + 1, 5 * page - 1])('ends where the file ends, after %i bytes', async (size) => {
    expect(await region.readFile(fileOf(size), 0, 0, 8 * page, { chunk: page })).toBe(size)
    region.free()
  })

  it('holds the pages until the last call has ended, also after an error', async () => {
    const ends: ((answer: { bytesRead: number }) => void)[] = []
    let failures = 0
    const file: ReadableFile = {
      read: (_buffer, _offset, length, position) =>
        position === 0
          ? new Promise((resolve) => ends.push(resolve))
          : position === page
            ? Promise.resolve({ bytesRead: length })
            : Promise.reject(new RangeError(`mine ${(failures += 1)}`)),
    }
    const error = rejection(region.readFile(file, 0, 0, 4 * page, { chunk: page }))
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect(() => region.free()).toThrow(/region\.readFile\(\) keeps/)
    ends[0]?.({ bytesRead: page })
    expect(await error).toMatchObject({ name: 'TransferError', bytes: 2 * page, cause: new RangeError('mine 1') })
    region.free()
  })

  it('says how far it came when the signal aborts, and reads no further', async () => {
    const controller = new AbortController()
    const file = fileOf(2 ** 20)
    const options = {
      chunk: page,
      concurrency: 2,
      signal: controller.signal,
      progress: () => controller.abort('enough'),
    }
    const error = await rejection(region.readFile(file, 0, 0, 16 * page, options))
    expect(error).toMatchObject({ name: 'AbortError', code: 'ERR_MEMLAYER_TRANSFER', bytes: 2 * page, cause: 'enough' })
    expect(file.calls.length).toBe(2)
    region.free()
  })

  it('takes a file that moved the view for one that failed', async () => {
    const file: ReadableFile = {
      read: (buffer, _offset, length) => {
        structuredClone(buffer, { transfer: [buffer.buffer as ArrayBuffer] })
        return Promise.resolve({ bytesRead: length })
      },
    }
    const error = await rejection(region.readFile(file, 0, 0, page))
    expect(error).toBeInstanceOf(TransferError)
    expect((error as Error).cause).toMatchObject({ code: 'ERR_MEMLAYER_VIEW' })
    region.free(page, 15 * page)
  })

  it.each([NaN, -1, page + 1, '1'])('takes a file that answers %j for one that failed', async (bytesRead) => {
    const file = { read: () => Promise.resolve({ bytesRead: bytesRead as number }) }
    expect(await rejection(region.readFile(file, 0, 0, page))).toMatchObject({ bytes: 0, name: 'TransferError' })
    region.free()
  })

  it('wants whole blocks for O_DIRECT, and ends within the last block of the file', async () => {
    const file = fileOf(3 * page + 5)
    expect(await region.readFile(file, 0, 0, 8 * page, { direct: true, chunk: 2 * page })).toBe(3 * page + 5)
    expect(file.calls.every(([position]) => (position as number) % page === 0)).toBe(true)
    for (const [position, offset, length] of [
      [1, 0, page],
      [0, 1, page],
      [0, 0, 100],
    ] as const) {
      const error = await rejection(region.readFile(file, position, offset, length, { direct: true }))
      expect(error).toMatchObject({ code: 'ERR_MEMLAYER_ALIGNMENT', op: 'readFile' })
    }
  })

  it('copies where a view ends whenever memory grows', async () => {
    const os = Object.assign(new PageOS({}), { detach: () => undefined })
    const wasm = createMemory(os).reserve(page)
    wasm.commit()
    const seen: Uint8Array[] = []
    const read = (buffer: Uint8Array): Promise<{ bytesRead: number }> => {
      seen.push(buffer)
      return Promise.resolve({ bytesRead: buffer.fill(7).length })
    }
    expect(await wasm.readFile({ read })).toBe(page)
    expect(seen[0]?.buffer.byteLength).toBe(page)
    expect(wasm.view(Uint8Array).buffer).not.toBe(seen[0]?.buffer)
  })

  it.each<[string, unknown[], string]>([
    ['what is not a file', ['/etc/hosts'], 'ERR_MEMLAYER_OPTION'],
    ['a position that is not one', [fileOf(1), -1], 'ERR_MEMLAYER_OPTION'],
    ['a range outside', [fileOf(1), 0, 0, 17 * page], 'ERR_MEMLAYER_RANGE'],
    ['a chunk of nothing', [fileOf(1), 0, 0, page, { chunk: 0 }], 'ERR_MEMLAYER_OPTION'],
    ['no calls at once', [fileOf(1), 0, 0, page, { concurrency: 0 }], 'ERR_MEMLAYER_OPTION'],
    ['a progress that is not a function', [fileOf(1), 0, 0, page, { progress: 1 }], 'ERR_MEMLAYER_OPTION'],
    ['a signal that is not one', [fileOf(1), 0, 0, page, { signal: 1 }], 'ERR_MEMLAYER_OPTION'],
  ])('refuses %s before any effect', async (_, given, code) => {
    const call = region.readFile.bind(region) as (...given: unknown[]) => Promise<unknown>
    expect(await rejection(call(...given))).toMatchObject({ name: 'UsageError', code })
    region.free()
  })
})

describe('region.writeFile', () => {
  it('writes every byte, by calls that may be short', async () => {
    const written = new Set<number>()
    const write = (_: Uint8Array, __: number, length: number, position: number): Promise<{ bytesWritten: number }> => {
      const n = Math.min(length, 1000)
      for (let at = position; at < position + n; at++) written.add(at)
      return Promise.resolve({ bytesWritten: n })
    }
    expect(await region.writeFile({ write }, 50, 0, 2 * page, { chunk: 3000 })).toBe(2 * page)
    expect(written.size).toBe(2 * page)
  })

  it('takes a file that writes nothing for one that failed', async () => {
    const write = (): Promise<{ bytesWritten: number }> => Promise.resolve({ bytesWritten: 0 })
    expect(String(await rejection(region.writeFile({ write }, 0, 0, page)))).toContain('the file takes no more bytes')
    region.free()
  })
})
