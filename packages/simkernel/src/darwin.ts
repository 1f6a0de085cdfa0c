// Darwin (macOS). Sources: xnu's bsd/kern/kern_mman.c and osfmk/vm, sys/mman.h. Not compared with a real kernel,
// because we had none.
import type { Advice, Personality } from './personality.js'

const nothing: Advice = { does: 'nothing' }

/** Darwin. */
export function darwin(arch: string): Personality {
  return {
    os: 'darwin',
    family: 'darwin',
    arch,
    pageSize: arch === 'x64' ? 4096 : 16384,
    hugePageSize: 0,
    lowest: 0x1_0000_0000, // the first 4 GiB are __PAGEZERO
    highest: 0x7fff_fe00_0000,
    flags: {
      anonymous: 0x1000,
      fixed: 0x10,
      noReplace: 0,
      noReserve: 0x40,
      populate: 0,
      locked: 0,
      stack: 0,
      unsupported: 0,
      known: null,
    },
    knownProt: { mmap: null, mprotect: null },
    placement: {
      order: 'up',
      bottom: 0x1_0400_0000,
      top: 0x7fff_fe00_0000,
      slide: 2 ** 28,
      busyHint: 'upward',
      alignsHuge: false,
    },
    mapOver: null,
    fixedOutside: 'ENOMEM',
    commit: { counts: 'nothing', errno: 'ENOMEM' },
    advice: new Map<number, Advice>([
      [0, nothing],
      [1, nothing],
      [2, nothing],
      [3, nothing],
      [4, nothing], // MADV_DONTNEED ages pages and keeps their bytes
      [5, { does: 'forfeit', counted: true }], // MADV_FREE
      [7, { does: 'forfeit', counted: false }], // MADV_FREE_REUSABLE leaves the footprint at once
      [8, { does: 'reuse' }], // MADV_FREE_REUSE
    ]),
    munmap: { unaligned: 'EINVAL', empty: 'EINVAL', outside: 'EINVAL', hole: 'skipped' },
    mprotect: { unaligned: 'EINVAL', empty: 'done', outside: 'ENOMEM', hole: { errno: 'ENOMEM', effect: 'none' } },
    madvise: { unaligned: 'EINVAL', empty: 'done', outside: 'EINVAL', hole: { errno: 'EINVAL', effect: 'before it' } },
    countsData: false,
    batches: false,
    tellsPages: false,
    faultAround: 1,
    maxMappings: Infinity,
  }
}
