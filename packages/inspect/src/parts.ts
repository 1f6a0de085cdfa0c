// The parts that resident memory falls into, in the order in which the bar, the chart and the terminal stack them.
import type { Explanation } from '@memlayer/core'

/** A part. */
export interface Part {
  /** Its key in an explanation. */
  readonly key: Exclude<keyof Explanation, 'layerParts' | 'resident' | 'external'>
  /** What people read. */
  readonly name: string
  /** Its bytes. */
  readonly bytes: number
  /** Its mark in a terminal. */
  readonly mark: string
  /** Its colour there. */
  readonly sgr: string
}

const parts: readonly Omit<Part, 'bytes'>[] = [
  { key: 'layer', name: 'This memory', mark: '#', sgr: '32' },
  { key: 'jsHeap', name: 'JavaScript heaps', mark: 'j', sgr: '34' },
  { key: 'arrayBuffers', name: 'ArrayBuffers', mark: 'b', sgr: '35' },
  { key: 'mallocSlack', name: 'C library, free', mark: '~', sgr: '31' },
  { key: 'malloc', name: 'C library', mark: 'c', sgr: '33' },
  { key: 'files', name: 'Files', mark: 'f', sgr: '36' },
  { key: 'stacks', name: 'Stacks', mark: 's', sgr: '37' },
  { key: 'unexplained', name: 'Unexplained', mark: '?', sgr: '90' },
]

/** An explanation in parts: they sum to all that is resident. */
export function partsOf(explanation: Explanation): Part[] {
  return parts.map((part) => ({ ...part, bytes: explanation[part.key] }))
}
