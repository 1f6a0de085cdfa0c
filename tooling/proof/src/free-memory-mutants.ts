// Mutants that are wrong about free memory: what the free list holds, where the memory ends, and whose pages they are.
// mutants.ts lists them.
import type { Mutant } from './mutant.js'

const plan9 = 'plan9'
const js = 'js'

/** By the function that is wrong. */
export const freeMemoryMutants: readonly Mutant[] = [
  {
    wrong: 'a free of a part of what is free already is taken for a range in use',
    subject: plan9,
    find: "if (p.address + p.size > v)\n                throw broken('mem: overlapping blocks', 'sysFree'",
    put: "if (p.address >= v)\n                throw broken('mem: overlapping blocks', 'sysFree'",
    caughtBy: 'free/twice',
  },
  {
    wrong: 'the break of the system falls with that of the layer',
    subject: plan9,
    find: '        this.#bloc += size;\n',
    put: '        this.#bloc += size;\n        this.#blocMax = this.#bloc;\n',
    caughtBy: 'refusals/keeps-free',
  },
  {
    wrong: 'a block is joined to the one before it first, and then to the one after it',
    subject: plan9,
    find: 'if (next !== null && v + size === next.address) {',
    put: [
      'if (previous !== null && previous.address + previous.size === v) {',
      '            previous.size += block.size;',
      '            previous.next = block.next;',
      '            previous = null;',
      '        }',
      '        if (next !== null && v + size === next.address) {',
    ].join('\n'),
    caughtBy: 'free/whole-again',
  },
  {
    wrong: 'memory begins within the page in which the data ends',
    subject: plan9,
    find: 'this.#start = this.#memRound(kernel.end);',
    put: 'this.#start = this.#memRound(kernel.end - kernel.pageSize + 1);',
    caughtBy: 'pages/data-end',
  },
  {
    wrong: 'after a refusal the block at the end is enlarged, and the refusal stays',
    subject: plan9,
    find: 'hint: hintOfBreak };\n                return null;',
    put: [
      'hint: hintOfBreak };',
      'const last = this.#memFreelist;',
      'if (last === null || last.next !== null || last.address + last.size !== bl) return null;',
      'if (last.address + size > this.#blocMax) return null;',
      'this.#memFreelist = null;',
      'this.#bloc = last.address + size;',
      'return last.address;',
    ].join('\n'),
    caughtBy: 'refusals/keeps-free',
  },
  {
    wrong: 'what other code grew meanwhile is its own',
    subject: js,
    find: /if \(before > this\.#pages\)\s+this\.#cede\(before\);\s+this\.#pages = Math\.max\(before, this\.#pages\)/,
    put: 'this.#pages = this.#pages',
    caughtBy: 'contents/grown-meanwhile',
  },
  {
    wrong: 'memory begins at 4096 bytes where the data ends inside a larger page',
    subject: plan9,
    find: 'this.#start = this.#memRound(kernel.end);',
    put: 'this.#start = alignUp(kernel.end, 4096);',
    caughtBy: 'pages/data-end',
  },
  {
    wrong: 'sysReserve compares a hint with the break of the system, which a free does not lower',
    subject: plan9,
    find: 'if (hint === this.#bloc) {',
    put: 'if (hint === this.#blocMax) {',
    caughtBy: 'hints/told',
  },
  {
    wrong: 'a free that ends in memory in use is not held against free blocks within it',
    subject: plan9,
    find: 'p !== null && p.address < end; p = p.next) {',
    put: 'p !== null && p.address <= v; p = p.next) {',
    caughtBy: 'free/twice',
  },
  {
    wrong: 'a large free at the end lowers the break of the system',
    subject: plan9,
    find: ['            this.#kernel.clear(v, n);', '            this.#bloc = v;'].join('\n'),
    put: [
      '            this.#kernel.clear(v, n);',
      '            this.#bloc = v;',
      '            if (n >= 2 ** 20 && this.#kernel.brk(v) >= 0) this.#blocMax = v;',
    ].join('\n'),
    caughtBy: 'free/touched',
  },
  {
    wrong: 'memory begins where it ended when the backend was made',
    subject: js,
    find: 'this.#base = Math.max(alignUp(this.#kernel.end, this.#pageSize), this.#pageSize);',
    put: 'this.#base = this.early;',
    and: [
      'this.#pageSize = kernel.pageSize;',
      [
        'this.#pageSize = kernel.pageSize;',
        'this.early = Math.max(alignUp(kernel.end, kernel.pageSize), kernel.pageSize);',
      ].join('\n'),
    ],
    caughtBy: 'contents/grown-before',
  },
  {
    wrong: 'a view is of the buffer that was seen first',
    subject: js,
    find: ['    view(v, n) {', '        return this.#kernel.view(v, n);'].join('\n'),
    put: ['    view(v, n) {', '        return (this.buffer ??= this.#kernel.view(v, n));'].join('\n'),
    caughtBy: 'contents/seen-after',
  },
  {
    wrong: 'a discard goes in pieces, and the last one answers for all',
    subject: 'js, discarding',
    find: ['        if ((this.#kernel.discard?.(v, n) ?? -1) >= 0)', '            return true;'].join('\n'),
    put: [
      '        let isDone = true;',
      '        for (let at = v; at < v + n; at += 2 ** 20)',
      '            isDone = this.#kernel.discard(at, Math.min(2 ** 20, v + n - at)) >= 0;',
      '        if (isDone) return true;',
    ].join('\n'),
    caughtBy: 'refusals/gone',
  },
  {
    wrong: 'what is left of a free block is counted in 32 bits',
    subject: plan9,
    find: 'p.size -= size;',
    put: 'p.size = (p.size - size) | 0;',
    caughtBy: 'free/beyond-32-bits',
  },
  {
    wrong: 'a discard has an address of 32 bits with a sign',
    subject: 'js, discarding',
    find: 'this.#kernel.discard?.(v, n)',
    put: 'this.#kernel.discard?.(v | 0, n)',
    caughtBy: 'repeated/high-addresses',
  },
  {
    wrong: 'sysFree unmaps in pieces, and ends where one is refused',
    subject: 'openbsd',
    find: 'const answer = this.#kernel.munmap(v, n);',
    put: [
      'let answer = 0;',
      '        for (let at = v; at < v + n && answer === 0; at += 2 ** 28)',
      '            answer = this.#kernel.munmap(at, Math.min(2 ** 28, v + n - at));',
    ].join('\n'),
    caughtBy: 'k-th-call/large',
  },
  {
    wrong: 'what the end of memory refuses is taken of what is free, and the refusal stays',
    subject: plan9,
    find: 'return hint === 0 ? this.#memAlloc(n) : null;',
    put: 'return hint === 0 || hint === this.#bloc ? this.#memAlloc(n) : null;',
    caughtBy: 'refusals/keeps-free',
  },
]
