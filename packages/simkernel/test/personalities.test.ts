// The differences between POSIX kernels: numbers, the effect of an advice, odd ranges, and MAP_FIXED over a
// mapping. From manuals and sources, because we had no such kernel.
import { errnos, type ErrnoFamily } from '@memlayer/kernel'
import { simulate, type SimulatedPosixKernel, type SimulatedPosixOS } from '@memlayer/simkernel'
import { describe, expect, it } from 'vitest'

const RW = 3

interface Column {
  readonly os: Exclude<SimulatedPosixOS, 'linux'>
  readonly anon: number
  readonly fixed: number
  /** The advice that forfeits pages. Null when no advice does. */
  readonly free: number | null
}

const columns: readonly Column[] = [
  { os: 'darwin', anon: 0x1000, fixed: 0x10, free: 5 },
  { os: 'freebsd', anon: 0x1000, fixed: 0x10, free: 5 },
  { os: 'dragonfly', anon: 0x1000, fixed: 0x10, free: 5 },
  { os: 'netbsd', anon: 0x1000, fixed: 0x10, free: 6 },
  { os: 'openbsd', anon: 0x1000, fixed: 0x10, free: 6 },
  { os: 'solaris', anon: 0x100, fixed: 0x10, free: 5 },
  { os: 'illumos', anon: 0x100, fixed: 0x10, free: 5 },
  { os: 'aix', anon: 0x10, fixed: 0x100, free: null },
]

function no(os: string, name: string): number {
  return -(errnos[os as ErrnoFamily][name] ?? NaN)
}

function firstByte(kernel: SimulatedPosixKernel, v: number): number | undefined {
  const byte = new Uint8Array(1)
  kernel.read(v, byte)
  return byte[0]
}

describe.each(columns)('$os', ({ os, anon, fixed, free }) => {
  const make = (): {
    kernel: SimulatedPosixKernel
    page: number
    map: (n: number, prot?: number, flags?: number, at?: number) => number
  } => {
    const kernel = simulate(os, { pressure: 0 })
    const page = kernel.pageSize
    return {
      kernel,
      page,
      map: (n, prot = RW, flags = 0, at = 0) => kernel.mmap(at, n * page, prot, 2 | anon | flags, -1, 0),
    }
  }

  it('maps anonymous memory by its own number only', () => {
    const { kernel, page, map } = make()
    expect(map(1)).toBeGreaterThan(0)
    const linuxs = 0x22
    expect(kernel.mmap(0, page, RW, linuxs, -1, 0)).toBeLessThan(0)
  })

  it('protects pages, and faults on one that may not be touched', () => {
    const { kernel, page, map } = make()
    const v = map(4)
    kernel.write(v, new Uint8Array([7]))
    expect(kernel.mprotect(v, page, 0)).toBe(0)
    expect(() => kernel.touch(v, 1, 'read')).toThrow('is --- and was read')
    expect(kernel.mprotect(v, page, RW)).toBe(0)
    expect(firstByte(kernel, v)).toBe(7)
    expect(kernel.munmap(v, 4 * page)).toBe(0)
    expect(() => kernel.touch(v, 1)).toThrow('is not mapped and was written')
  })

  it(os === 'aix' ? 'refuses to map over a mapping' : 'maps over a mapping', () => {
    const { kernel, page, map } = make()
    const v = map(4)
    kernel.write(v + page, new Uint8Array([7]))
    const answer = map(1, RW, fixed, v + page)
    expect(answer).toBe(os === 'aix' ? no(os, 'ENOMEM') : v + page)
    expect(firstByte(kernel, v + page)).toBe(os === 'aix' ? 7 : 0)
    kernel.munmap(v + page, page)
    expect(map(1, RW, fixed, v + page)).toBe(v + page)
  })

  it(free === null ? 'takes back no pages' : 'forfeits pages by its own number, and ages them by MADV_DONTNEED', () => {
    const { kernel, page, map } = make()
    const v = map(1)
    kernel.write(v, new Uint8Array([7]))
    expect(kernel.madvise(v, page, 4)).toBe(0)
    kernel.takeForfeit()
    expect(firstByte(kernel, v)).toBe(7)
    if (free === null) return
    expect(kernel.madvise(v, page, free)).toBe(0)
    expect(kernel.residence(v, page).forfeit).toBe(page)
    kernel.takeForfeit()
    expect(firstByte(kernel, v)).toBe(0)
    expect(kernel.madvise(v, page, 99)).toBe(no(os, 'EINVAL'))
  })

  it('keeps addresses exact to the byte, also at the highest ones', () => {
    const { kernel, page, map } = make()
    const v = map(2)
    kernel.write(v, new Uint8Array(page + 1).fill(7))
    const bytes = new Uint8Array(kernel.view(v, page + 1))
    expect(bytes.every((byte) => byte === 7)).toBe(true)
    const all = new Uint8Array(2 * page)
    kernel.read(v, all)
    expect(all.indexOf(0)).toBe(page + 1)
  })

  it('honours a free hint', () => {
    const { kernel, page, map } = make()
    const v = map(4)
    kernel.munmap(v, 4 * page)
    expect(map(4, 0, 0, v)).toBe(v)
    expect(map(4, 0, 0, v)).not.toBe(v)
  })
})

