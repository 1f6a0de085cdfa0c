// Flag words, checked against this host's headers. For other systems they are checked against a table.
import { adviceText, flagText, flagWords, type ErrnoFamily } from '@memlayer/kernel'
import { describe, expect, it } from 'vitest'
import { defined } from './headers.js'

// MAP_ANON, MAP_FIXED, MAP_NORESERVE and MADV_FREE, which differ between systems. From Go's runtime/defs_*.go and
// syscall/zerrors_*.go.
const differing: [ErrnoFamily, number, number, number | undefined, number | undefined][] = [
  ['linux', 0x20, 0x10, 0x4000, 8],
  ['linux-mips', 0x800, 0x10, 0x400, 8],
  ['darwin', 0x1000, 0x10, 0x40, 5],
  ['freebsd', 0x1000, 0x10, undefined, 5],
  ['dragonfly', 0x1000, 0x10, undefined, 5],
  ['netbsd', 0x1000, 0x10, undefined, 6],
  ['openbsd', 0x1000, 0x10, undefined, 6],
  ['solaris', 0x100, 0x10, 0x40, 5],
  ['illumos', 0x100, 0x10, 0x40, 5],
  ['aix', 0x10, 0x100, undefined, undefined],
]

const numberOf = (words: readonly (readonly [number, string])[], name: string): number | undefined =>
  words.find(([, word]) => word === name)?.[0]

describe('flagWords', () => {
  it.each(differing)('%s: MAP_ANON %i, MAP_FIXED %i', (family, anon, fixed, noReserve, free) => {
    const { map, advice } = flagWords[family]
    expect(numberOf(map, 'MAP_PRIVATE')).toBe(2)
    expect(numberOf(map, 'MAP_ANON')).toBe(anon)
    expect(numberOf(map, 'MAP_FIXED')).toBe(fixed)
    expect(numberOf(map, 'MAP_NORESERVE')).toBe(noReserve)
    expect(numberOf(advice, 'MADV_DONTNEED')).toBe(4)
    expect(numberOf(advice, 'MADV_FREE')).toBe(free)
  })

  it.each(differing.map(([family]) => family))('%s: PROT_NONE 0, PROT_READ 1, PROT_WRITE 2, PROT_EXEC 4', (family) => {
    expect(flagWords[family].prot).toEqual([
      [0, 'PROT_NONE'],
      [1, 'PROT_READ'],
      [2, 'PROT_WRITE'],
      [4, 'PROT_EXEC'],
    ])
  })

  it('darwin has the advice that reuses pages, openbsd the stack flag', () => {
    expect(numberOf(flagWords.darwin.advice, 'MADV_FREE_REUSABLE')).toBe(7)
    expect(numberOf(flagWords.darwin.advice, 'MADV_FREE_REUSE')).toBe(8)
    expect(numberOf(flagWords.openbsd.map, 'MAP_STACK')).toBe(0x4000)
  })

  it('windows: the words of winnt.h', () => {
    expect(Object.fromEntries(flagWords.windows.map.map(([bits, name]) => [name, bits]))).toEqual({
      MEM_COMMIT: 0x1000,
      MEM_RESERVE: 0x2000,
      MEM_DECOMMIT: 0x4000,
      MEM_RELEASE: 0x8000,
      MEM_RESET: 0x80000,
      MEM_LARGE_PAGES: 0x20000000,
    })
    expect(Object.fromEntries(flagWords.windows.prot.map(([bits, name]) => [name, bits]))).toEqual({
      PAGE_NOACCESS: 1,
      PAGE_READONLY: 2,
      PAGE_READWRITE: 4,
      PAGE_GUARD: 0x100,
    })
  })

  it('linux: all agree with this host’s <sys/mman.h>', (context) => {
    if (process.platform !== 'linux') context.skip('reads the headers of Linux')
    // mips and ppc have their own numbers for MAP_NORESERVE and its neighbours.
    if (!['x64', 'arm64', 'riscv64', 'loong64'].includes(process.arch))
      context.skip('reads the headers of a generic processor')
    const { prot, map, advice } = flagWords.linux
    const words = [...prot, ...map, ...advice]
    // linux/mman.h has the flags that the C library's header does not know yet.
    const found = defined(
      ['sys/mman.h', 'linux/mman.h'],
      words.map(([, name]) => name),
      context,
    )
    expect(Object.fromEntries(found)).toEqual(Object.fromEntries(words.map(([bits, name]) => [name, bits])))
  })

  it('has no bit twice in one argument', () => {
    for (const { prot, map, advice } of Object.values(flagWords)) {
      for (const words of [prot, map, advice]) expect(new Set(words.map(([bits]) => bits)).size).toBe(words.length)
    }
  })
})

describe('flagText', () => {
  it.each([
    ['linux', 0x22, 'MAP_PRIVATE|MAP_ANON'],
    ['linux', 0x32, 'MAP_PRIVATE|MAP_FIXED|MAP_ANON'],
    ['linux-mips', 0x802, 'MAP_PRIVATE|MAP_ANON'],
    ['freebsd', 0x1012, 'MAP_PRIVATE|MAP_FIXED|MAP_ANON'],
    ['aix', 0x12, 'MAP_PRIVATE|MAP_ANON'],
    ['aix', 0x112, 'MAP_PRIVATE|MAP_ANON|MAP_FIXED'],
    ['linux', 0x2000022, 'MAP_PRIVATE|MAP_ANON|0x2000000'],
    ['linux', 0, '0x0'],
    ['windows', 0x3000, 'MEM_COMMIT|MEM_RESERVE'],
    ['windows', 0x8000, 'MEM_RELEASE'],
  ] as const)('%s: %i is %s', (family, value, text) => {
    expect(flagText(flagWords[family].map, value)).toBe(text)
  })

  it('writes PROT_NONE for 0, and for no other value', () => {
    expect(flagText(flagWords.linux.prot, 0)).toBe('PROT_NONE')
    expect(flagText(flagWords.linux.prot, 3)).toBe('PROT_READ|PROT_WRITE')
    expect(flagText(flagWords.windows.prot, 4)).toBe('PAGE_READWRITE')
  })

  it('writes the highest bit without a sign', () => {
    expect(flagText(flagWords.linux.map, 0x8000_0002)).toBe('MAP_PRIVATE|0x80000000')
    expect(flagText(flagWords.linux.prot, -1)).toBe('PROT_READ|PROT_WRITE|PROT_EXEC|0xfffffff8')
  })
})

describe('adviceText', () => {
  it.each([
    ['linux', 4, 'MADV_DONTNEED'],
    ['linux', 8, 'MADV_FREE'],
    ['darwin', 8, 'MADV_FREE_REUSE'],
    ['freebsd', 5, 'MADV_FREE'],
    ['openbsd', 6, 'MADV_FREE'],
    ['linux', 14, 'MADV_HUGEPAGE'],
    ['linux', 12, '12'],
    ['windows', 4, '4'],
  ] as const)('%s: %i is %s', (family, value, text) => {
    expect(adviceText(family, value)).toBe(text)
  })
})
