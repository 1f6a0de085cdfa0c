// Linux 6.18 on x86-64, as the differential test finds it. Sources: mm/mmap.c, mm/vma.c, mm/mprotect.c,
// mm/madvise.c, asm-generic/mman-common.h.
import {
  HUGE_PAGES,
  MERGEABLE,
  NO_HUGE_PAGES,
  NOT_DUMPED,
  NOT_FORKED,
  RANDOM_ORDER,
  SEQUENTIAL,
  WIPED_ON_FORK,
} from './attribute.js'
import type { Advice, MapFlags, Personality } from './personality.js'

const flags: MapFlags = {
  anonymous: 0x20,
  fixed: 0x10,
  noReplace: 0x100000,
  noReserve: 0x4000,
  populate: 0x8000,
  locked: 0x2000,
  stack: 0x20000,
  unsupported: 0x40 | 0x100 | 0x40000, // MAP_32BIT, MAP_GROWSDOWN, MAP_HUGETLB
  known: null,
}

// arch/mips/include/uapi/asm/mman.h kept IRIX's numbers.
const mipsFlags: MapFlags = {
  anonymous: 0x800,
  fixed: 0x10,
  noReplace: 0x100000,
  noReserve: 0x400,
  populate: 0x10000,
  locked: 0x8000,
  stack: 0x40000,
  unsupported: 0x1000 | 0x80000, // MAP_GROWSDOWN, MAP_HUGETLB
  known: null,
}

const mark = (sets: number, clears: number, on?: 'private' | 'unshared'): Advice =>
  on === undefined ? { does: 'mark', sets, clears } : { does: 'mark', sets, clears, on }

const advice: ReadonlyMap<number, Advice> = new Map([
  [0, mark(0, SEQUENTIAL | RANDOM_ORDER)], // MADV_NORMAL
  [1, mark(RANDOM_ORDER, SEQUENTIAL)], // MADV_RANDOM
  [2, mark(SEQUENTIAL, RANDOM_ORDER)], // MADV_SEQUENTIAL
  [3, { does: 'nothing' }], // MADV_WILLNEED
  [4, { does: 'discard', locked: 'EINVAL' }], // MADV_DONTNEED
  [8, { does: 'forfeit', counted: true }], // MADV_FREE, since 4.5
  [9, { does: 'remove' }], // MADV_REMOVE
  [10, mark(NOT_FORKED, 0)], // MADV_DONTFORK
  [11, mark(0, NOT_FORKED)], // MADV_DOFORK
  [12, mark(MERGEABLE, 0, 'unshared')], // MADV_MERGEABLE
  [13, mark(0, MERGEABLE, 'unshared')], // MADV_UNMERGEABLE
  [14, mark(HUGE_PAGES, NO_HUGE_PAGES)], // MADV_HUGEPAGE
  [15, mark(NO_HUGE_PAGES, HUGE_PAGES)], // MADV_NOHUGEPAGE
  [16, mark(NOT_DUMPED, 0)], // MADV_DONTDUMP
  [17, mark(0, NOT_DUMPED)], // MADV_DODUMP
  [18, mark(WIPED_ON_FORK, 0, 'private')], // MADV_WIPEONFORK
  [19, mark(0, WIPED_ON_FORK)], // MADV_KEEPONFORK
  [20, { does: 'age', reclaims: false }], // MADV_COLD
  [21, { does: 'age', reclaims: true }], // MADV_PAGEOUT, without swap
  [22, { does: 'populate', access: 'read' }], // MADV_POPULATE_READ
  [23, { does: 'populate', access: 'write' }], // MADV_POPULATE_WRITE
  [24, { does: 'discard', locked: 'discard' }], // MADV_DONTNEED_LOCKED
  [25, { does: 'collapse' }], // MADV_COLLAPSE
])

/** Linux. The processor decides a few numbers. */
export function linux(arch: string): Personality {
  const mips = arch.startsWith('mips')
  return {
    os: 'linux',
    family: mips ? 'linux-mips' : 'linux',
    arch,
    pageSize: 4096,
    hugePageSize: 2 ** 21,
    lowest: 0x10000, // vm.mmap_min_addr
    highest: 0x7fff_ffff_f000,
    flags: mips ? mipsFlags : flags,
    knownProt: { mmap: null, mprotect: 0xf }, // PROT_SEM as well
    placement: {
      order: 'down',
      bottom: 0x2aaa_aaaa_b000,
      top: 0x7fff_f7ff_f000,
      slide: 2 ** 40, // 28 bits of pages
      busyHint: 'ignored',
      alignsHuge: true, // since 6.7
    },
    mapOver: null,
    fixedOutside: 'ENOMEM',
    commit: { counts: 'writable', errno: 'ENOMEM' },
    advice,
    munmap: { unaligned: 'EINVAL', empty: 'EINVAL', outside: 'EINVAL', hole: 'skipped' },
    mprotect: {
      unaligned: 'EINVAL',
      empty: 'done',
      outside: 'a hole',
      hole: { errno: 'ENOMEM', effect: 'before it' },
    },
    madvise: {
      unaligned: 'EINVAL',
      empty: 'done',
      outside: 'a hole',
      hole: { errno: 'ENOMEM', effect: 'around it' },
    },
    countsData: true,
    batches: true,
    tellsPages: true,
    faultAround: 16,
    maxMappings: 65530,
  }
}