describe('Darwin', () => {
  it('has pages of 16 KiB on arm64, and of 4 KiB on x64', () => {
    expect([simulate('darwin').pageSize, simulate('darwin', { arch: 'x64' }).pageSize]).toEqual([16384, 4096])
  })

  it('takes reusable pages out of the footprint at once, and FREE_REUSE brings back those that remain', () => {
    const kernel = simulate('darwin', { pressure: 0 })
    const n = 4 * kernel.pageSize
    const v = kernel.mmap(0, n, RW, 0x1002, -1, 0)
    kernel.write(v, new Uint8Array(n).fill(7))
    kernel.madvise(v, n, 7)
    expect(kernel.residence(v, n)).toEqual({ resident: 0, forfeit: n, huge: 0 })
    kernel.madvise(v, n, 8)
    expect(kernel.residence(v, n)).toEqual({ resident: n, forfeit: 0, huge: 0 })
    kernel.takeForfeit()
    expect(firstByte(kernel, v)).toBe(7)
  })

  it('searches above a busy hint', () => {
    const kernel = simulate('darwin')
    const n = kernel.pageSize
    const v = kernel.mmap(0, n, 0, 0x1002, -1, 0)
    expect(kernel.mmap(v, n, 0, 0x1002, -1, 0)).toBe(v + n)
  })
})

describe.each(['solaris', 'illumos'] as const)('%s', (os) => {
  it('sets swap aside for a mapping without NORESERVE, and refuses with EAGAIN when swap runs out', () => {
    const kernel = simulate(os, { limits: { memory: 2 ** 30 } })
    expect(kernel.mmap(0, 2 ** 31, 0, 0x102, -1, 0)).toBe(no(os, 'EAGAIN'))
    const v = kernel.mmap(0, 2 ** 31, 0, 0x142, -1, 0)
    expect(v).toBeGreaterThan(0)
    expect(kernel.mmap(v, 2 ** 30, RW, 0x112, -1, 0)).toBe(v)
    expect(kernel.mmap(v + 2 ** 30, 4096, RW, 0x112, -1, 0)).toBe(no(os, 'EAGAIN'))
  })
})

describe.each(['netbsd', 'openbsd'] as const)('%s', (os) => {
  it('unmaps a range only if all of it is mapped', () => {
    const kernel = simulate(os)
    const v = kernel.mmap(0, 4 * 4096, RW, 0x1002, -1, 0)
    kernel.munmap(v + 4096, 4096)
    expect(kernel.munmap(v, 4 * 4096)).toBe(no(os, 'EINVAL'))
    expect(kernel.maps()).toHaveLength(2)
  })
})

describe('FreeBSD', () => {
  it('rounds an address inside a page, which Linux refuses', () => {
    const kernel = simulate('freebsd')
    const v = kernel.mmap(0, 4 * 4096, RW, 0x1002, -1, 0)
    expect(kernel.munmap(v + 100, 4096)).toBe(0)
    expect(kernel.maps().map(({ start, end }) => end - start)).toEqual([2 * 4096])
  })

  it('does not map over a mapping with MAP_EXCL beside MAP_FIXED', () => {
    const kernel = simulate('freebsd')
    const v = kernel.mmap(0, 4096, RW, 0x1002, -1, 0)
    expect(kernel.mmap(v, 4096, RW, 0x1002 | 0x4010, -1, 0)).toBe(no('freebsd', 'EEXIST'))
  })
})

describe('OpenBSD', () => {
  it('maps anywhere', () => {
    const kernel = simulate('openbsd')
    const places = [1, 2, 3, 4].map(() => kernel.mmap(0, 4096, RW, 0x1002, -1, 0))
    const gaps = places.slice(1).map((v, i) => Math.abs(v - (places[i] ?? 0)))
    expect(Math.min(...gaps)).toBeGreaterThan(2 ** 20)
  })
})
