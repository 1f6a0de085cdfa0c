// FreeBSD, DragonFly, NetBSD, OpenBSD, Solaris and illumos: one row each. Sources: their sys/mman.h, vm_mmap.c
// (FreeBSD, DragonFly), uvm_mmap.c (NetBSD, OpenBSD), segvn (illumos). Not compared with real kernels, because we
// had none.
import type { Advice, MapFlags, Personality, RangeRules } from './personality.js'

/** The flavors of os-bsd. */
export type BsdFlavor = 'freebsd' | 'dragonfly' | 'netbsd' | 'openbsd' | 'solaris' | 'illumos'

const alike = {
  pageSize: 4096,
  hugePageSize: 0,
  countsData: false,
  batches: false,
  tellsPages: false,
  faultAround: 1,
  maxMappings: Infinity,
}

const nothing: Advice = { does: 'nothing' }

/** The numbers of madvise. MADV_DONTNEED only ages pages. MADV_FREE is 5 or 6. */
function advice(free: number): ReadonlyMap<number, Advice> {
  return new Map<number, Advice>([
    [0, nothing],
    [1, nothing],
    [2, nothing],
    [3, nothing],
    [4, nothing],
    [free, { does: 'forfeit', counted: true }],
  ])
}

const bsdFlags: MapFlags = {
  anonymous: 0x1000,
  fixed: 0x10,
  noReplace: 0,
  noReserve: 0,
  populate: 0,
  locked: 0,
  stack: 0,
  unsupported: 0,
  known: null,
}

const sunFlags: MapFlags = { ...bsdFlags, anonymous: 0x100, noReserve: 0x40, unsupported: 0x200 } // MAP_ALIGN

const lenient: RangeRules = { unaligned: 'rounded', empty: 'done', outside: 'EINVAL', hole: 'skipped' }
const strict: RangeRules = { unaligned: 'EINVAL', empty: 'EINVAL', outside: 'ENOMEM', hole: 'skipped' }

// The rows leave out what all six have alike and what the caller passes.
type Row = Omit<Personality, 'arch' | 'os' | 'family' | keyof typeof alike>

const freebsd: Row = {
  lowest: 0x1000,
  highest: 0x7fff_ffff_f000,
  // noReplace is MAP_EXCL. unsupported is MAP_STACK, MAP_GUARD and MAP_32BIT.
  flags: { ...bsdFlags, noReplace: 0x4000, unsupported: 0x400 | 0x2000 | 0x80000 },
  knownProt: { mmap: 7, mprotect: 7 },
  placement: {
    order: 'up',
    bottom: 0x8_0000_0000,
    top: 0x7fff_dfff_0000,
    slide: 2 ** 32,
    busyHint: 'upward',
    alignsHuge: false,
  },
  mapOver: null,
  fixedOutside: 'EINVAL',
  commit: { counts: 'nothing', errno: 'ENOMEM' },
  advice: advice(5),
  munmap: { ...lenient, empty: 'EINVAL' },
  mprotect: lenient,
  madvise: lenient,
}

const netbsd: Row = {
  ...freebsd,
  flags: bsdFlags,
  knownProt: { mmap: null, mprotect: null },
  placement: { ...freebsd.placement, order: 'down', busyHint: 'ignored' },
  advice: advice(6),
  // uvm checks that all of a range is mapped before it unmaps any of it.
  munmap: { ...lenient, hole: { errno: 'EINVAL', effect: 'none' } },
  madvise: { ...lenient, hole: { errno: 'EFAULT', effect: 'none' } },
}

const sunos: Row = {
  lowest: 0x1000,
  highest: 0xffff_fd80_0000_0000,
  flags: sunFlags,
  knownProt: { mmap: 7, mprotect: 7 },
  placement: {
    order: 'down',
    bottom: 0x1000,
    top: 0xffff_fd7f_ff00_0000,
    slide: 2 ** 24,
    busyHint: 'ignored',
    alignsHuge: false,
  },
  mapOver: null,
  fixedOutside: 'ENOMEM',
  // Swap is set aside for every mapping, with or without permissions. That is why Go reserves with NORESERVE here.
  commit: { counts: 'unless NORESERVE', errno: 'EAGAIN' },
  advice: advice(5),
  munmap: { ...strict, outside: 'EINVAL' },
  mprotect: { ...strict, hole: { errno: 'ENOMEM', effect: 'before it' } },
  madvise: { ...strict, hole: { errno: 'ENOMEM', effect: 'before it' } },
}

const rows: Readonly<Record<BsdFlavor, Row>> = {
  freebsd,
  dragonfly: { ...freebsd, flags: bsdFlags, knownProt: { mmap: null, mprotect: null } },
  netbsd,
  openbsd: {
    ...netbsd,
    flags: { ...bsdFlags, unsupported: 0x4000 }, // MAP_STACK
    knownProt: { mmap: 7, mprotect: 7 },
    placement: { ...netbsd.placement, order: 'anywhere' },
  },
  solaris: sunos,
  illumos: sunos,
}

/** The personality of one of the six. */
export function bsd(flavor: BsdFlavor, arch: string): Personality {
  return { os: flavor, family: flavor, arch, ...alike, ...rows[flavor] }
}
