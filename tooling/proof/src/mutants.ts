// Backends that are wrong on purpose: each is a backend of the repository with one edit in
// what was built of its mem.ts, and the case that catches it. The suite proves itself on them.

/** One wrong backend. */
export interface Mutant {
  /** What it gets wrong, as a person says it. */
  readonly wrong: string
  /** The subject that it is made of, by name. */
  readonly subject: string
  /** What is replaced in dist/mem.js: once, unless the text says where. */
  readonly find: string | RegExp
  readonly put: string
  /** A second edit, where one does not make a program. */
  readonly and?: readonly [find: string, put: string]
  /** The case that has to fail. */
  readonly caughtBy: string
}

const linux = 'linux'
const windows = 'windows'
const plan9 = 'plan9'
const js = 'js'

/** Every mutant, by the function that it is wrong in. */
export const mutants: readonly Mutant[] = [
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
    find: /(sysAllocOS\(n\) \{[^]*?)return this.#refuse\('mmap', -p\);/,
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
    find: 'void this.#kernel.madvise(v, n, this.#free);',
    put: '',
    caughtBy: 'unused/returns-memory',
  },
  {
    wrong: 'sysUnused gives back one page too many',
    subject: linux,
    find: 'const answer = this.#kernel.madvise(v, n, advice);',
    put: 'const answer = this.#kernel.madvise(v, n + this.#pageSize, advice);',
    caughtBy: 'contents/neighbours',
  },
  {
    wrong: 'sysUnused leaves the last page',
    subject: linux,
    find: 'const answer = this.#kernel.madvise(v, n, advice);',
    put: 'const answer = this.#kernel.madvise(v, Math.max(n - this.#pageSize, this.#pageSize), advice);',
    caughtBy: 'unused/returns-memory',
  },
  {
    wrong: 'sysUnused unmaps the range',
    subject: 'openbsd',
    find: 'void this.#kernel.madvise(v, n, this.#free);',
    put: 'void this.#kernel.munmap(v, n);',
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
    find: 'const answer = this.#kernel.madvise(v, n, advice);',
    put: 'const answer = this.#kernel.madvise(n > huge ? alignDown(v, huge) : v, n > huge ? n + (v - alignDown(v, huge)) : n, advice);',
    caughtBy: 'huge-pages/cut',
  },
  {
    wrong: 'the trait says that contents are dropped, and the advice is MADV_FREE',
    subject: linux,
    find: 'const advice = this.#madvDontNeed ? MADV_DONTNEED : this.#adviseUnused;',
    put: 'const advice = MADV_FREE;',
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
    find: 'small = alignDown(small / 2, this.#pageSize);\n            }\n            if (small < this.#pageSize)\n                throw this.#decommitFailed',
    put: 'small = 0;\n            }\n            if (small < this.#pageSize)\n                throw this.#decommitFailed',
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
  // sysFree
  {
    wrong: 'sysFree frees the wrong length: a page less',
    subject: linux,
    find: 'this.#kernel.munmap(v, n)',
    put: 'this.#kernel.munmap(v, Math.max(n - this.#pageSize, this.#pageSize))',
    caughtBy: 'free/any-state',
  },
  {
    wrong: 'sysFree frees the wrong length: a page more',
    subject: linux,
    find: 'this.#kernel.munmap(v, n)',
    put: 'this.#kernel.munmap(v, n + this.#pageSize)',
    caughtBy: 'free/in-parts',
  },
  {
    wrong: 'sysFree hides that the kernel kept the range',
    subject: 'dragonfly',
    find: "this.#refuse('munmap', -answer)",
    put: 'return',
    caughtBy: 'refusals/free',
  },
  {
    wrong: 'sysFree only gives the memory back',
    subject: windows,
    find: 'virtualFree(v, 0, MEM_RELEASE)',
    put: 'virtualFree(v, n, MEM_DECOMMIT)',
    caughtBy: 'free/any-state',
  },
  {
    wrong: 'sysFree forgets what it was given',
    subject: plan9,
    find: 'return this.#memFree(v, n);',
    put: 'return;',
    caughtBy: 'free/no-leak',
  },
  {
    wrong: 'sysFree puts a range on the list twice',
    subject: plan9,
    find: 'if (previous !== null && previous.address + previous.size === v) {',
    put: 'if (previous !== null && previous.address + previous.size === v) {\n            block.next = { address: v, size, next: block.next };',
    caughtBy: 'contents/zero-after-free',
  },
  {
    wrong: 'sysFree does nothing',
    subject: js,
    find: 'this.#free.add(v, size);\n        this',
    put: 'this',
    caughtBy: 'free/no-leak',
  },
  // sysFault
  {
    wrong: 'sysFault forgets MAP_FIXED',
    subject: linux,
    find: /(sysFaultOS\(v, n\) \{[^]*?)MAP_PRIVATE \| MAP_FIXED/,
    put: '$1MAP_PRIVATE',
    caughtBy: 'fault/traps',
  },
  {
    wrong: 'sysFault hides that the kernel refused',
    subject: 'aix',
    find: "this.#refuse('mprotect', -answer)",
    put: 'return',
    caughtBy: 'refusals/fault',
  },
  {
    wrong: 'sysFault keeps the memory behind what can no longer be touched',
    subject: 'freebsd',
    find: 'const p = this.#kernel.mmap(v, n, PROT_NONE, this.#anonymous | MAP_PRIVATE | MAP_FIXED, -1, 0);',
    put: 'const p = this.#kernel.mprotect(v, n, PROT_NONE) < 0 ? -12 : v;',
    caughtBy: 'fault/returns-memory',
  },
  {
    wrong: 'sysFault does nothing',
    subject: 'aix',
    find: 'const answer = this.#kernel.mprotect(v, n, PROT_NONE);',
    put: 'const answer = 0;',
    caughtBy: 'fault/traps',
  },
  // sysReserve
  {
    wrong: 'sysReserve forces the hint: MAP_FIXED over what is owned',
    subject: linux,
    find: 'mmap(v ?? 0, n, PROT_NONE, this.#anonymous | MAP_PRIVATE,',
    put: 'mmap(v ?? 0, n, PROT_NONE, this.#anonymous | MAP_PRIVATE | (v === null ? 0 : MAP_FIXED),',
    caughtBy: 'hints/busy',
  },
  {
    wrong: 'sysReserve drops the hint',
    subject: linux,
    find: 'mmap(v ?? 0, n, PROT_NONE',
    put: 'mmap(0, n, PROT_NONE',
    caughtBy: 'hints/honoured',
  },
  {
    wrong: 'sysReserve maps memory that can be touched',
    subject: 'darwin',
    find: 'mmap(v ?? 0, n, PROT_NONE',
    put: 'mmap(v ?? 0, n, PROT_READ | PROT_WRITE',
    caughtBy: 'reserve/traps',
  },
  {
    wrong: 'sysReserve reserves twice, and keeps the first',
    subject: windows,
    find: 'if (p < 0)\n            p = this',
    put: 'if (v !== null)\n            p = this',
    caughtBy: 'hints/honoured',
  },
  {
    wrong: 'sysReserve leaves its first try behind when the hint is busy',
    subject: linux,
    find: /(sysReserveOS\(v, n\) \{[^]*?)return p;/,
    put: '$1return v !== null && p !== v ? this.sysReserveOS(null, n) : p;',
    caughtBy: 'hints/no-debris',
  },
  {
    wrong: 'sysReserve commits at once',
    subject: windows,
    find: 'let p = this.#kernel.virtualAlloc(v ?? 0, n, MEM_RESERVE,',
    put: 'let p = this.#kernel.virtualAlloc(v ?? 0, n, MEM_RESERVE | MEM_COMMIT,',
    caughtBy: 'reserve/traps',
  },
  {
    wrong: 'a break that failed to rise is taken for raised',
    subject: plan9,
    find: 'if (this.#kernel.brk(bl + size) < 0) {',
    put: 'if (this.#kernel.brk(bl + size) < -1) {',
    caughtBy: 'refusals/reserve',
  },
  {
    wrong: 'the end moves even when growth fails',
    subject: js,
    find: 'if (before < 0) {',
    put: 'if (before < 0) {\n                    this.#reserveEnd += size;',
    caughtBy: 'refusals/too-much',
  },
  {
    wrong: 'freed memory is handed out again without being cleared',
    subject: js,
    find: 'if (used > 0 && this.#kernel.discard === undefined)',
    put: 'if (used > 0 && this.#kernel.discard !== undefined)',
    caughtBy: 'contents/zero-after-free',
  },
  // sysMap
  {
    wrong: 'sysMap forgets MAP_FIXED',
    subject: linux,
    find: /(sysMapOS\(v, n\) \{[^]*?)MAP_FIXED \| /,
    put: '$1',
    caughtBy: 'map/ready',
  },
  {
    wrong: 'sysMap does nothing',
    subject: 'solaris',
    find: 'const p = this.#kernel.mmap(v, n, PROT_READ | PROT_WRITE, this.#anonymous | MAP_FIXED | MAP_PRIVATE, -1, 0);',
    put: 'const p = v;',
    caughtBy: 'map/touchable',
  },
  {
    wrong: 'sysMap swallows every refusal',
    subject: 'darwin',
    find: /if \(-p === ENOMEM\)\s+throw this.#fatal\('out of memory', v, n, p\);\s+if \(p !== v\)\s+throw[^;]*;/,
    put: '',
    caughtBy: 'refusals/map',
  },
  {
    wrong: 'sysMap throws an error of its own',
    subject: 'illumos',
    find: /(-p === ENOMEM\)\s+)throw this\.#fatal\('out of memory', v, n, p\);/,
    put: "$1throw new Error('mmap failed');",
    caughtBy: 'refusals/map',
  },
  {
    wrong: 'sysMap maps to the end of the huge page',
    subject: linux,
    find: /(sysMapOS\(v, n\) \{\s+const p = this.#kernel.mmap\(v, )n/,
    put: '$1alignUp(n, 65536)',
    caughtBy: 'map/touchable',
  },
  // The rest
  {
    wrong: 'mappings are counted twice',
    subject: linux,
    find: 'return this.#kernel.mappings?.() ?? { used: NaN, limit: NaN };',
    put: 'const m = this.#kernel.mappings?.() ?? { used: NaN, limit: NaN };\n        return { used: 2 * m.used, limit: 2 * m.limit };',
    caughtBy: 'account/mappings',
  },
  {
    wrong: 'read copies from the start of the page',
    subject: linux,
    find: 'this.#kernel.read(v, target);',
    put: 'this.#kernel.read(v + this.#pageSize, target);',
    caughtBy: 'contents/copies',
  },
  {
    wrong: 'a view begins a page too far',
    subject: 'freebsd',
    find: 'view(v, n) {\n        return this.#kernel.view(v, n);',
    put: 'view(v, n) {\n        return this.#kernel.view(n > 4096 ? v + 4096 : v, n);',
    caughtBy: 'contents/view-range',
  },
  {
    wrong: 'the traits are not frozen',
    subject: linux,
    find: 'this.traits = Object.freeze({',
    put: 'this.traits = ({',
    caughtBy: 'shape/traits',
  },
  {
    wrong: 'state belongs to the module: two backends share one break',
    subject: plan9,
    find: /this\.#bloc\b/g,
    put: 'Plan9.bloc',
    and: ['#bloc;', 'static bloc;'],
    caughtBy: 'shape/instances',
  },
]
