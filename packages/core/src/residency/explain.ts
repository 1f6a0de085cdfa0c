// Where the process's resident memory is. The kernel's mappings are the frame: each belongs to one part, so the parts
// sum to what the kernel says. The engine and the C library can tell apart mappings that the kernel can't, so their
// own figures divide those. Memory that nothing claims is a part too.
import type { Allocator, ProcessMapping, ProcessMemory } from '@memlayer/kernel'
import type { OwnedRange, RegionState } from '../ledger/states.js'
import type { OS } from '../os.js'
import { otherThreads, reap } from '../process/reap.js'
import { tableOf } from '../process/record.js'
import { othersThan, type Explained } from './memories.js'
import { joined, residentRuns, RunSums, type Runs } from './resident-runs.js'

/** Resident bytes of this memory in one category and state. */
export interface LayerPart {
  /** The category; `null`: no category counts it. */
  readonly category: string | null
  /** The state. */
  readonly state: RegionState
  /** Bytes with memory behind them. */
  readonly resident: number
  /** Bytes of address space. */
  readonly size: number
}

/** Resident bytes of one memory of another thread. */
export interface ThreadPart {
  /** The thread's number, which its `Worker` has as `threadId`; 0: the main thread. NaN: the engine does not tell. */
  readonly thread: number
  /** Bytes with memory behind them. */
  readonly resident: number
  /** Bytes of address space. */
  readonly size: number
}

/**
 * Where the process's resident memory is. Bytes; the parts sum to `resident`, `unexplained` included. A part that is
 * NaN counts as 0.
 */
export interface Explanation {
  /** Resident memory of the process, as the kernel says. */
  readonly resident: number
  /**
   * JavaScript's heaps, of every thread, with the pages that the engine keeps for later. Where the engine's pages can't
   * be told from others, it is what V8 says of this thread's heap.
   */
  readonly jsHeap: number
  /** ArrayBuffers and Buffers that the engine has allocated, without the views of this memory. */
  readonly arrayBuffers: number
  /** This memory's ranges. */
  readonly layer: number
  /** This memory's ranges by category and state. */
  readonly layerParts: readonly LayerPart[]
  /** This memory's retired ranges: what was written late, until it is given back. 256 GiB of them are looked at. */
  readonly retired: number
  /** The ranges of other memories of this thread. */
  readonly otherMemories: number
  /** The ranges of memories of other threads, where the threads of the process have a table in common: on Linux. */
  readonly otherThreads: number
  /** The ranges of each of those memories. */
  readonly threadParts: readonly ThreadPart[]
  /**
   * The allocator that serves `malloc`: the C library's, or the one that LD_PRELOAD or a linker put in its place.
   * `'unknown'`: one that has no figures here.
   */
  readonly allocator: Allocator
  /**
   * What the allocator has handed out to other code. Of an allocator other than glibc it is what that one says it has,
   * so memory that foreign code has mapped may be taken for it. NaN: the allocator does not tell, and `unexplained`
   * includes it.
   */
  readonly malloc: number
  /**
   * What the allocator holds free and has not given back. `trimHost()` asks it to. NaN: the allocator does not tell,
   * and `malloc` or `unexplained` includes it.
   */
  readonly mallocSlack: number
  /** Files: the program itself, libraries, mapped data. */
  readonly files: number
  /** Stacks of all threads. */
  readonly stacks: number
  /**
   * The rest: memory that foreign code has mapped by itself. It may be below zero where memory came and went during the
   * count.
   */
  readonly unexplained: number
  /** `process.memoryUsage().external` without what views of this memory add to it. The layer's part counts those. */
  readonly external: number
}

/**
 * Explains the process that `memory` is in, whose views have `viewBytes`, and whose retired ranges are pairs of address
 * and size. Null where its OS can't tell.
 */
export function explainProcess(
  memory: Explained,
  viewBytes: number,
  retiredRanges: readonly number[],
): Explanation | null {
  const host = memory.os.host?.processMemory?.() ?? null
  if (host === null) return null
  const ranges = memory.ranges()
  const runs = residentRuns(memory.os, ranges)
  // Each memory asks its own backend. A backend over a simulated kernel knows nothing of this process.
  const others = othersThan(memory).map((other) => residentRuns(other.os, other.ranges()))
  const retiredRuns = residentRuns(memory.os, mappedRanges(retiredRanges))
  const [layer, retired] = [residentBytes(runs), residentBytes(retiredRuns)]
  const otherMemories = others.reduce((sum, other) => sum + residentBytes(other), 0)
  const threads = threadsOf(memory.os)
  const threadBytes = threads.reduce((sum, { part }) => sum + part.resident, 0)
  const threadRuns = threads.map((one) => one.runs)
  const kinds = byKind(host.mappings, joined([runs, retiredRuns, ...others, ...threadRuns]))
  const { mallocResident } = host
  const own = mallocResident === undefined ? divide(kinds, host) : divideUntold(kinds, host, mallocResident)
  const files = kinds.file + kinds.kernel
  const parts = { ...own, layer, retired, otherMemories, otherThreads: threadBytes, files, stacks: kinds.stack }
  const claimed = Object.values(parts).reduce((sum, part) => sum + known(part), 0)
  const external = Math.max(0, host.external - viewBytes)
  return {
    resident: host.resident,
    allocator: host.allocator ?? 'unknown',
    ...parts,
    layerParts: layerOf(ranges, runs),
    threadParts: threads.map(({ part }) => part),
    unexplained: host.resident - claimed,
    external,
  }
}

