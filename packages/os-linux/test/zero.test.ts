// region.zero on the real kernel: memory goes back under a view that stays, huge pages that it cuts do not come back,
// and locked pages are zeroed by hand.
import { createMemory, GrowableBuffer } from '@memlayer/core'
import { createOS } from '@memlayer/os-linux'
import { posixKernel } from '@memlayer/ffi'
import { record, type PosixKernel } from '@memlayer/kernel'
import { residentBytes } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'

const MiB = 2 ** 20
const [MADV_DONTNEED, MADV_NOHUGEPAGE] = [4, 15]
const EINVAL = 22

describe.skipIf(process.platform !== 'linux')('zero (needs Linux)', () => {
  it.each([true, false])('gives memory back under a view, which reads zero (madvDontNeed: %s)', (madvDontNeed) => {
    const memory = createMemory(createOS({ madvDontNeed }))
    const page = memory.os.traits.pageSize
    using region = memory.reserve(64 * page, { hugePages: 'off' })
    region.commit()
    const view = region.view(Uint8Array).fill(7)
    region.zero(page, 8 * page)
    expect(residentBytes(region.address, region.size, page)).toBe(56 * page)
    expect([view[page - 1], view[page], view[9 * page - 1], view[9 * page]]).toEqual([7, 0, 0, 7])
    view[page] = 9
    expect(region.view(Uint8Array, page, 1)[0]).toBe(9)
    memory.check()
  })

  it('is one kernel call for whole huge pages, and takes the flag from those that it cuts', () => {
    const { kernel, take } = record(posixKernel())
    const memory = createMemory(createOS({ kernel }))
    const huge = kernel.hugePageSize
    if (huge === 0) return
    using region = memory.reserve(4 * huge, { align: huge })
    region.commit()
    take()
    region.zero(huge, 2 * huge)
    expect(take()).toEqual([{ fn: 'madvise', args: [region.address + huge, 2 * huge, MADV_DONTNEED], ret: 0 }])
    region.zero(0, huge / 2)
    expect(take()).toEqual([
      { fn: 'madvise', args: [region.address, huge, MADV_NOHUGEPAGE], ret: 0 },
      { fn: 'madvise', args: [region.address, huge / 2, MADV_DONTNEED], ret: 0 },
    ])
  })

  it('keeps giving back what a buffer has consumed, under one view of all of it', () => {
    const memory = createMemory(createOS())
    const page = memory.os.traits.pageSize
    using buffer = new GrowableBuffer(memory, { maximum: 8 * MiB, length: 8 * MiB, hugePages: 'off' })
    const bytes = buffer.bytes().fill(1)
    for (let at = 0; at < 4 * MiB; at += MiB) buffer.zero(at, MiB)
    expect(residentBytes(buffer.address, 8 * MiB, page)).toBe(4 * MiB)
    expect([bytes.length, bytes[0], bytes[4 * MiB]]).toEqual([8 * MiB, 0, 1])
  })

  it('writes zeroes where the kernel refuses, as it does for locked pages', () => {
    const real = posixKernel()
    const kernel: PosixKernel = {
      ...real,
      madvise: (v, n, advice) => (advice === MADV_DONTNEED ? -EINVAL : real.madvise(v, n, advice)),
    }
    const memory = createMemory(createOS({ kernel }))
    const page = kernel.pageSize
    using region = memory.reserve(3 * MiB, { hugePages: 'off' })
    region.commit()
    const view = region.view(Uint8Array).fill(7)
    region.zero(10, 3 * MiB - 20)
    expect(new Set(view.subarray(10, -10))).toEqual(new Set([0]))
    expect([view[9], view.at(-10)]).toEqual([7, 7])
    expect(memory.stats().kept).toBe(3 * MiB - 2 * page)
  })
})
