// The transitions on real pages, with Linux in AIX's place, which maps nothing over a mapping: what
// becomes of the memory, by the kernel's own account.
import { createMemory, FatalError } from '@memlayer/core'
import { record } from '@memlayer/kernel'
import { createOS } from '@memlayer/os-aix'
import { disagreement, errorOf, live, standIn } from '@memlayer/stand-in'
import { bytesWith, mappingsIn } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'

const onLinux = process.platform === 'linux'
const MiB = 2 ** 20

describe.skipIf(!onLinux)('os-aix over real pages (Linux stands in)', () => {
  it('lives a whole life, and gives back all it took', () => {
    const { kernel, mappedBytes } = standIn('aix')
    const memory = createMemory(createOS({ kernel }))
    live(memory)
    expect(memory.ranges()).toEqual([])
    expect(disagreement(memory)).toBe(null)
    expect(mappedBytes()).toBe(0)
  })

  it('reserves a TiB without memory, faulting, and opens a part of it zeroed', () => {
    const memory = createMemory(createOS({ kernel: standIn('aix').kernel }))
    const v = memory.sysReserve(null, 2 ** 40)
    expect(bytesWith('---p', v, 2 ** 40)).toBe(2 ** 40)
    memory.sysMap(v + MiB, MiB, null)
    memory.sysUsed(v + MiB, MiB)
    expect(bytesWith('rw-p', v, 2 ** 40)).toBe(MiB)
    expect(new Uint8Array(memory.os.view(v + MiB, MiB)).every((byte) => byte === 0)).toBe(true)
    expect(mappingsIn(v, 2 ** 40).reduce((sum, { rss }) => sum + rss, 0)).toBeLessThanOrEqual(MiB)
    memory.sysFree(v, 2 ** 40, null)
  })

  it('faults what it is told to, which Go’s own call does not here, and maps it again', () => {
    const { kernel } = standIn('aix')
    const memory = createMemory(createOS({ kernel }))
    const stat = memory.stat('test')
    const v = memory.sysAlloc(MiB, stat)
    // mem_aix.go: mmap(v, n, PROT_NONE, MAP_ANON|MAP_PRIVATE|MAP_FIXED), over a mapping.
    expect(kernel.mmap(v, MiB, 0, 0x112, -1, 0)).toBe(-22)
    expect(bytesWith('rw-p', v, MiB)).toBe(MiB)
    memory.sysFault(v, MiB)
    expect(bytesWith('---p', v, MiB)).toBe(MiB)
    memory.sysMap(v, MiB, stat)
    memory.sysUsed(v, MiB)
    expect(bytesWith('rw-p', v, MiB)).toBe(MiB)
    memory.sysFree(v, MiB, stat)
    memory.check()
  })

  it('advises DONTNEED once for what it gives back, and asks nothing to take it again', () => {
    const { kernel, take } = record(standIn('aix').kernel)
    const memory = createMemory(createOS({ kernel }))
    const v = memory.sysAlloc(4 * MiB, null)
    take()
    memory.sysUnused(v, 2 * MiB)
    memory.sysUsed(v, 2 * MiB)
    memory.sysHugePage(v, 4 * MiB)
    expect(take()).toEqual([{ fn: 'madvise', args: [v, 2 * MiB, 4], ret: 0 }])
    memory.sysFree(v, 4 * MiB, null)
  })

  it('promises no memory back and no zeroes, as IBM’s madvise does neither', () => {
    const { traits } = createOS({ kernel: standIn('aix').kernel })
    expect(traits).toMatchObject({ unusedReturnsMemory: false, unusedDropsContents: false, faultTraps: true })
    expect(Object.isFrozen(traits)).toBe(true)
  })

  it('copies bytes where an engine forbids views, and by a view where a port can’t copy', () => {
    const whole = record(standIn('aix').kernel).kernel
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
    const { kernel, mappedBytes } = standIn('aix')
    const memory = createMemory(createOS({ kernel }), { ledger: false })
    const stat = memory.stat('test')
    const v = memory.sysReserve(null, MiB)
    const error = errorOf(() => memory.sysMap(v + 512, 65536, stat))
    expect(error).toBeInstanceOf(FatalError)
    expect((error as Error).message).toMatch(/^cannot map pages in arena address space/)
    expect(error).toMatchObject({ syscall: 'mprotect', errnoName: 'EINVAL', address: v + 512 })
    expect(stat.load()).toBe(0)
    // Where nothing is mapped, there is no protection to change.
    expect(errorOf(() => memory.sysMap(v + 4 * MiB, MiB, null))).toMatchObject({ name: 'FatalError', errnoName: 'ENOMEM' })
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
