// Where the process's resident memory is. The kernel's mappings are the frame: each belongs to one
// part, so that parts sum to what the kernel says; what the engine and the C library say of themselves
// divides the mappings that only they can tell apart. What nobody claims is named as such.
import type { ProcessMapping, ProcessMemory } from '@memlayer/kernel'
import type { RegionState } from './ledger.js'
import type { Memory, OwnedRange } from './memory.js'
import type { OS } from './os.js'
import { othersThan } from './memories.js'
import { joined, residentRuns, RunSums, type Runs } from './resident-runs.js'

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
  /** JavaScript's heaps, of every thread, with the pages that the engine keeps for later. Where its pages can't be told, what V8 says of this thread's. */
  readonly jsHeap: number
  /** ArrayBuffers and Buffers that the engine has allocated; not the views of this memory. */
  readonly arrayBuffers: number
  /** This memory's ranges. */
  readonly layer: number
  /** The same, by category and state. */
  readonly layerParts: readonly LayerPart[]
  /** The ranges of the other memories that were made in this thread. Those of other threads are not to be known: they are unexplained. */
  readonly otherMemories: number
  /** What the C library has handed out to anybody else. */
  readonly malloc: number
  /** What the C library holds free and has not given back: `trimHost()` asks it to. */
  readonly mallocSlack: number
  /** Files: the program itself, libraries, mapped data. */
  readonly files: number
  /** Stacks of all threads. */
  readonly stacks: number
  /**
   * The rest, which nobody claims: memory of another thread's layer, or that foreign code has mapped by itself. May be
   * below zero where memory came and went while it was being counted.
   */
  readonly unexplained: number
  /** `process.memoryUsage().external` without what views of this memory add to it: they are counted as the layer. */
  readonly external: number
}

/** Explains the process that `memory` is in, whose views have `viewBytes`; null where its OS can't tell. */
export function explainProcess(memory: Memory, viewBytes: number): Explanation | null {
  const host = memory.os.processMemory?.() ?? null
  if (host === null) return null
  const ranges = memory.ranges()
  const runs = residentRuns(memory.os, ranges)
  // Each is asked by its own backend: over a kernel of its own, simulated say, that knows nothing of this process.
  const others = othersThan(memory).map((other) => residentRuns(other.os, other.ranges()))
  const [layer, otherMemories] = [bytesOf(runs), others.reduce((sum, other) => sum + bytesOf(other), 0)]
  const kinds = byKind(host.mappings, joined([runs, ...others]))
  const own = divide(kinds, host)
  const files = kinds.file + kinds.kernel
  const parts = { ...own, layer, otherMemories, files, stacks: kinds.stack }
  const claimed = Object.values(parts).reduce((sum, part) => sum + part, 0)
  const external = Math.max(0, host.external - viewBytes)
  return {
    resident: host.resident,
    ...parts,
    layerParts: layerOf(ranges, runs),
    unexplained: host.resident - claimed,
    external,
  }
}

/** Asks the host's allocator; the bytes by which resident memory fell. */
export function trimHost(os: OS): number {
  if (os.trimHost === undefined) return 0
  const before = residentMemory(os)
  if (!os.trimHost()) return 0
  const fell = before - residentMemory(os)
  return fell > 0 ? fell : 0
}

function residentMemory(os: OS): number {
  return os.processMemory?.()?.resident ?? os.residentMemory?.() ?? NaN
}

type Kinds = Record<ProcessMapping['kind'], number>

/** Resident bytes by kind, without the memories' ranges: the kernel makes one mapping of neighbours that are alike. */
function byKind(mappings: readonly ProcessMapping[], runs: Runs): Kinds {
  const kinds: Kinds = { file: 0, stack: 0, malloc: 0, engine: 0, kernel: 0, anonymous: 0 }
  const sums = new RunSums(runs)
  for (const { address, size, resident, kind } of mappings) {
    const owned = resident > 0 ? sums.within(address, address + size) : 0
    // A mapping of the layer's alone is no other's, whatever came to it while this was being read.
    if (owned > 0) kinds.anonymous += Math.max(0, resident - owned)
    else kinds[kind] += resident
  }
  return kinds
}

const bytesOf = (runs: Runs): number => new RunSums(runs).within(0, Infinity)

function layerOf(ranges: readonly OwnedRange[], runs: Runs): LayerPart[] {
  type Part = { resident: number; size: number }
  const parts = new Map<string | null, Map<RegionState, Part>>()
  const sums = new RunSums(runs)
  for (const { address, size, state, category } of ranges) {
    let states = parts.get(category)
    if (states === undefined) parts.set(category, (states = new Map<RegionState, Part>()))
    let part = states.get(state)
    if (part === undefined) states.set(state, (part = { resident: 0, size: 0 }))
    part.resident += sums.within(address, address + size)
    part.size += size
  }
  return [...parts].flatMap(([category, states]) =>
    Array.from(states, ([state, part]) => ({ category, state, ...part })),
  )
}

type Own = Pick<Explanation, 'jsHeap' | 'arrayBuffers' | 'malloc' | 'mallocSlack'>

/** Divides the C library's mappings, and those without a name, between who says to have them. */
function divide(kinds: Kinds, host: ProcessMemory): Own {
  const slack = Math.min(known(host.mallocFree), kinds.malloc)
  // Where no page could be told to be the engine's, it has what it says to have touched, then the C library what it
  // has mapped, then the engine what it has committed and may have touched.
  const isTold = kinds.engine > 0
  const touched = isTold ? 0 : Math.min(kinds.anonymous, known(host.heapTouched))
  const mapped = Math.min(kinds.anonymous - touched, known(host.mallocMapped))
  const more = isTold
    ? 0
    : Math.min(kinds.anonymous - touched - mapped, Math.max(0, known(host.heapCommitted) - touched))
  const jsHeap = kinds.engine + touched + more
  const handedOut = kinds.malloc - slack + mapped
  const arrayBuffers = Math.min(handedOut, known(host.arrayBuffers))
  return { jsHeap, arrayBuffers, malloc: handedOut - arrayBuffers, mallocSlack: slack }
}

const known = (n: number): number => (Number.isFinite(n) ? n : 0)
