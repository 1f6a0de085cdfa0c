// The parts of resident memory, in the order in which the bar, the chart and the terminal stack them.
import type { Explanation } from '@memlayer/core'

/** One part of resident memory. */
export interface Part {
  /** Its key in an explanation. */
  readonly key: Exclude<keyof Explanation, 'layerParts' | 'threadParts' | 'resident' | 'external' | 'allocator'>
  /** The name that people read. */
  readonly name: string
  /** Its bytes. */
  readonly bytes: number
  /** Its mark in a terminal. */
  readonly mark: string
  /** Its colour in a terminal, as SGR parameters. */
  readonly sgr: string
}

// One line per part. When core adds a part that is missing here, this does not compile.
const parts: Readonly<Record<Part['key'], Omit<Part, 'key' | 'bytes'>>> = {
  layer: { name: 'This memory', mark: '#', sgr: '32' },
  retired: { name: 'Freed and written late', mark: 'r', sgr: '95' },
  otherMemories: { name: 'Other memories', mark: 'o', sgr: '92' },
  otherThreads: { name: 'Other threads', mark: 't', sgr: '96' },
  jsHeap: { name: 'JavaScript heaps', mark: 'j', sgr: '34' },
  arrayBuffers: { name: 'ArrayBuffers', mark: 'b', sgr: '35' },
  mallocSlack: { name: 'C library, free', mark: '~', sgr: '31' },
  malloc: { name: 'C library', mark: 'c', sgr: '33' },
  files: { name: 'Files', mark: 'f', sgr: '36' },
  stacks: { name: 'Stacks', mark: 's', sgr: '37' },
  unexplained: { name: 'Unexplained', mark: '?', sgr: '90' },
}

/**
 * An explanation as a list of parts. Their sum is all resident memory. A part that is not known is 0, and what it has
 * is unexplained.
 */
export function partsOf(explanation: Explanation): Part[] {
  return Object.entries(parts).map(([key, part]) => ({
    ...part,
    key: key as Part['key'],
    bytes: known(explanation[key as Part['key']]),
  }))
}

/** JSON has no NaN, so a page has null for it. */
function known(n: number | null): number {
  return n === null || Number.isNaN(n) ? 0 : n
}
