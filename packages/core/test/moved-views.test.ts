// Views whose bytes were moved: on some engines structuredClone and postMessage take a buffer's bytes to another
// buffer, which nobody here can detach. Its pages must stay.
import { createMemory, UsageError, type Memory, type OS, type Region } from '@memlayer/core'
import { beforeEach, describe, expect, it } from 'vitest'
import { PageOS } from './page-os.js'

const page = 4096

/** Plain buffers, which can be moved. */
function movableOS(): OS {
  return Object.assign(new PageOS({}), { view: (_v: number, n: number) => new ArrayBuffer(n) })
}

describe('a view that was transferred', () => {
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
  ])('keeps its pages from %s, each time, and nothing has changed', (_, take) => {
    const other = region.view(Uint8Array, 0, page)
    const before = memory.ranges()
    for (let time = 0; time < 2; time++) {
      expect(() => take(region, memory)).toThrow(expect.objectContaining({ code: 'ERR_MEMLAYER_VIEW' }))
      expect(() => take(region, memory)).toThrow(UsageError)
    }
    expect(() => take(region, memory)).toThrow(/was transferred, and .*\. Post a copy/)
    expect(memory.ranges()).toEqual(before)
    expect([moved.byteLength, other.length]).toEqual([page, page])
    memory.check()
  })

  it('leaves the pages beside it free to go', () => {
    region.unused(0, 2 * page)
    region.free(3 * page, 5 * page)
    expect(memory.stats().total.ready).toBe(page)
    memory.check()
  })
})
