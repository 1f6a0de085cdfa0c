// The transitions on real pages, with Linux in each flavor's place: what becomes of the memory, by
// the kernel's own account.
import { createMemory, FatalError } from '@memlayer/core'
import { record } from '@memlayer/kernel'
import { createOS, type Flavor } from '@memlayer/os-bsd'
import { disagreement, errorOf, live, standIn } from '@memlayer/stand-in'
import { bytesWith, mappingsIn, residentBytes } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'

const onLinux = process.platform === 'linux'
const MiB = 2 ** 20
const page = 4096
const flavors: Flavor[] = ['freebsd', 'dragonfly', 'netbsd', 'openbsd', 'solaris', 'illumos']

describe.skipIf(!onLinux).each(flavors)('os-bsd as %s over real pages (Linux stands in)', (flavor) => {
  it('lives a whole life, and gives back all it took', () => {
    const { kernel, mappedBytes } = standIn(flavor)
    const memory = createMemory(createOS({ kernel, flavor }))
    live(memory)
    expect(memory.ranges()).toEqual([])
    expect(disagreement(memory)).toBe(null)
    expect(mappedBytes()).toBe(0)
  })

  it('reserves a TiB without memory, faulting, and maps a part of it zeroed', () => {
    const memory = createMemory(createOS({ kernel: standIn(flavor).kernel, flavor }))
    const v = memory.sysReserve(null, 2 ** 40)
    expect(bytesWith('---p', v, 2 ** 40)).toBe(2 ** 40)
    memory.sysMap(v + MiB, MiB, null)
    memory.sysUsed(v + MiB, MiB)
    expect(new Uint8Array(memory.os.view(v + MiB, MiB)).every((byte) => byte === 0)).toBe(true)
    expect(mappingsIn(v, 2 ** 40).reduce((sum, { rss }) => sum + rss, 0)).toBeLessThanOrEqual(MiB)
    memory.sysFree(v, 2 ** 40, null)
  })

  it('advises MADV_FREE once for what it gives back, and asks nothing to take it again', () => {
    const { kernel, take } = record(standIn(flavor).kernel)
    const memory = createMemory(createOS({ kernel, flavor }))
    const v = memory.sysAlloc(4 * MiB, null)
    const bytes = new Uint8Array(memory.os.view(v, 4 * MiB)).fill(1)
    take()
    memory.sysUnused(v, 2 * MiB)
    memory.sysUsed(v, 2 * MiB)
    memory.sysHugePage(v, 4 * MiB)
    const advice = flavor === 'netbsd' || flavor === 'openbsd' ? 6 : 5
    expect(take()).toEqual([{ fn: 'madvise', args: [v, 2 * MiB, advice], ret: 0 }])
    // The kernel may take them, and need not: that is why unusedDropsContents is false.
    expect(bytes.subarray(0, 2 * MiB).every((byte) => byte === 0 || byte === 1)).toBe(true)
    expect(bytes.subarray(2 * MiB).every((byte) => byte === 1)).toBe(true)
    memory.sysFree(v, 4 * MiB, null)
  })

  it('takes the memory of what it faults, and its permissions; sysMap gives zeroes', () => {
    const memory = createMemory(createOS({ kernel: standIn(flavor).kernel, flavor }))
    const stat = memory.stat('test')
    const v = memory.sysAlloc(MiB, stat)
    new Uint8Array(memory.os.view(v, MiB)).fill(3)
    memory.sysFault(v, MiB)
    expect(bytesWith('---p', v, MiB)).toBe(MiB)
    expect(residentBytes(v, MiB, page)).toBe(0)
    memory.sysMap(v, MiB, stat)
    memory.sysUsed(v, MiB)
    expect(new Uint8Array(memory.os.view(v, MiB)).every((byte) => byte === 0)).toBe(true)
    memory.sysFree(v, MiB, stat)
    memory.check()
  })

  it('copies bytes where an engine forbids views, and by a view where a port can’t copy', () => {
    const whole = record(standIn(flavor).kernel).kernel
    const forbidden = (): never => {
      throw new Error('views are forbidden')
    }
    const { read: _read, write: _write, ...viewsOnly } = whole
    for (const port of [{ ...whole, view: forbidden }, viewsOnly]) {
      const os = createOS({ kernel: port, flavor })
      const v = os.sysAllocOS(65536) as number
      os.write?.(v + 3, Uint8Array.of(1, 2, 3))
      const bytes = new Uint8Array(5)
      os.read?.(v + 2, bytes)
      expect([...bytes]).toEqual([0, 1, 2, 3, 0])
      os.sysFreeOS(v, 65536)
    }
  })

  it('without a ledger, a range off the page is refused by the kernel, in Go’s words where it has any, and nothing is lost', () => {
    const { kernel, mappedBytes } = standIn(flavor)
    const memory = createMemory(createOS({ kernel, flavor }), { ledger: false })
    const stat = memory.stat('test')
    const v = memory.sysReserve(null, MiB)
    const error = errorOf(() => memory.sysMap(v + 512, 65536, stat))
    expect(error).toBeInstanceOf(FatalError)
    expect((error as Error).message).toMatch(/^cannot map pages in arena address space/)
    expect(error).toMatchObject({ syscall: 'mmap', errnoName: 'EINVAL', address: v + 512 })
    expect(stat.load()).toBe(0)
    // Go has no word for these: they are ignored, and have done nothing.
    memory.sysMap(v, MiB, stat)
    const bytes = new Uint8Array(memory.os.view(v, MiB)).fill(6)
    memory.sysUnused(v + 512, 65536)
    memory.sysFault(v + 512, 65536)
    memory.sysFree(v + 512, 65536, null)
    expect(bytes.every((byte) => byte === 6)).toBe(true)
    expect(bytesWith('rw-p', v, MiB)).toBe(MiB)
    expect(mappedBytes()).toBe(MiB)
    memory.sysFree(v, MiB, stat)
    expect(mappedBytes()).toBe(0)
  })
})

describe.skipIf(!onLinux)('the stand-in for a flavor takes that flavor’s numbers alone', () => {
  it.each([
    ['freebsd', 'solaris'],
    ['solaris', 'freebsd'],
    ['freebsd', 'illumos'],
  ] as const)('a backend for %s gets nowhere on %s', (flavor, kernelOf) => {
    const os = createOS({ kernel: standIn(kernelOf).kernel, flavor })
    expect(os.sysReserveOS(null, MiB)).toBe(null)
    expect(os.refusal).toMatchObject({ errnoName: 'EINVAL' })
  })
})
