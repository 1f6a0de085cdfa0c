// The transitions on real pages, with Linux in Darwin's place: what becomes of the memory, by the
// kernel's own account.
import { createMemory, FatalError } from '@memlayer/core'
import { posixKernel } from '@memlayer/ffi'
import { record } from '@memlayer/kernel'
import { createOS } from '@memlayer/os-darwin'
import { disagreement, errorOf, live, standIn } from '@memlayer/stand-in'
import { bytesWith, mappingsIn, residentBytes } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'

const onLinux = process.platform === 'linux'
const MiB = 2 ** 20
const hostPage = onLinux ? posixKernel().pageSize : 4096
// A stand-in's pages are made of the host's.
const pageSizes = [4096, 16384].filter((size) => size % hostPage === 0)

describe.skipIf(!onLinux)('os-darwin over real pages (Linux stands in)', () => {
  it.each(pageSizes)('lives a whole life on pages of %i bytes, and gives back all it took', (pageSize) => {
    const { kernel, mappedBytes } = standIn('darwin', { pageSize })
    const memory = createMemory(createOS({ kernel }))
    live(memory)
    expect(memory.ranges()).toEqual([])
    expect(disagreement(memory)).toBe(null)
    expect(mappedBytes()).toBe(0)
  })

  it('has the kernel’s page as its page, and freezes its facts', () => {
    const { traits } = createOS({ kernel: standIn('darwin').kernel })
    expect(traits).toMatchObject({ pageSize: 16384, granularity: 16384, hugePageSize: 0, freesParts: true })
    expect(Object.isFrozen(traits)).toBe(true)
  })

  it('reserves a TiB without memory, faulting, and maps a part of it zeroed', () => {
    const { kernel } = standIn('darwin')
    const memory = createMemory(createOS({ kernel }))
    const v = memory.sysReserve(null, 2 ** 40)
    expect(bytesWith('---p', v, 2 ** 40)).toBe(2 ** 40)
    memory.sysMap(v + MiB, MiB, null)
    memory.sysUsed(v + MiB, MiB)
    expect(new Uint8Array(memory.os.view(v + MiB, MiB)).every((byte) => byte === 0)).toBe(true)
    expect(mappingsIn(v, 2 ** 40).reduce((sum, { rss }) => sum + rss, 0)).toBeLessThanOrEqual(MiB)
    memory.sysFree(v, 2 ** 40, null)
  })

  it('says FREE_REUSABLE of what it gives back and FREE_REUSE of what it takes, once each', () => {
    const { kernel, take } = record(standIn('darwin').kernel)
    const memory = createMemory(createOS({ kernel }))
    const v = memory.sysAlloc(4 * MiB, null)
    const bytes = new Uint8Array(memory.os.view(v, 4 * MiB)).fill(1)
    take()
    memory.sysUnused(v, 2 * MiB)
    memory.sysUsed(v, 2 * MiB)
    expect(take()).toEqual([
      { fn: 'madvise', args: [v, 2 * MiB, 7], ret: 0 },
      { fn: 'madvise', args: [v, 2 * MiB, 8], ret: 0 },
    ])
    // The kernel may take them, and need not: that is why unusedDropsContents is false.
    expect(bytes.subarray(0, 2 * MiB).every((byte) => byte === 0 || byte === 1)).toBe(true)
    expect(bytes.subarray(2 * MiB).every((byte) => byte === 1)).toBe(true)
    memory.sysFree(v, 4 * MiB, null)
  })

  it('takes the memory of what it faults, and its permissions; sysMap gives zeroes', () => {
    const { kernel } = standIn('darwin')
    const memory = createMemory(createOS({ kernel }))
    const stat = memory.stat('test')
    const v = memory.sysAlloc(MiB, stat)
    new Uint8Array(memory.os.view(v, MiB)).fill(3)
    expect(residentBytes(v, MiB, hostPage)).toBe(MiB)
    memory.sysFault(v, MiB)
    expect(bytesWith('---p', v, MiB)).toBe(MiB)
    expect(residentBytes(v, MiB, hostPage)).toBe(0)
    memory.sysMap(v, MiB, stat)
    memory.sysUsed(v, MiB)
    expect(new Uint8Array(memory.os.view(v, MiB)).every((byte) => byte === 0)).toBe(true)
    memory.sysFree(v, MiB, stat)
    memory.check()
  })

  it('copies bytes where an engine forbids views, and by a view where a port can’t copy', () => {
    const whole = record(standIn('darwin').kernel).kernel
    const forbidden = (): never => {
      throw new Error('views are forbidden')
    }
    const { read: _read, write: _write, ...viewsOnly } = whole
    for (const port of [{ ...whole, view: forbidden }, viewsOnly]) {
      const os = createOS({ kernel: port })
      const v = os.sysAllocOS(65536) as number
      os.write?.(v + 3, Uint8Array.of(1, 2, 3))
      const bytes = new Uint8Array(5)
      os.read?.(v + 2, bytes)
      expect([...bytes]).toEqual([0, 1, 2, 3, 0])
      os.sysFreeOS(v, 65536)
    }
  })

  it('without a ledger, a range off the page is refused by the kernel, in Go’s words where it has any, and nothing is lost', () => {
    const { kernel, mappedBytes } = standIn('darwin')
    const memory = createMemory(createOS({ kernel }), { ledger: false })
    const stat = memory.stat('test')
    const v = memory.sysReserve(null, MiB)
    const error = errorOf(() => memory.sysMap(v + 4096, 65536, stat))
    expect(error).toBeInstanceOf(FatalError)
    expect((error as Error).message).toMatch(/^cannot map pages in arena address space/)
    expect(error).toMatchObject({ syscall: 'mmap', errnoName: 'EINVAL', address: v + 4096 })
    expect(stat.load()).toBe(0)
    // Go has no word for these: they are ignored, and have done nothing.
    memory.sysMap(v, MiB, stat)
    const bytes = new Uint8Array(memory.os.view(v, MiB)).fill(6)
    memory.sysUnused(v + 4096, 65536)
    memory.sysFault(v + 4096, 65536)
    memory.sysFree(v + 4096, 65536, null)
    expect(bytes.every((byte) => byte === 6)).toBe(true)
    expect(bytesWith('rw-p', v, MiB)).toBe(MiB)
    expect(mappedBytes()).toBe(MiB)
    memory.sysFree(v, MiB, stat)
    expect(mappedBytes()).toBe(0)
  })
})
