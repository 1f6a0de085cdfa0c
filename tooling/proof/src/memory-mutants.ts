// Mutants that are wrong about memory: what sysAlloc hands out, what sysUnused gives back, what sysUsed commits, and
// what sysHugePage asks for. mutants.ts lists them.
import type { Mutant } from './mutant.js'

const linux = 'linux'
const windows = 'windows'
const plan9 = 'plan9'

/** By the function that is wrong. */
export const memoryMutants: readonly Mutant[] = [
  // sysAlloc
  {
    wrong: 'sysAlloc swallows ENOMEM: the error number is handed out as an address',
    subject: 'freebsd',
    find: /(sysAllocOS\(n\) \{[^]*?)if \(p < 0\)/,
    put: '$1if (p === -1)',
    caughtBy: 'refusals/alloc',
  },
  {
    wrong: 'sysAlloc keeps no reason for its refusal',
    subject: 'darwin',
    find: /(sysAllocOS\(n\) \{[^]*?)return this\.#refuse\('mmap', -p[^)]*\);/,
    put: '$1return null;',
    caughtBy: 'refusals/alloc',
  },
  {
    wrong: 'sysAlloc rounds up to 64 KiB',
    subject: linux,
    find: 'mmap(0, n, PROT_READ | PROT_WRITE',
    put: 'mmap(0, alignUp(n, 65536), PROT_READ | PROT_WRITE',
    caughtBy: 'account/sizes',
  },
  {
    wrong: 'sysAlloc rounds down, and comes a page short',
    subject: linux,
    find: 'mmap(0, n, PROT_READ | PROT_WRITE',
    put: 'mmap(0, n - (n > 4096 ? 4096 : 0), PROT_READ | PROT_WRITE',
    caughtBy: 'alloc/touchable',
  },
  {
    wrong: 'sysAlloc only reserves: it commits nothing',
    subject: windows,
    find: 'virtualAlloc(0, n, MEM_COMMIT | MEM_RESERVE,',
    put: 'virtualAlloc(0, n, MEM_RESERVE,',
    caughtBy: 'alloc/touchable',
  },
  {
    wrong: 'sysAlloc maps for reading alone',
    subject: 'netbsd',
    find: 'mmap(0, n, PROT_READ | PROT_WRITE',
    put: 'mmap(0, n, PROT_READ',
    caughtBy: 'alloc/touchable',
  },
  {
    wrong: 'sysAlloc hands out freed memory as it was left',
    subject: plan9,
    find: 'this.#kernel.clear(v, size);',
    put: '',
    caughtBy: 'contents/zero-after-free',
  },
  {
    wrong: 'what was freed at the end of memory is handed out dirty',
    subject: plan9,
    find: 'this.#kernel.clear(v, n);',
    put: '',
    caughtBy: 'contents/zero-after-free',
  },
  // sysUnused
  {
    wrong: 'sysUnused does nothing, and says that it does',
    subject: 'freebsd',
    find: 'const answer = this.#kernel.madvise(v, n, this.#free);',
    put: 'const answer = 0;',
    caughtBy: 'unused/returns-memory',
  },
  {
    wrong: 'sysUnused gives back one page too many',
    subject: linux,
    find: 'let answer = this.#kernel.madvise(v, n, advice);',
    put: 'let answer = this.#kernel.madvise(v, n + this.#pageSize, advice);',
    caughtBy: 'contents/neighbours',
  },
  {
    wrong: 'sysUnused leaves the last page',
    subject: linux,
    find: 'let answer = this.#kernel.madvise(v, n, advice);',
    put: 'let answer = this.#kernel.madvise(v, Math.max(n - this.#pageSize, this.#pageSize), advice);',
    caughtBy: 'unused/returns-memory',
  },
  {
    wrong: 'sysUnused unmaps the range',
    subject: 'openbsd',
    find: 'const answer = this.#kernel.madvise(v, n, this.#free);',
    put: 'const answer = this.#kernel.munmap(v, n);',
    caughtBy: 'unused/held',
  },
  {
    wrong: 'sysUnused forgets that the kernel refused the advice',
    subject: 'linux, MADV_FREE',
    find: 'this.#adviseUnused = MADV_DONTNEED;',
    put: '',
    caughtBy: 'refusals/advice',
  },
  {
    wrong: 'sysUnused takes huge pages whole',
    subject: linux,
    find: 'let answer = this.#kernel.madvise(v, n, advice);',
    put: [
      'const start = n > this.#hugePageSize ? alignDown(v, this.#hugePageSize) : v;',
      'let answer = this.#kernel.madvise(start, n + (v - start), advice);',
    ].join('\n'),
    caughtBy: 'huge-pages/cut',
  },
  {
    wrong: 'the trait says that contents are dropped, and the advice is MADV_FREE',
    subject: linux,
    find: 'return this.#madvDontNeed ? MADV_DONTNEED : this.#adviseUnused;',
    put: 'return MADV_FREE;',
    caughtBy: 'unused/drops-contents',
  },
  {
    wrong: 'a batch leaves out its last range',
    subject: linux,
    find: 'this.#kernel.madviseAll?.(ranges, this',
    put: 'this.#kernel.madviseAll?.(Array.from(ranges).slice(0, -2), this',
    caughtBy: 'account/batch',
  },
  {
    wrong: 'a decommit is not made in pieces',
    subject: windows,
    find: /small = alignDown\(small \/ 2, this\.#pageSize\);(?=\s+\}\s+if[^]{0,60}#decommitFailed)/,
    put: 'small = 0;',
    caughtBy: 'used/across-reservations',
  },
  {
    wrong: 'sysUnused releases the reservation',
    subject: windows,
    find: "this.#decommit('sysUnused', v, n);",
    put: 'void this.#kernel.virtualFree(v, 0, MEM_RELEASE);',
    caughtBy: 'unused/held',
  },
  // sysUsed
  {
    wrong: 'sysUsed commits nothing',
    subject: windows,
    find: 'if (answer === v)\n            return;',
    put: 'return;',
    caughtBy: 'refusals/used',
  },
  {
    wrong: 'sysUsed asks for no commitment at all',
    subject: windows,
    find: 'let answer = this.#kernel.virtualAlloc(v, n, MEM_COMMIT, PAGE_READWRITE);',
    put: 'let answer = v;',
    caughtBy: 'map/touchable',
  },
  {
    wrong: 'a commit is made in pieces, and ends with the first',
    subject: windows,
    find: /(sysUsedOS\(v, n\) \{[^]*?)at \+= small;/,
    put: '$1at = end;',
    caughtBy: 'used/across-reservations',
  },
  {
    wrong: 'sysUsed maps anew, over what is Ready',
    subject: linux,
    find: 'this.sysHugePageOS(v, n);\n    }',
    put: 'this.sysMapOS(v, n);\n    }',
    caughtBy: 'used/mixed',
  },
  // sysPopulate, sysRenew
  {
    wrong: 'sysPopulateOS takes a want of memory for a kernel that can’t, for good',
    subject: linux,
    find: 'if (answer === -EINVAL || answer === -EPERM || answer === -ENOSYS)',
    put: 'if (answer < 0)',
    caughtBy: 'populate/refused',
  },
  {
    wrong: 'sysRenewOS says that new pages have no memory, although they have some',
    subject: linux,
    find: 'if (this.#kernel.residency?.(v, this.#pageSize)?.length === 0)',
    put: '',
    caughtBy: 'renew/answer',
  },
  {
    wrong: 'sysRenewOS writes no zeroes where the kernel kept the old pages',
    subject: linux,
    find: /if \(this\.#madvDontNeed\)\s+writeZeroes\(this\.#kernel, v, n\);/,
    put: '',
    caughtBy: 'refusals/unused-first',
  },
  {
    wrong: 'sysAlloc is tried again without a promise of swap space',
    subject: 'solaris',
    find: 'const p = this.#kernel.mmap(0, n, PROT_READ | PROT_WRITE, this.#anonymous | MAP_PRIVATE, -1, 0);',
    put: [
      'const flags = this.#anonymous | MAP_PRIVATE;',
      'let p = this.#kernel.mmap(0, n, PROT_READ | PROT_WRITE, flags, -1, 0);',
      'if (-p === EAGAIN[this.name])',
      'p = this.#kernel.mmap(0, n, PROT_READ | PROT_WRITE, flags | this.#noReserve, -1, 0);',
    ].join('\n'),
    caughtBy: 'charge/whole',
  },
  {
    wrong: 'sysRetireOS sets swap space aside for what is retired',
    subject: 'illumos',
    find: /(sysRetireOS\(v, n\) \{[^]*?this\.#anonymous) \| this\.#noReserve/,
    put: '$1',
    caughtBy: 'charge/second-round',
  },
  {
    wrong: 'sysUnused gives an advice that does nothing, once MADV_FREE was refused',
    subject: 'freebsd',
    find: /(const answer = this\.#kernel\.madvise\(v, n, )this\.#free\);/,
    put: '$1this.keeps ? 4 : this.#free);\nif (answer < 0) this.keeps = true;',
    caughtBy: 'refusals/gone',
  },
  {
    wrong: 'quarantine: RLIMIT_DATA is not looked at',
    subject: linux,
    find: 'quarantineOf(this.#kernel.limits?.())',
    put: 'quarantineOf({ ...this.#kernel.limits?.(), dataSize: Infinity })',
    caughtBy: 'limits/quarantine',
  },
  // sysHugePage
  {
    wrong: 'sysHugePage rounds outwards',
    subject: linux,
    find: 'const beg = alignUp(v, huge);',
    put: 'const beg = alignDown(v, huge);',
    caughtBy: 'huge-pages/whole',
  },
  {
    wrong: 'sysHugePage advises where there are no huge pages',
    subject: 'darwin',
    find: 'sysHugePageOS(_v, _n) {',
    put: 'sysHugePageOS(_v, _n) { void this.#kernel.madvise(_v, _n, 14);',
    caughtBy: 'huge-pages/none',
  },
  {
    wrong: 'sysHugePage gives the advice of sysUnused',
    subject: linux,
    find: /end - beg, MADV_HUGEPAGE/g,
    put: 'end - beg, MADV_DONTNEED',
    caughtBy: 'huge-pages/cut',
  },
]
