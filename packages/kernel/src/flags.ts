// Flag words as data, and flag words as text. The same bits differ by system: 0x22 is MAP_PRIVATE|MAP_ANON on Linux
// and means something else on AIX. Only messages and traces read these. A backend has its own constants in defs.ts.
import type { ErrnoFamily } from './errno.js'

/** One flag: its bits and its name in the system's header. */
export type FlagWord = readonly [bits: number, name: string]

/** The flag words of one family of kernels, by the argument that takes them. */
export interface FlagWords {
  /** Bits of `prot`. On Windows, values of `protect`. */
  readonly prot: readonly FlagWord[]
  /** Bits of `flags`. On Windows, bits of `type`. */
  readonly map: readonly FlagWord[]
  /** Values of `advice`, which are whole numbers and not bits. */
  readonly advice: readonly FlagWord[]
}

const prot: readonly FlagWord[] = [
  [0, 'PROT_NONE'],
  [1, 'PROT_READ'],
  [2, 'PROT_WRITE'],
  [4, 'PROT_EXEC'],
]

const shared: readonly FlagWord[] = [
  [1, 'MAP_SHARED'],
  [2, 'MAP_PRIVATE'],
]

const bsdMap: readonly FlagWord[] = [...shared, [0x10, 'MAP_FIXED'], [0x1000, 'MAP_ANON']]

const advice: readonly FlagWord[] = [
  [0, 'MADV_NORMAL'],
  [1, 'MADV_RANDOM'],
  [2, 'MADV_SEQUENTIAL'],
  [3, 'MADV_WILLNEED'],
  [4, 'MADV_DONTNEED'],
]

const linuxAdvice: readonly FlagWord[] = [
  ...advice,
  [8, 'MADV_FREE'],
  [14, 'MADV_HUGEPAGE'],
  [15, 'MADV_NOHUGEPAGE'],
  [16, 'MADV_DONTDUMP'],
  [17, 'MADV_DODUMP'],
  [20, 'MADV_COLD'],
  [21, 'MADV_PAGEOUT'],
  [22, 'MADV_POPULATE_READ'],
  [23, 'MADV_POPULATE_WRITE'],
  [25, 'MADV_COLLAPSE'],
]

const sunosMap: readonly FlagWord[] = [...shared, [0x10, 'MAP_FIXED'], [0x40, 'MAP_NORESERVE'], [0x100, 'MAP_ANON']]
const freebsd: FlagWords = { prot, map: bsdMap, advice: [...advice, [5, 'MADV_FREE']] }
const sunos: FlagWords = { prot, map: sunosMap, advice: [...advice, [5, 'MADV_FREE']] }

/** Flag words by family: `flagWords.linux.map`. */
export const flagWords: Readonly<Record<ErrnoFamily, FlagWords>> = {
  // asm-generic/mman-common.h
  linux: {
    prot,
    map: [
      ...shared,
      [0x10, 'MAP_FIXED'],
      [0x20, 'MAP_ANON'],
      [0x4000, 'MAP_NORESERVE'],
      [0x8000, 'MAP_POPULATE'],
      [0x40000, 'MAP_HUGETLB'],
      [0x100000, 'MAP_FIXED_NOREPLACE'],
    ],
    advice: linuxAdvice,
  },
  // arch/mips/include/uapi/asm/mman.h
  'linux-mips': {
    prot,
    map: [...shared, [0x10, 'MAP_FIXED'], [0x400, 'MAP_NORESERVE'], [0x800, 'MAP_ANON'], [0x10000, 'MAP_POPULATE']],
    advice: linuxAdvice,
  },
  darwin: {
    prot,
    map: [...bsdMap, [0x40, 'MAP_NORESERVE']],
    advice: [...advice, [5, 'MADV_FREE'], [7, 'MADV_FREE_REUSABLE'], [8, 'MADV_FREE_REUSE']],
  },
  freebsd,
  dragonfly: freebsd,
  netbsd: { prot, map: bsdMap, advice: [...advice, [6, 'MADV_FREE']] },
  openbsd: { prot, map: [...bsdMap, [0x4000, 'MAP_STACK']], advice: [...advice, [6, 'MADV_FREE']] },
  solaris: sunos,
  illumos: sunos,
  aix: { prot, map: [...shared, [0x10, 'MAP_ANON'], [0x100, 'MAP_FIXED']], advice },
  windows: {
    prot: [
      [0x01, 'PAGE_NOACCESS'],
      [0x02, 'PAGE_READONLY'],
      [0x04, 'PAGE_READWRITE'],
      [0x100, 'PAGE_GUARD'],
    ],
    map: [
      [0x1000, 'MEM_COMMIT'],
      [0x2000, 'MEM_RESERVE'],
      [0x4000, 'MEM_DECOMMIT'],
      [0x8000, 'MEM_RELEASE'],
      [0x80000, 'MEM_RESET'],
      [0x20000000, 'MEM_LARGE_PAGES'],
    ],
    advice: [],
  },
}

/**
 * Bits to text: `flagText(flagWords.linux.map, 0x22)` is `'MAP_PRIVATE|MAP_ANON'`. Bits without a name come last,
 * in hex.
 */
export function flagText(words: readonly FlagWord[], value: number): string {
  const named = words.filter(([bits]) => (bits === 0 ? value === 0 : (value & bits) === bits))
  const rest = named.reduce((left, [bits]) => left & ~bits, value)
  const parts = named.map(([, name]) => name)
  // Bitwise operators give signed numbers, but a flag word has no sign.
  if (rest !== 0 || parts.length === 0) parts.push(`0x${(rest >>> 0).toString(16)}`)
  return parts.join('|')
}

/** An advice number to text: `adviceText('linux', 4)` is `'MADV_DONTNEED'`. */
export function adviceText(family: ErrnoFamily, value: number): string {
  return flagWords[family].advice.find(([number]) => number === value)?.[1] ?? String(value)
}
