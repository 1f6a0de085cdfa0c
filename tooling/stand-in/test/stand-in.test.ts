// The stand-in proves itself: it refuses what the other Unix refuses, and guards the runner.
import { countedLinux, standIn } from '@memlayer/stand-in'
import { bytesWith } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'

const onLinux = process.platform === 'linux'
const KiB = 1024

describe.skipIf(!onLinux)('standIn (needs Linux)', () => {
  it.each(['darwin', 'freebsd', 'netbsd', 'solaris', 'aix'] as const)('%s refuses Linux’s flag words', (unix) => {
    const { kernel, mappedBytes } = standIn(unix)
    expect(kernel.mmap(0, 64 * KiB, 3, 0x22, -1, 0)).toBe(-22)
    expect(mappedBytes()).toBe(0)
  })

  it('maps on the page of the other Unix, wherever the host would', () => {
    const { kernel, mappedBytes } = standIn('darwin')
    const ranges = Array.from({ length: 16 }, () => kernel.mmap(0, 16 * KiB, 3, 0x1002, -1, 0))
    expect(ranges.map((v) => v % (16 * KiB))).toEqual(ranges.map(() => 0))
    expect(mappedBytes()).toBe(256 * KiB)
    for (const v of ranges) {
      expect(bytesWith('rw-p', v, 16 * KiB)).toBe(16 * KiB)
      expect(kernel.munmap(v, 16 * KiB)).toBe(0)
    }
    expect(mappedBytes()).toBe(0)
  })

  it('refuses ranges that are not on that page', () => {
    const { kernel } = standIn('darwin')
    const v = kernel.mmap(0, 64 * KiB, 3, 0x1002, -1, 0)
    expect(kernel.madvise(v + 4 * KiB, 16 * KiB, 7)).toBe(-22)
    expect(kernel.munmap(v + 4 * KiB, 16 * KiB)).toBe(-22)
    expect(kernel.mmap(v + 4 * KiB, 16 * KiB, 0, 0x1012, -1, 0)).toBe(-22)
    expect(kernel.munmap(v, 64 * KiB)).toBe(0)
  })

  it('refuses on AIX to map over a mapping, and nowhere else', () => {
    const aix = standIn('aix').kernel
    const v = aix.mmap(0, 64 * KiB, 0, 0x12, -1, 0)
    expect(aix.mmap(v, 64 * KiB, 3, 0x112, -1, 0)).toBe(-22)
    expect(aix.munmap(v, 64 * KiB)).toBe(0)
    const bsd = standIn('freebsd').kernel
    const w = bsd.mmap(0, 64 * KiB, 0, 0x1002, -1, 0)
    expect(bsd.mmap(w, 64 * KiB, 3, 0x1012, -1, 0)).toBe(w)
    expect(bsd.munmap(w, 64 * KiB)).toBe(0)
  })

  it('gives the other Unix’s error numbers', () => {
    expect(standIn('freebsd').kernel.mmap(0, 2 ** 47, 0, 0x1002, -1, 0)).toBe(-12)
    expect(standIn('netbsd').kernel.madvise(0, 4 * KiB, 5)).toBe(-22)
    expect(standIn('aix').kernel.mprotect(4 * KiB, 4 * KiB, 3)).toBe(-12)
  })

  it('throws before it unmaps, or maps over, what it has not handed out', () => {
    const { kernel } = standIn('freebsd')
    const v = standIn('freebsd').kernel.mmap(0, 4 * KiB, 3, 0x1002, -1, 0)
    expect(() => kernel.munmap(v, 4 * KiB)).toThrow('has not mapped')
    expect(() => kernel.mmap(v, 4 * KiB, 0, 0x1012, -1, 0)).toThrow('has not mapped')
    expect(bytesWith('rw-p', v, 4 * KiB)).toBe(4 * KiB)
  })
})

describe.skipIf(!onLinux)('countedLinux (needs Linux)', () => {
  it('counts what is mapped through it, and throws before it reaches what is not', () => {
    const { kernel, mappedBytes } = countedLinux()
    const n = 4 * kernel.pageSize
    const v = kernel.mmap(0, n, 3, 0x22, -1, 0)
    expect(mappedBytes()).toBe(n)
    expect(kernel.munmap(v, n / 2)).toBe(0)
    expect(kernel.mmap(v + n / 2, n / 2, 0, 0x32, -1, 0)).toBe(v + n / 2)
    expect(mappedBytes()).toBe(n / 2)
    expect(() => kernel.munmap(v, n)).toThrow('has not mapped')
    expect(() => kernel.mmap(v, n, 0, 0x32, -1, 0)).toThrow('has not mapped')
    expect(kernel.munmap(v + n / 2, n / 2)).toBe(0)
    expect(mappedBytes()).toBe(0)
  })
})
