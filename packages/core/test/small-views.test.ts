// Views of at most a page share the buffer of the pages that they lie in. They end with those pages, and no others.
import { createMemory, type Memory, type Region } from '@memlayer/core'
import { beforeDetach } from '@memlayer/kernel'
import { beforeEach, describe, expect, it } from 'vitest'
import { errorOf } from './errors-of.js'
import { PageOS } from './page-os.js'

const page = 4096

/** Counts the buffers that it makes. */
class CountingOS extends PageOS {
  buffers = 0

  override view(v: number, n: number): ArrayBuffer {
    this.buffers += 1
    return super.view(v, n)
  }
}

let os: CountingOS
let memory: Memory
let region: Region

beforeEach(() => {
  os = new CountingOS()
  memory = createMemory(os)
  region = memory.reserve(16 * page)
  region.commit()
})

describe('small views', () => {
  it('of one page are on one buffer, however many a job makes', async () => {
    const first = region.view(Uint8Array, 3 * page + 8, 100)
    for (let i = 0; i < 10_000; i++) {
      const view = region.view(Float64Array, 3 * page + 8 * (i % 500), 12)
      expect(view.byteOffset).toBe(8 * (i % 500))
    }
    await Promise.resolve()
    const later = region.view(DataView, 3 * page, page)
    expect(os.buffers).toBe(1)
    expect(later.buffer).toBe(first.buffer)
    expect([first.byteOffset, first.length, first.buffer.byteLength]).toEqual([8, 100, page])
  })

  it('over two pages are on a buffer of both, and longer ones on a buffer of their own', () => {
    const [a, b] = [region.view(Uint8Array, page - 4, 8), region.view(Uint8Array, page - 1000, page)]
    expect([os.buffers, a.buffer === b.buffer, a.buffer.byteLength, a.byteOffset]).toEqual([
      1,
      true,
      2 * page,
      page - 4,
    ])
    const long = [0, 1].map(() => region.view(Uint8Array, 4 * page, page + 1))
    expect([os.buffers, long[0]?.buffer === long[1]?.buffer, long[0]?.byteOffset]).toEqual([3, false, 0])
  })

  it('see the same bytes', () => {
    const bytes = region.view(Uint8Array, 100, 8)
    region.view(Uint32Array, 104, 1)[0] = 0x01020304
    expect([...bytes]).toEqual([0, 0, 0, 0, 4, 3, 2, 1])
  })

  it.each(['unused', 'fault', 'free'] as const)('end with their pages, and with no others: %s', (op) => {
    const at = (offset: number): Uint8Array => region.view(Uint8Array, offset, 8)
    const ended = [at(5 * page), at(5 * page + 2000), at(5 * page - 4), at(6 * page - 4)]
    const kept = [at(4 * page), at(6 * page), at(4 * page - 4), at(7 * page - 4)]
    region[op](5 * page, page)
    expect(ended.map(({ length }) => length)).toEqual([0, 0, 0, 0])
    expect(kept.map(({ length }) => length)).toEqual([8, 8, 8, 8])
    if (op === 'free') return
    region.commit()
    expect(at(5 * page).length).toBe(8)
    expect(kept.every(({ length }) => length === 8)).toBe(true)
  })

  it('do not end with a lend of their page', async () => {
    const kept = region.view(Uint8Array, 8, 8)
    const lent = await region.lend(Uint8Array, 0, 8, (view) => {
      expect([view.buffer === kept.buffer, view.byteOffset]).toEqual([false, 0])
      return view
    })
    expect([lent.length, kept.length, region.view(Uint8Array, 8, 8).length]).toEqual([0, 8, 8])
  })

  it('get a new buffer after theirs was moved, and the pages stay until it is given back', () => {
    memory = createMemory(Object.assign(new PageOS(), { view: (_v: number, n: number) => new ArrayBuffer(n) }))
    region = memory.reserve(2 * page)
    region.commit()
    const view = region.view(Uint8Array, 10, 10)
    const moved = structuredClone(view.buffer, { transfer: [view.buffer] })
    expect([moved.byteLength, region.view(Uint8Array, 10, 10).length]).toEqual([page, 10])
    expect(errorOf(() => region.unused()).code).toBe('ERR_MEMLAYER_VIEW')
    expect(memory.holds()).toMatchObject([{ kind: 'moved', offset: 0, length: page }])
    region.unused(page, page)
    memory.check()
  })

  it('that are made while their buffer is detached end as well', () => {
    const made: Uint8Array[] = []
    beforeDetach(region.view(Uint8Array, 0, 8).buffer, () => made.push(region.view(Uint8Array, 16, 8)))
    region.unused(0, page)
    expect(made.map(({ length }) => length)).toEqual([0])
    expect(errorOf(() => region.view(Uint8Array, 0, 8)).code).toBe('ERR_MEMLAYER_STATE')
  })

  it('are on the whole memory where one buffer serves all ranges', () => {
    const whole = new ArrayBuffer(2 ** 21)
    const shared = createMemory(Object.assign(new PageOS(), { view: () => whole, detach: () => undefined }))
    const v = shared.sysAlloc(page, null)
    const view = shared.view(Uint8Array, v + 8, 8)
    expect([view.buffer === whole, view.byteOffset]).toEqual([true, v + 8])
  })
})
