// Mutants that are wrong about free memory: what the free list holds, where the memory ends, and whose pages they are.
// mutants.ts lists them.
import type { Mutant } from './mutant.js'

const plan9 = 'plan9'

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
    subject: 'js',
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
]