/** What other threads have. What threads have left that have ended is given back first. */
function threadsOf(os: OS): { readonly part: ThreadPart; readonly runs: Runs }[] {
  const table = tableOf(os)
  if (table === null) return []
  reap(table)
  return otherThreads(table)
    .filter(({ ranges }) => ranges.length > 0)
    .map(({ thread, ranges }) => {
      const runs = residentRuns(os, mappedRanges(ranges.flat()))
      const size = ranges.reduce((sum, [, n]) => sum + n, 0)
      return { part: { thread, resident: residentBytes(runs), size }, runs }
    })
}

/** Asks the host's allocator to give back what it holds free. Returns the bytes by which resident memory fell. */
export function trimHost(os: OS): number {
  if (os.host?.trim === undefined) return 0
  const before = residentMemory(os)
  if (os.host.trim() < 0) return 0
  const fell = before - residentMemory(os)
  return fell > 0 ? fell : 0
}

function residentMemory(os: OS): number {
  return os.host?.processMemory?.()?.resident ?? os.host?.residentMemory?.() ?? NaN
}

type Kinds = Record<ProcessMapping['kind'], number>

/** Resident bytes by kind, without the memories' ranges. The kernel makes one mapping of neighbours that are alike. */
function byKind(mappings: readonly ProcessMapping[], runs: Runs): Kinds {
  const kinds: Kinds = { file: 0, stack: 0, malloc: 0, engine: 0, kernel: 0, anonymous: 0 }
  const sums = new RunSums(runs)
  for (const { address, size, resident, kind } of mappings) {
    const owned = resident > 0 ? sums.within(address, address + size) : 0
    kinds[kind] += Math.max(0, resident - owned)
  }
  return kinds
}

/** So many bytes of retired ranges are looked at. Linux before 6.7 answers page by page, and there may be 16 TiB. */
const retiredBytesMax = 2 ** 38

function mappedRanges(pairs: readonly number[]): OwnedRange[] {
  const ranges: OwnedRange[] = []
  let left = retiredBytesMax
  for (let i = 0; i < pairs.length && left > 0; i += 2) {
    const size = Math.min(pairs[i + 1] as number, left)
    ranges.push({ address: pairs[i] as number, size, state: 'Ready', category: null })
    left -= size
  }
  return ranges
}

const residentBytes = (runs: Runs): number => new RunSums(runs).within(0, Infinity)

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

/**
 * Divides memory without a name where an allocator serves that has no mappings of its own kind. What the engine says
 * of its ArrayBuffers stands whatever the allocator tells.
 */
function divideUntold(kinds: Kinds, host: ProcessMemory, mallocResident: number): Own {
  let left = kinds.malloc + kinds.anonymous
  const take = (n: number): number => {
    const taken = Math.min(left, Math.max(0, known(n)))
    left -= taken
    return taken
  }
  // As in `divide`, what the engine has committed and may have touched comes last.
  const touched = kinds.engine > 0 ? 0 : take(host.heapTouched)
  const arrayBuffers = take(host.arrayBuffers)
  const mallocSlack = Number.isNaN(host.mallocFree) ? NaN : take(host.mallocFree)
  const others = mallocResident - arrayBuffers - known(mallocSlack)
  const malloc = Number.isNaN(others) ? NaN : take(others)
  const more = kinds.engine > 0 ? 0 : take(host.heapCommitted - touched)
  return { jsHeap: kinds.engine + touched + more, arrayBuffers, malloc, mallocSlack }
}

/** Divides the C library's mappings, and those without a name, by what the engine and the C library say they have. */
function divide(kinds: Kinds, host: ProcessMemory): Own {
  const slack = Math.min(known(host.mallocFree), kinds.malloc)
  // If no page could be told to be the engine's, the engine's part is what it says it has touched. Then comes what the
  // C library has mapped, then what the engine has committed and may have touched.
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
