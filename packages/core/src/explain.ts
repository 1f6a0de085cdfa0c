// Where the process's resident memory is. The kernel's mappings are the frame: each belongs to one
// part, so that parts sum to what the kernel says; what the engine and the C library say of themselves
// divides the mappings that only they can tell apart. What nobody claims is named as such.
import type { Address, ProcessMapping, ProcessMemory } from '@memlayer/kernel'
import type { RegionState } from './ledger.js'
import type { Memory, OwnedRange } from './memory.js'
import type { OS } from './os.js'
import { residencyOf } from './residency.js'

/** Resident bytes of this memory in one category and state. */
export interface LayerPart {
  /** The category; `null`: none counts it. */
  readonly category: string | null
  /** The state. */
  readonly state: RegionState
  /** Bytes with memory behind them. */
  readonly resident: number
  /** Bytes of address space. */
  readonly size: number
}

/** Where the process's resident memory is. Bytes; the parts sum to `resident`, `unexplained` included. */
export interface Explanation {
  /** Resident memory of the process, as the kernel says. */
  readonly resident: number
  /** JavaScript's heaps, of every thread, with the pages that the engine keeps for later. */
  readonly jsHeap: number
  /** ArrayBuffers and Buffers that the engine has allocated; not the views of this memory. */
  readonly arrayBuffers: number
  /** This memory's ranges. */
  readonly layer: number
  /** The same, by category and state. */
  readonly layerParts: readonly LayerPart[]
  /** What the C library has handed out to anybody else. */
  readonly malloc: number
  /** What the C library holds free and has not given back: `trimHost()` asks it to. */
  readonly mallocSlack: number
  /** Files: the program itself, libraries, mapped data. */
  readonly files: number
  /** Stacks of all threads. */
  readonly stacks: number
  /** The rest: nobody claims it. May be below zero where memory came and went while it was being counted. */
  readonly unexplained: number
  /** `process.memoryUsage().external` without what views of this memory add to it: they are counted as the layer. */
  readonly external: number
}

/** Explains the process that `memory` is in, whose views have `viewBytes`; null where its OS can't tell. */
export function explainProcess(memory: Memory, viewBytes: number): Explanation | null {
  const host = memory.os.processMemory?.() ?? null
  if (host === null) return null
  const ranges = memory.ranges()
  const layerParts = layerOf(memory, ranges)
  const layer = layerParts.reduce((sum, { resident }) => sum + resident, 0)
  const kinds = byKind(host.mappings, ranges, memory.os)
  const own = divide(kinds, host)
  const files = kinds.file + kinds.kernel
  const claimed = own.jsHeap + own.arrayBuffers + own.malloc + own.mallocSlack + layer + files + kinds.stack
  const external = Math.max(0, host.external - viewBytes)
  return { resident: host.resident, ...own, layer, layerParts, files, stacks: kinds.stack, unexplained: host.resident - claimed, external }
}

/** Asks the host's allocator; the bytes by which resident memory fell. */
export function trimHost(os: OS): number {
  if (os.trimHost === undefined) return 0
  const before = os.processMemory?.()?.resident ?? NaN
  if (!os.trimHost()) return 0
  const fell = before - (os.processMemory?.()?.resident ?? NaN)
  return fell > 0 ? fell : 0
}

type Kinds = Record<ProcessMapping['kind'], number>

/** Resident bytes by kind, without the layer's ranges: the kernel makes one mapping of neighbours that are alike. */
function byKind(mappings: readonly ProcessMapping[], ranges: readonly OwnedRange[], os: OS): Kinds {
  const kinds: Kinds = { file: 0, stack: 0, malloc: 0, engine: 0, kernel: 0, anonymous: 0 }
  let next = 0
  for (const { address, size, resident, kind } of mappings) {
    const end = address + size
    while (next < ranges.length && endOf(ranges[next] as OwnedRange) <= address) next += 1
    let own = 0
    for (let i = next; resident > 0 && i < ranges.length && (ranges[i] as OwnedRange).address < end; i++) {
      const range = ranges[i] as OwnedRange
      const from: Address = Math.max(range.address, address)
      if (range.state !== 'Reserved') own += residencyOf(os, from, Math.min(endOf(range), end) - from)?.resident ?? 0
    }
    // A mapping of the layer's alone is no other's, whatever came to it while this was being read.
    if (own > 0) kinds.anonymous += Math.max(0, resident - own)
    else kinds[kind] += resident
  }
  return kinds
}

const endOf = ({ address, size }: OwnedRange): Address => address + size

function layerOf(memory: Memory, ranges: readonly OwnedRange[]): LayerPart[] {
  const parts = new Map<string, LayerPart>()
  for (const { address, size, state, category } of ranges) {
    const key = `${state} ${category === null ? '' : `'${category}`}`
    const before = parts.get(key) ?? { category, state, resident: 0, size: 0 }
    // Reserved pages have none: they were mapped without access.
    const resident = state === 'Reserved' ? 0 : (residencyOf(memory.os, address, size)?.resident ?? 0)
    parts.set(key, { ...before, resident: before.resident + resident, size: before.size + size })
  }
  return [...parts.values()]
}

type Own = Pick<Explanation, 'jsHeap' | 'arrayBuffers' | 'malloc' | 'mallocSlack'>

/** Divides the C library's mappings, and those without a name, between who says to have them. */
function divide(kinds: Kinds, host: ProcessMemory): Own {
  const slack = Math.min(known(host.mallocFree), kinds.malloc)
  // What is surely touched first, then the C library's own mappings, then what the engine has committed and may have touched.
  const touched = Math.min(kinds.anonymous, Math.max(0, known(host.heapTouched) - kinds.engine))
  const mapped = Math.min(kinds.anonymous - touched, known(host.mallocMapped))
  const more = Math.min(kinds.anonymous - touched - mapped, Math.max(0, known(host.heapCommitted) - kinds.engine - touched))
  const jsHeap = kinds.engine + touched + more
  const handedOut = kinds.malloc - slack + mapped
  const arrayBuffers = Math.min(handedOut, known(host.arrayBuffers))
  return { jsHeap, arrayBuffers, malloc: handedOut - arrayBuffers, mallocSlack: slack }
}

const known = (n: number): number => (Number.isFinite(n) ? n : 0)
