// Tests views whose bytes were moved. On some engines, structuredClone and postMessage move a buffer's bytes to another
// buffer, which core can't detach. So its pages must stay.
import { createMemory, UsageError, type Memory, type OS, type Region } from '@memlayer/core'
import { beforeEach, describe, expect, it } from 'vitest'
import { PageOS } from './page-os.js'

const page = 4096

/** Makes a backend whose views are plain buffers, which the engine can move. */
function movableOS(): OS {
  return Object.assign(new PageOS({}), { view: (_v: number, n: number) => new ArrayBuffer(n) })
}

describe('a transferred view', () => {
  let memory: Memory
  let region: Region
  let moved: ArrayBuffer

  beforeEach(() => {
    memory = createMemory(movableOS())
    region = memory.reserve(8 * page)
    region.commit(0, 8 * page)
    const { buffer } = region.view(Uint8Array, 2 * page, page)
    moved = structuredClone(buffer, { transfer: [buffer] })
  })

  it.each<[string, (region: Region, memory: Memory) => void]>([
    ['unused', (r) => r.unused(2 * page, page)],
    ['unusedAll', (r) => r.unusedAll([0, page, 2 * page, page])],
    ['fault', (r) => r.fault(0, 4 * page)],
    ['free', (r) => r.free()],
    ['dispose', (r) => r[Symbol.dispose]()],
    ['sysFree', (r, m) => m.sysFree(r.address, 8 * page, null)],
  ])('keeps its pages from %s each time, and the call changes nothing', (_, take) => {
    const other = region.view(Uint8Array, 0, page)
    const before = memory.ranges()
    for (let time = 0; time < 2; time++) {
      expect(() => take(region, memory)).toThrow(expect.objectContaining({ code: 'ERR_MEMLAYER_VIEW' }))
      expect(() => take(region, memory)).toThrow(UsageError)
    }
    expect(() => take(region, memory)).toThrow(
      /was transferred, and .*\. Give that buffer back with region\.reclaim\(buffer\)\./,
    )
    expect(memory.ranges()).toEqual(before)
    expect([moved.byteLength, other.length]).toEqual([page, page])
    memory.check()
  })

  it('is counted in stats by whole pages from when it is found, once a page', () => {
    const { buffer } = region.view(Uint8Array, 3 * page - 10, 20)
    structuredClone(buffer, { transfer: [buffer] })
    for (let time = 0; time < 2; time++) expect(() => region.unused()).toThrow(UsageError)
    expect(() => region.unused(3 * page, page)).toThrow(UsageError)
    expect(memory.stats().pinned).toBe(2 * page)
  })

  it.each<[string, unknown]>([
    ['a buffer of other bytes', new ArrayBuffer(page)],
    ['a buffer of another length', new ArrayBuffer(8)],
    ['a shared buffer', new SharedArrayBuffer(page)],
    ['what is not a buffer', 'buffer'],
  ])('is not reclaimed by %s', (_, given) => {
    const { buffer } = region.view(Uint8Array, 0, page)
    for (const wrong of [given, structuredClone(buffer, { transfer: [buffer] }).transfer(8)]) {
      const reclaim = (): void => region.reclaim(wrong as ArrayBuffer)
      expect(reclaim).toThrow(expect.objectContaining({ code: 'ERR_MEMLAYER_VIEW', op: 'reclaim', region: 'region' }))
    }
    expect(() => region.free()).toThrow(UsageError)
  })

  it('is not reclaimed while a hold is there', () => {
    using hold = region.hold()
    expect(() => region.reclaim(moved)).toThrow(expect.objectContaining({ code: 'ERR_MEMLAYER_SHARED' }))
    expect(hold.released).toBe(false)
  })

  it('does not keep the pages beside it', () => {
    region.unused(0, 2 * page)
    region.free(3 * page, 5 * page)
    expect(memory.stats().total.ready).toBe(page)
    memory.check()
  })
})
