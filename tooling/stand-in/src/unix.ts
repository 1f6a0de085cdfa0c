// What each Unix calls Linux's flags and advice, and where it does otherwise. Written from the
// systems' headers and manuals, not from the backends' tables, which are held against it.
import type { ErrnoFamily } from '@memlayer/kernel'

/** A Unix that Linux stands in for. */
export type Unix = 'darwin' | 'freebsd' | 'dragonfly' | 'netbsd' | 'openbsd' | 'solaris' | 'illumos' | 'aix'

/** One Unix, as far as its memory calls go. */
export interface UnixFacts {
  readonly family: ErrnoFamily
  readonly pageSize: number
  readonly anonymous: number
  readonly fixed: number
  /** 0: the flag is not known. */
  readonly noReserve: number
  /** Whether a fixed mapping may replace another. */
  readonly mapsOver: boolean
  /** Its advice, and the Linux advice that does the same. */
  readonly advice: ReadonlyMap<number, number>
}

// Linux's: asm-generic/mman-common.h.
const NORMAL = 0
const DONTNEED = 4
const FREE = 8

const bsd = { pageSize: 4096, anonymous: 0x1000, fixed: 0x10, noReserve: 0, mapsOver: true }
const sunos = { pageSize: 4096, anonymous: 0x100, fixed: 0x10, noReserve: 0x40, mapsOver: true }
// Where DONTNEED may not lose contents, the nearest thing is to do nothing.
const keeping = [
  [0, NORMAL],
  [4, NORMAL],
] as const

/** By name. */
export const unixes: Readonly<Record<Unix, UnixFacts>> = {
  darwin: {
    ...bsd,
    family: 'darwin',
    // Apple's own processors.
    pageSize: 16384,
    noReserve: 0x40,
    // 5 MADV_FREE, 7 MADV_FREE_REUSABLE, 8 MADV_FREE_REUSE, which only moves an account.
    advice: new Map([...keeping, [5, FREE], [7, FREE], [8, NORMAL]]),
  },
  freebsd: { ...bsd, family: 'freebsd', advice: new Map([...keeping, [5, FREE]]) },
  dragonfly: { ...bsd, family: 'dragonfly', advice: new Map([...keeping, [5, FREE]]) },
  netbsd: { ...bsd, family: 'netbsd', advice: new Map([...keeping, [6, FREE]]) },
  openbsd: { ...bsd, family: 'openbsd', advice: new Map([...keeping, [6, FREE]]) },
  solaris: { ...sunos, family: 'solaris', advice: new Map([...keeping, [5, FREE]]) },
  illumos: { ...sunos, family: 'illumos', advice: new Map([...keeping, [5, FREE]]) },
  aix: {
    family: 'aix',
    pageSize: 4096,
    anonymous: 0x10,
    fixed: 0x100,
    noReserve: 0,
    mapsOver: false,
    // madvise has no function by IBM's manual. An AIX that had one would drop the pages.
    advice: new Map([
      [0, NORMAL],
      [4, DONTNEED],
    ]),
  },
}
