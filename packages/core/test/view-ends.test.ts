// How views end, and what the layer still knows of them: in the job that made them and after it, by an operation, by a
// script that moves their bytes, and by the collector.
import { createMemory, type Address, type Memory } from '@memlayer/core'
import { beforeDetach } from '@memlayer/kernel'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Views } from '../src/borrows/views.js'
import { replaceRegistry, type Collector } from './collected.js'
import { errorOf } from './errors-of.js'
import { PageOS } from './page-os.js'

const page = 4096

/** Counts the buffers that it makes. */
class CountingOS extends PageOS {
  readonly made: [v: Address, n: number][] = []

  override view(v: Address, n: number): ArrayBuffer {
    this.made.push([v, n])
    return new ArrayBuffer(n)
  }
}

let os: CountingOS
let memory: Memory
let v: Address

beforeEach(() => {
  os = new CountingOS()
  memory = createMemory(os)
  v = memory.sysAlloc(64 * page, null)
})

afterEach(() => {
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

/** A view on a buffer of its own. */
const large = (at: number): Uint8Array<ArrayBuffer> => memory.view(Uint8Array, v + at * page, 3 * page)
const moved = ({ buffer }: Uint8Array<ArrayBuffer>): ArrayBuffer => structuredClone(buffer, { transfer: [buffer] })

describe('a view that is moved in the job that made it', () => {
  it.each([
    ['the oldest of three', 0],
    ['the one in the middle', 1],
    ['the youngest', 2],
  ])('is told of when the job has ended, after %s ended', async (_, ended) => {
    const views = [large(0), large(4), large(8)]
    memory.sysUnused(v + 4 * ended * page, page)
    for (const [at, view] of views.entries()) if (at !== ended) moved(view)
    expect(memory.holds()).toEqual([])
    await Promise.resolve()
    const places = memory.holds().map(({ kind, address }) => `${kind} ${(address - v) / page}`)
    expect(places.toSorted()).toEqual([0, 4, 8].filter((at) => at !== 4 * ended).map((at) => `moved ${at}`))
    expect(memory.stats().pinned).toBe(6 * page)
  })

  it('is told of when all of those that ended were the youngest, one after the other', async () => {
    const [first] = [large(0), large(4), large(8), large(12)]
    for (const at of [12, 8, 4]) memory.sysUnused(v + at * page, page)
    moved(first)
    await Promise.resolve()
    expect(memory.holds()).toHaveLength(1)
  })

  it('is told of once, where a later job makes others', async () => {
    moved(large(0))
    await Promise.resolve()
    large(4)
    await Promise.resolve()
    expect(memory.holds()).toHaveLength(1)
  })
})

describe('a view of a later job', () => {
  it('ends with its pages, and only then', async () => {
    const [first, second] = [large(0), large(4)]
    await Promise.resolve()
    memory.sysUnused(v + 8 * page, page)
    expect([first.length, second.length]).toEqual([3 * page, 3 * page])
    memory.sysUnused(v + 2 * page, page)
    expect([first.length, second.length]).toEqual([0, 3 * page])
    memory.sysFree(v, 64 * page, null)
    expect(second.length).toBe(0)
  })
})

describe('a view that can not be detached', () => {
  it('is looked at again, and its pages stay where its bytes were moved meanwhile', () => {
    const views = new Views(os)
    const own = views.make(Uint8Array, v, 3 * page, 3 * page, null)
    beforeDetach(own.buffer, () => {
      throw new TypeError('in use')
    })
    expect(errorOf(() => views.end('unused', v, page)).message).toContain("can't be detached: in use")
    expect(own.length).toBe(3 * page)
    moved(own)
    expect(errorOf(() => views.end('unused', v, page)).message).toContain('was transferred')
    expect(views.count).toBe(1)
  })

  it('has ended where the stack was full after the engine had detached it', () => {
    const views = new Views(os)
    const own = views.make(Uint8Array, v, 3 * page, 3 * page, null)
    beforeDetach(own.buffer, () => {
      moved(own)
      throw new RangeError('Maximum call stack size exceeded')
    })
    expect(errorOf(() => views.end('unused', v, page)).code).toBe('ERR_MEMLAYER_VIEW')
    views.end('unused', v, page)
    expect([own.length, views.count]).toEqual([0, 0])
  })
})

describe('an engine that makes no view so long', () => {
  it('is said to be the reason, and any other error is its own', () => {
    const views = new Views(os)
    const makes = vi.spyOn(os, 'view')
    makes.mockImplementationOnce(() => {
      throw new RangeError('Array buffer allocation failed')
    })
    const error = errorOf(() => views.make(Uint8Array, v, 3 * page, 3 * page, null))
    expect(error).toMatchObject({ code: 'ERR_MEMLAYER_VIEW', op: 'view', address: v, size: 3 * page })
    expect(error.message).toContain('the engine makes no view of 12288 bytes: Array buffer allocation failed')
    makes.mockImplementationOnce(() => {
      throw new TypeError('mine')
    })
    expect(() => views.make(Uint8Array, v, 3 * page, 3 * page, null)).toThrow(new TypeError('mine'))
    expect(views.count).toBe(0)
  })
})

describe('views that the collector takes', () => {
  let collector: Collector
  let views: Views

  beforeEach(() => {
    collector = replaceRegistry()
    views = new Views(os)
  })

  const make = (at: number, n: number, isOwn = false): Uint8Array<ArrayBuffer> =>
    views.make(Uint8Array, v + at * page, n, n, null, isOwn)

  it('are known until then, and not after it', async () => {
    const [first, second] = [make(0, 3 * page), make(4, 100)]
    await Promise.resolve()
    expect([views.count, views.bytes, collector.size]).toEqual([2, 4 * page, 2])
    expect(collector.collect(first.buffer)).toBe(1)
    expect([views.count, views.bytes]).toEqual([1, page])
    views.end('unused', v, 64 * page)
    expect([views.count, second.length, collector.size]).toEqual([0, 0, 0])
  })

  it('that end in their job are not waited for', async () => {
    make(0, 3 * page)
    views.end('unused', v, page)
    await Promise.resolve()
    expect(collector.size).toBe(0)
  })

  it('leave the buffer of younger small views of their page where it is', async () => {
    const old = make(0, 100)
    await Promise.resolve()
    const { buffer } = old
    // A hook takes the bytes, and small views get another buffer.
    structuredClone(buffer, { transfer: [buffer] })
    const young = make(0, 100)
    await Promise.resolve()
    collector.collect(buffer)
    expect(make(0, 100).buffer).toBe(young.buffer)
    collector.collect(young.buffer)
    expect(os.made).toHaveLength(2)
    expect(make(0, 100).buffer).not.toBe(young.buffer)
  })
})

describe('small views', () => {
  it('share the buffer of their page, but for one of its own', () => {
    const views = new Views(os)
    const [first, second] = [0, 8].map((at) => views.make(Uint8Array, v + at, 8, 8, null))
    const own = views.make(Uint8Array, v + 16, 8, 8, null, true)
    expect([first?.buffer === second?.buffer, own.buffer === first?.buffer]).toEqual([true, false])
    expect(os.made).toEqual([
      [v, page],
      [v + 16, 8],
    ])
  })

  it('of exactly a page and of one byte more are told apart', () => {
    const views = new Views(os)
    views.make(Uint8Array, v, page, page, null)
    views.make(Uint8Array, v + page, page + 1, page + 1, null)
    views.make(Uint8Array, v + 4 * page - 1, 2, 2, null)
    views.make(Uint8Array, v + 4 * page - 2, 2, 2, null)
    expect(os.made).toEqual([
      [v, page],
      [v + page, page + 1],
      [v + 3 * page, 2 * page],
      [v + 3 * page, page],
    ])
  })

  it('of no bytes are on no memory', () => {
    const views = new Views(os)
    expect([views.make(Uint8Array, v, 0, 0, null).length, os.made, views.count]).toEqual([0, [], 0])
  })
})

describe('a view that is one of a lend', () => {
  it('ends alone', async () => {
    const views = new Views(os)
    const [own, other] = [0, 1].map(() => views.make(Uint8Array, v, 100, 100, null, true)) as [
      Uint8Array<ArrayBuffer>,
      Uint8Array<ArrayBuffer>,
    ]
    views.endOne('lend', v, 100, own.buffer)
    expect([own.length, other.length, views.count]).toEqual([0, 100, 1])
    await Promise.resolve()
    moved(other)
    expect(errorOf(() => views.endOne('lend', v, 100, other.buffer)).message).toMatch(/^lend\(.*was transferred/)
    expect(Array.from(views.pinned())).toMatchObject([{ start: v, end: v + 100 }])
    views.endOne('lend', v, 0, other.buffer)
  })
})

describe('views of an engine that keeps them', () => {
  it('are windows: they never end, and none is entered', () => {
    const zeroed = new CountingOS({ traits: { ends: 'zeroed' } })
    const own = createMemory(zeroed)
    const at = own.sysAlloc(4 * page, null)
    const [small, long] = [own.view(Uint8Array, at, 8), own.view(Uint8Array, at, 3 * page)]
    own.sysUnused(at, 4 * page)
    expect([small.length, long.length, Object.getPrototypeOf(long.buffer) === ArrayBuffer.prototype]).toEqual([
      8,
      3 * page,
      true,
    ])
    expect(zeroed.made).toEqual([
      [at, 8],
      [at, 3 * page],
    ])
    own.sysFree(at, 4 * page, null)
    own.check()
  })
})

describe('what a view keeps from the collector', () => {
  const edges: [key: object, kept: unknown][] = []
  const made = { view: (_: Address, n: number) => new ArrayBuffer(n), traits: new PageOS().traits }

  async function anew(source: Partial<typeof made> & { detach?: () => void } = {}): Promise<Views> {
    edges.length = 0
    vi.stubGlobal(
      'WeakMap',
      class<K extends object, V> extends WeakMap<K, V> {
        override set(key: K, kept: V): this {
          edges.push([key, kept])
          return super.set(key, kept)
        }
      },
    )
    vi.resetModules()
    const room = await import('../src/borrows/views.js')
    edges.length = 0
    return new room.Views({ ...made, ...source })
  }

  it('is its region, by its buffer, where that is its own', async () => {
    const views = await anew()
    const region = {}
    const view = views.make(Uint8Array, v, 3 * page, 3 * page, region)
    views.make(Uint8Array, v, 3 * page, 3 * page, null)
    expect(edges).toEqual([[view.buffer, region]])
    expect(edges[0]?.[1]).toBe(region)
  })

  it('is the region of the first small view of a page that has one', async () => {
    const views = await anew()
    const [first, second] = [{ name: 'first' }, { name: 'second' }]
    const view = views.make(Uint8Array, v, 8, 8, null)
    for (const keeper of [first, second]) views.make(Uint8Array, v, 8, 8, keeper)
    expect(edges).toHaveLength(1)
    expect([edges[0]?.[0] === view.buffer, edges[0]?.[1]]).toEqual([true, first])
  })

  it('is its region, or else its memory, by the view where one buffer serves all ranges', async () => {
    const whole = new ArrayBuffer(v + 64 * page)
    const views = await anew({ view: () => whole, detach: () => undefined })
    const [whose, region] = [{ name: 'memory' }, { name: 'region' }]
    views.keepAlive(whose)
    const [own, other] = [region, null].map((keeper) => views.make(Uint8Array, v, 3 * page, 3 * page, keeper))
    expect(edges.map(([key]) => key === own || key === other)).toEqual([true, true])
    expect(edges[0]?.[1]).toBe(region)
    const kept = edges[1]?.[1] as object
    expect(Object.getOwnPropertySymbols(kept).map((key) => (kept as Record<symbol, unknown>)[key])).toEqual([whose])
  })
})
