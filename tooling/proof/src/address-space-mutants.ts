// Mutants that are wrong about address space: what sysFree releases, what sysFault closes, what sysReserve takes, and
// what sysMap opens. mutants.ts lists them.
import type { Mutant } from './mutant.js'

const linux = 'linux'
const windows = 'windows'
const plan9 = 'plan9'
const js = 'js'

/** By the function that is wrong. */
export const addressSpaceMutants: readonly Mutant[] = [
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
    put: [
      'if (previous !== null && previous.address + previous.size === v) {',
      'block.next = { address: v, size, next: block.next };',
    ].join('\n'),
    caughtBy: 'contents/zero-after-free',
  },
  {
    wrong: 'sysZeroOS takes one page too many',
    subject: linux,
    find: /(sysZeroOS\(v, n\) \{[^]*?)madvise\(v, n, MADV_DONTNEED\)/,
    put: '$1madvise(v, n + this.#pageSize, MADV_DONTNEED)',
    caughtBy: 'contents/zero',
  },
  {
    wrong: 'sysZeroOS advises MADV_FREE, so that old bytes stay',
    subject: linux,
    find: /(sysZeroOS\(v, n\) \{[^]*?)madvise\(v, n, MADV_DONTNEED\)/,
    put: '$1madvise(v, n, MADV_FREE)',
    caughtBy: 'contents/zero',
  },
  {
    wrong: 'sysRetireOS keeps the memory',
    subject: linux,
    find: /(sysRetireOS\(v, n, isMapped\) \{[^]*?)this\.#kernel\.madvise\(v, n, MADV_DONTNEED\)/,
    put: '$10',
    caughtBy: 'free/retired',
  },
  {
    wrong: 'sysRetireOS leaves what was faulted as it is',
    subject: linux,
    find: 'if (n > populatedMax && this.#locksMappings())',
    put: 'if (true)',
    caughtBy: 'free/retired',
  },
  {
    wrong: 'sysRetireOS only decommits: a late access faults',
    subject: windows,
    find: /writeZeroes\(this\.#kernel, v, n\);\s+this\.#reset\(v, n\);/,
    put: "this.#decommit('sysFree', v, n);",
    caughtBy: 'free/retired',
  },
  {
    wrong: 'sysRetireOS advises, so that old bytes may come back',
    subject: 'freebsd',
    find: /(sysRetireOS\(v, n\) \{)/,
    put: '$1 if (this.#kernel.madvise(v, n, 5) >= 0) return true;',
    caughtBy: 'free/retired',
  },
  {
    wrong: 'sysFree does nothing',
    subject: js,
    find: 'this.#free.add(v, size);\n        this',
    put: 'this',
    caughtBy: 'free/no-leak',
  },
  {
    wrong: 'what is free below the pages that other code grew is lost',
    subject: js,
    find: 'if (gap > 0)',
    put: 'if (gap < 0)',
    caughtBy: 'free/below-others',
  },
  {
    wrong: 'listeners are not told where other code grew the memory',
    subject: js,
    find: /this\.#pages = pages;\s+this\.#announce\(\);/,
    put: 'this.#pages = pages;',
    caughtBy: 'contents/grown-by-others',
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
    find: 'const p = this.#kernel.mmap(v, n, PROT_NONE, flags, -1, 0);',
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
    wrong: 'sysReserve leaves a refusal where it reserved beside a busy hint',
    subject: linux,
    find: /(sysReserveOS\(v, n\) \{[^]*?)return p;/,
    put: "$1if (v !== null && p !== v) this.refusal = { syscall: 'mmap', hint: 'It is taken.' };\nreturn p;",
    caughtBy: 'refusals/done',
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
    find: 'this.#kernel.mmap(v, n, PROT_READ | PROT_WRITE, this.#anonymous | MAP_FIXED | MAP_PRIVATE, -1, 0)',
    put: 'v',
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
]
