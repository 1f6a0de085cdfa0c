// Adoption over a backend of the tests: when the OS is asked, what its refusal becomes, and what a loss ends. The tests
// of os-engine adopt what engines make.
import { createMemory, UsageError, type Memory, type ReadableFile } from '@memlayer/core'
import { placeBuffer } from '@memlayer/kernel'
import { describe, expect, it } from 'vitest'
import { errorOf } from './errors-of.js'
import { noLimits } from './no-limits.js'
import { PageOS, type PageOSOptions } from './page-os.js'

const page = 4096
const place = 2 ** 30

/** A backend that takes buffers: each lies at `place` and begins so many bytes within a page. */
class AdoptingOS extends PageOS {
  /** The lengths of the buffers that it was asked for. */
  readonly asked: number[] = []
  readonly #within: number
  readonly #tellsPlace: boolean

  constructor(options: PageOSOptions = {}, within = 0, tellsPlace = true) {
    super({ pages: 2048, ...options })
    this.#within = within
    this.#tellsPlace = tellsPlace
  }

  override view(_v: number, n: number): ArrayBuffer {
    return new ArrayBuffer(n)
  }

  sysAdoptOS(bufferNow: () => ArrayBufferLike): ReturnType<NonNullable<Memory['os']['sysAdoptOS']>> {
    const buffer = bufferNow()
    const { byteLength } = buffer
    this.asked.push(byteLength)
    if (this.#tellsPlace) placeBuffer(buffer, place + this.#within)
    const address = place + (this.#within === 0 ? 0 : page)
    const size = Math.floor((place + this.#within + byteLength - address) / page) * page
    const numbers = Array.from({ length: Math.max(size, 0) / page }, (_, i) => address / page + i)
    if (numbers.length === 0 || numbers.some((number) => this.pages.has(number))) {
      this.refusal = { hint: 'Ask the tests.' }
      return null
    }
    for (const number of numbers) this.pages.set(number, { state: 'Ready', reservation: -2 })
    return { address, size, isThere: () => bufferNow().byteLength >= byteLength }
  }
}

describe('memory.adopt', () => {
  it('asks the OS after the reclaimers: a buffer that one of them takes away is refused, with nothing changed', () => {
    const os = new AdoptingOS()
    const memory = createMemory(os)
    const buffer = new ArrayBuffer(4 * page)
    const held = memory.sysAlloc(page, null)
    memory.limit = { bytes: 4 * page }
    let asked = 0
    memory.reclaimer({ name: 'thief' }, () => {
      asked += 1
      expect(os.asked).toEqual([])
      memory.limit = null
      buffer.transfer()
    })
    expect(errorOf(() => memory.adopt(buffer))).toMatchObject({ code: 'ERR_MEMLAYER_SIZE', op: 'adopt' })
    expect([asked, os.asked, memory.stats().total.ready, memory.stats().total.refusals]).toEqual([1, [0], page, 0])
    memory.sysFree(held, page, null)
  })

  it('asks the OS for nothing that has less than a page', () => {
    const os = new AdoptingOS()
    const memory = createMemory(os)
    expect(errorOf(() => memory.adopt(new ArrayBuffer(page - 1)))).toMatchObject({ code: 'ERR_MEMLAYER_SIZE' })
    expect(os.asked).toEqual([])
  })

  it('is an OutOfMemoryError with the hint of an OS that gives no other reason for a large buffer', () => {
    const os = new AdoptingOS({}, 0, false)
    const memory = createMemory(os)
    os.occupy(place + page, page)
    const refused = errorOf(() => memory.adopt(new ArrayBuffer(4 * page)))
    expect(refused).toMatchObject({ name: 'OutOfMemoryError', hint: 'Ask the tests.', op: 'adopt' })
    expect([memory.stats().total.refusals, os.refusal]).toEqual([1, null])
  })

  it('leaves nothing of the refusal to the next error, where the memory has the pages', () => {
    const os = new AdoptingOS({}, 16)
    const memory = createMemory(os)
    const region = memory.adopt(new ArrayBuffer(4 * page), { name: 'first' })
    expect(region.address).toBe(place + page)
    const error = errorOf(() => memory.adopt(new ArrayBuffer(8 * page), { name: 'second' }))
    expect(error).toMatchObject({ code: 'ERR_MEMLAYER_OPTION' })
    expect(error.message).toContain("the region 'first' has pages of this buffer already. Use that region")
    expect(os.refusal).toBe(null)
    memory.check()
  })

  it('does not take a region for collected whose reservation an observer has just heard of', () => {
    const os = new AdoptingOS({ base: place })
    const memory = createMemory(os)
    let error: unknown
    const stop = memory.observe(({ op }) => {
      if (op === 'sysReserve') error = errorOf(() => memory.adopt(new ArrayBuffer(page), { name: 'late' }))
    })
    memory.reserve(page, { name: 'fresh' })
    stop()
    expect(error).toBeInstanceOf(UsageError)
    expect((error as Error).message).toContain("the region 'fresh' has pages of this buffer already. Use that region")
  })
})

describe('a limit', () => {
  const size = 4 * page

  it('of the process is not asked for a buffer, whose memory the process has, and is read anew', () => {
    let used = 100 * page
    const os = new AdoptingOS()
    const groupLimits = () => ({ ...noLimits, groupLimit: 2 ** 40, groupUsed: used })
    os.host = { groupLimits }
    const memory = createMemory(os)
    memory.reclaimer({ name: 'cache' }, () => expect.fail('the reclaimer was asked'))
    memory.limit = { bytes: used, of: 'process' }
    expect(memory.limit?.used).toBe(100 * page)
    used = 98 * page
    const region = memory.adopt(new ArrayBuffer(size))
    // Without a new look it would be what was used before, and the region.
    expect([memory.limit?.used, region.size]).toEqual([98 * page, size])
    region.release()
  })

  it('of a category is asked also where the process is measured', () => {
    const os = new AdoptingOS()
    os.host = { groupLimits: () => ({ ...noLimits, groupLimit: 2 ** 40, groupUsed: page }) }
    const memory = createMemory(os)
    const stat = memory.stat('modules')
    stat.limit = size
    for (const limit of [{ bytes: 2 ** 30, of: 'process' } as const, { bytes: 2 ** 30 }, null]) {
      memory.limit = limit
      expect(errorOf(() => memory.adopt(new ArrayBuffer(size + page), { stat }))).toMatchObject({
        code: 'ERR_MEMLAYER_OUT_OF_MEMORY',
        op: 'adopt',
      })
      memory.adopt(new ArrayBuffer(size), { stat }).release()
    }
    expect([os.asked, memory.stats().total.refusals]).toEqual([[size, size, size], 3])
  })
})

describe('a buffer that has gone', () => {
  it('ends holds, and each call says so but release', () => {
    const os = new AdoptingOS()
    const memory = createMemory(os)
    const buffer = new ArrayBuffer(4 * page)
    const region = memory.adopt(buffer, { name: 'held' })
    const hold = region.hold(0, page)
    expect(errorOf(() => region.release())).toMatchObject({ code: 'ERR_MEMLAYER_SHARED', op: 'release' })
    const moved = buffer.transfer()
    expect(errorOf(() => region.unused(0, page)).message).toBe(
      "unused: the buffer of the region 'held' was detached, has shrunk or has moved. " +
        'Adopt the buffer that has the bytes now.',
    )
    region.release()
    region[Symbol.dispose]()
    expect([memory.holds(), os.pages.size, memory.stats().total.ready]).toEqual([[], 0, 0])
    const again = memory.adopt(moved)
    hold.release()
    again.unused()
    again.release()
    expect(errorOf(() => again.unused()).message).toBe(
      "unused: the region 'adopted' was released. Adopt the buffer again.",
    )
    memory.check()
  })

  it('rejects lend and lendAll, and has ended the views', async () => {
    for (const op of ['lend', 'lendAll'] as const) {
      const os = new AdoptingOS()
      const memory = createMemory(os)
      const buffer = new ArrayBuffer(4 * page)
      const region = memory.adopt(buffer)
      let length = NaN
      const error: unknown = await (
        op === 'lend'
          ? region.lend(Uint8Array, 0, page, () => buffer.transfer())
          : region.lendAll(Uint8Array, [0, page, page, page], (views) => {
              buffer.transfer()
              length = views.length
            })
      ).catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ name: 'UsageError', code: 'ERR_MEMLAYER_VIEW', op })
      expect((error as Error).message).toContain(
        "the view's bytes are gone, because the buffer of the region 'adopted'",
      )
      expect([length, memory.holds(), os.pages.size]).toEqual([op === 'lend' ? NaN : 2, [], 0])
      memory.check()
    }
  })
})

describe('a buffer that goes while readFile has its pages', () => {
  it('ends it with the error of the region once the calls under way have ended', async () => {
    const os = new AdoptingOS()
    const memory = createMemory(os)
    const buffer = new ArrayBuffer(16 * page)
    const region = memory.adopt(buffer, { name: 'io' })
    let calls = 0
    const file: ReadableFile = {
      async read(_bytes, _offset, length) {
        calls += 1
        if (calls === 3) buffer.transfer()
        await new Promise((resolve) => setImmediate(resolve))
        return { bytesRead: length }
      },
    }
    const error: unknown = await region
      .readFile(file, 0, 0, 16 * page, { chunk: page, concurrency: 1 })
      .catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ name: 'UsageError', code: 'ERR_MEMLAYER_DISPOSED', op: 'readFile', region: 'io' })
    expect(region.disposed).toBe(true)
    expect([calls, memory.holds(), memory.stats().total.ready]).toEqual([3, [], 0])
    memory.check()
  })
})
