// Which pages of a simulated POSIX kernel have memory, as the port's `residency` tells, and what locks them.
import { residencyBits } from '@memlayer/kernel'
import { simulate, type PosixOptions, type SimulatedPosixKernel } from '@memlayer/simkernel'
import { describe, expect, it } from 'vitest'

const page = 4096
const huge = 2 ** 21
const ANON_PRIVATE = 0x22
const RW = 3
const [EAGAIN, EINVAL] = [11, 22]

/** A kernel and a mapping of `n` bytes in it. */
function mapped(n: number, options: PosixOptions = {}): { kernel: SimulatedPosixKernel; v: number } {
  const kernel = simulate('linux', { pressure: 0, ...options })
  const v = kernel.mmap(0, n, RW, ANON_PRIVATE, -1, 0)
  if (v < 0) throw new Error(`mmap answered ${v}`)
  return { kernel, v }
}

describe('pages', () => {
  it('with memory are told in runs by residency, and huge pages apart', () => {
    const { kernel, v } = mapped(4 * huge)
    const base = Math.ceil(v / huge) * huge
    kernel.madvise(base, huge, 14)
    kernel.touch(base, page)
    kernel.touch(base + huge, 2 * page)
    kernel.touch(base + huge + 3 * page, page, 'read')
    kernel.touch(base + huge + 5 * page, page)
    const { resident } = residencyBits
    expect(kernel.residency?.(base, 2 * huge)).toEqual([
      ...[base, huge, resident | residencyBits.huge],
      ...[base + huge, 2 * page, resident],
      ...[base + huge + 5 * page, page, resident],
    ])
    expect(kernel.hugePages?.(base, 2 * huge)).toBe(huge)
    expect(kernel.residency?.(base + page, page)).toEqual([base + page, page, resident | residencyBits.huge])
    kernel.madvise(base, huge, 8)
    expect(kernel.residency?.(base, huge)).toEqual([base, huge, resident | residencyBits.huge])
    kernel.takeForfeit()
    expect(kernel.residency?.(base, huge)).toEqual([])
  })

  it('are told by no other POSIX kernel', () => {
    for (const os of ['darwin', 'freebsd', 'illumos', 'aix'] as const) {
      expect(simulate(os).residency).toBeUndefined()
      expect(simulate(os).hugePages).toBeUndefined()
    }
  })

  it('that are mapped after lockAll are locked and have memory, and those from before stay as they were', () => {
    const { kernel, v } = mapped(2 * page, { limits: { lockedMemory: 2 * page } })
    kernel.lockAll()
    const locked = kernel.mmap(0, 2 * page, RW, ANON_PRIVATE, -1, 0)
    expect(kernel.residency?.(locked, 2 * page)).toEqual([locked, 2 * page, residencyBits.resident])
    expect(kernel.madvise(locked, page, 4)).toBe(-EINVAL)
    expect(kernel.mmap(0, page, RW, ANON_PRIVATE, -1, 0)).toBe(-EAGAIN)
    expect(kernel.residency?.(v, 2 * page)).toEqual([])
    expect(kernel.madvise(v, page, 4)).toBe(0)
  })
})
