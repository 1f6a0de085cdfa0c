// AIX 7 on ppc64. Sources: IBM's manual of mmap, munmap, mprotect and madvise, sys/mman.h, and Go's mem_aix.go. Not
// compared with a real kernel, because we had none.
import type { Advice, Personality } from './personality.js'

const nothing: Advice = { does: 'nothing' }

/** AIX. */
export function aix(arch: string): Personality {
  return {
    os: 'aix',
    family: 'aix',
    arch,
    pageSize: 4096,
    hugePageSize: 0,
    lowest: 0x3000_0000,
    highest: 0x1000_0000_0000_0000,
    // Linux has these two numbers the other way round.
    flags: {
      anonymous: 0x10,
      fixed: 0x100,
      noReplace: 0,
      noReserve: 0,
      populate: 0,
      locked: 0,
      stack: 0,
      unsupported: 0,
      known: null,
    },
    knownProt: { mmap: 7, mprotect: 7 },
    placement: {
      order: 'up',
      bottom: 0x0700_0000_0000_0000, // where mmap's segments of a 64-bit process begin
      top: 0x1000_0000_0000_0000,
      slide: 0,
      busyHint: 'ignored',
      alignsHuge: false,
    },
    // Unless the process asks for UNIX95's behaviour with XPG_SUS_ENV.
    mapOver: 'ENOMEM',
    fixedOutside: 'ENOMEM',
    commit: { counts: 'nothing', errno: 'ENOMEM' },
    advice: new Map<number, Advice>([
      [0, nothing],
      [1, nothing],
      [2, nothing],
      [3, nothing],
      // IBM documents that madvise has no function and exists for compatibility.
      [4, nothing],
    ]),
    munmap: { unaligned: 'EINVAL', empty: 'EINVAL', outside: 'EINVAL', hole: 'skipped' },
    mprotect: { unaligned: 'EINVAL', empty: 'done', outside: 'ENOMEM', hole: { errno: 'ENOMEM', effect: 'before it' } },
    madvise: { unaligned: 'EINVAL', empty: 'done', outside: 'ENOMEM', hole: { errno: 'ENOMEM', effect: 'none' } },
    countsData: false,
    batches: false,
    tellsPages: false,
    faultAround: 1,
    maxMappings: Infinity,
  }
}
