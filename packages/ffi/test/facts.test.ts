// What the port takes from files and tables, without a kernel: texts that no kernel here has, and the names
// of hosts that are not to be had.
import { describe, expect, it } from 'vitest'
import { errnoLocation } from '../dist/defs.js'
import { linuxHugePageSize } from '../dist/linux-huge-pages.js'

describe('the huge page size', () => {
  it.each([
    ['a file that can’t be read', null, 0],
    ['an empty file', '', 0],
    ['a file with a line end alone', '\n', 0],
    ['no power of two', '3000000', 0],
    ['nought', '0\n', 0],
    ['less than nought', '-2097152\n', 0],
    ['no number', '2 MB\n', 0],
    ['2 MiB', '2097152\n', 2 ** 21],
    ['512 MiB, of 64 KiB pages on arm64', '536870912\n', 2 ** 29],
  ])('of %s', (_, text, size) => {
    const asked: string[] = []
    expect(linuxHugePageSize((path) => (asked.push(path), text))).toBe(size)
    expect(asked).toEqual(['/sys/kernel/mm/transparent_hugepage/hpage_pmd_size'])
  })
})

// From each libc's <errno.h>: what its macro errno calls.
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

  it('on no other host, and not on Windows, which has no libc of that kind', () => {
    expect(Object.keys(errnoLocation).toSorted()).toEqual(names.map(([platform]) => platform).toSorted())
  })
})
