// What the port takes from files and tables, tested without a kernel. The texts come from kernels that we do not
// have, and so do the names of hosts.
import { describe, expect, it } from 'vitest'
import { errnoLocation } from '../dist/defs.js'
import { tcmallocFigures } from '../dist/linux-allocator.js'
import { linuxHugePageSize } from '../dist/linux-huge-pages.js'
import { mallocTotals, mappingsOf } from '../dist/linux-process.js'

describe('the huge page size', () => {
  it.each([
    ['a file that can’t be read', null, 0],
    ['an empty file', '', 0],
    ['a file with a line end alone', '\n', 0],
    ['not a power of two', '3000000', 0],
    ['zero', '0\n', 0],
    ['a negative number', '-2097152\n', 0],
    ['no number', '2 MB\n', 0],
    ['2 MiB', '2097152\n', 2 ** 21],
    ['512 MiB, of 64 KiB pages on arm64', '536870912\n', 2 ** 29],
  ])('of %s', (_, text, size) => {
    const asked: string[] = []
    expect(linuxHugePageSize((path) => (asked.push(path), text))).toBe(size)
    expect(asked).toEqual(['/sys/kernel/mm/transparent_hugepage/hpage_pmd_size'])
  })
})

describe('what tcmalloc has', () => {
  it('is read from its report, without its tables, and is not known without a report', () => {
    const report = [
      'MALLOC:        2201592 (    2.1 MiB) Bytes in use by application',
      'MALLOC: +      2621440 (    2.5 MiB) Bytes in malloc metadata',
      'MALLOC: =      6815744 (    6.5 MiB) Actual memory used (physical + swap)',
      'MALLOC: +            0 (    0.0 MiB) Bytes released to OS (aka unmapped)',
    ]
    const free = 6815744 - 2201592 - 2621440
    expect(tcmallocFigures(report.join('\n'))).toEqual({ resident: 6815744, free })
    expect(tcmallocFigures('')).toEqual({ resident: NaN, free: NaN })
  })
})

describe('what the C library holds', () => {
  const arena =
    '<heap nr="0">\n<total type="fast" count="1" size="7"/>\n<total type="rest" count="1" size="9"/>\n</heap>\n'
  const rest = '<total type="rest" count="3" size="4000"/>\n<total type="mmap" count="2" size="8192"/>\n</malloc>\n'

  it('is the total of all arenas, with small free blocks', () => {
    const text = `<malloc version="1">\n${arena}<total type="fast" count="2" size="96"/>\n${rest}`
    expect(mallocTotals(text)).toEqual({ mallocFree: 4096, mallocMapped: 8192 })
  })

  it('is read from glibc 2.43, which has no fast bins', () => {
    expect(mallocTotals(`<malloc version="1">\n${arena}${rest}`)).toEqual({ mallocFree: 4000, mallocMapped: 8192 })
  })

  it('is not known when malloc_info says nothing', () => {
    expect(mallocTotals('')).toEqual({ mallocFree: NaN, mallocMapped: NaN })
  })
})

describe('the kind of a mapping', () => {
  const kinds = (...lines: string[]): string[] =>
    mappingsOf(lines.map((line) => `${line} 00000000 00:00 0\nRss: 4 kB\nVmFlags: rd wr\n`).join(''), true).map(
      ({ kind }) => kind,
    )

  it('is malloc where an arena of glibc is in use, also behind memory that the kernel has merged with it', () => {
    const rest = '7f0000200000-7f0004000000 ---p'
    expect(kinds('7f0000000000-7f0000200000 rw-p', rest)).toEqual(['malloc', 'anonymous'])
    expect(kinds('7efffff00000-7f0000200000 rw-p', rest)).toEqual(['malloc', 'anonymous'])
  })

  it('is not known where no arena begins, or what follows is not its rest', () => {
    for (const [line, next] of [
      ['7f0000100000-7f0000200000 rw-p', '7f0000200000-7f0004000000 ---p'],
      ['7efffff00000-7f0000200000 rw-p', '7f0000200000-7f0003000000 ---p'],
      ['7efffff00000-7f0000200000 rw-p', '7f0000300000-7f0004000000 ---p'],
      ['7efffff00000-7f0000200000 rw-p', '7f0000200000-7f0004000000 r--p'],
      ['7efffff00000-7f0000200000 r--p', '7f0000200000-7f0004000000 ---p'],
      ['7f0000000000-7f0000200000 r--p', '7f0000200000-7f0004000000 ---p'],
    ] as const)
      expect(kinds(line, next)).toEqual(['anonymous', 'anonymous'])
  })
})

// From each libc's <errno.h>: the function that its macro errno calls.
describe('errno is found by the name of its function', () => {
  const names: [platform: string, name: string][] = [
    ['linux', '__errno_location'],
    ['android', '__errno'],
    ['darwin', '__error'],
    ['freebsd', '__error'],
    ['dragonfly', '__error'],
    ['netbsd', '__errno'],
    ['openbsd', '__errno'],
    ['sunos', '___errno'],
    ['aix', '_Errno'],
  ]

  it.each(names)('on %s: %s', (platform, name) => {
    expect(errnoLocation[platform]).toBe(name)
  })

  it('on no other host, and not on Windows, which has a different libc', () => {
    expect(Object.keys(errnoLocation).toSorted()).toEqual(names.map(([platform]) => platform).toSorted())
  })
})
