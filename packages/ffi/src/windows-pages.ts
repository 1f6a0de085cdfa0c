// Which parts of a range have memory behind them on Windows, by K32QueryWorkingSetEx. Also HeapCompact.
// windows-kernel.ts calls it.
import { residencyBits, type Address } from '@memlayer/kernel'
import type { Engine } from './engine.js'
import { MEM_COMMIT, MEM_RESERVE, memoryBasicInformation as region, PAGE_READWRITE } from './windows-defs.js'

/** The pseudo handle that GetCurrentProcess() returns in every process. */
const CURRENT_PROCESS = -1
/**
 * PSAPI_WORKING_SET_EX_INFORMATION: the address of a page, and 64 bits of which the lowest means valid. Here it is four
 * words of 32 bits. Whole addresses would be bigints, and one for each page costs more than the call.
 */
const ENTRY_WORDS = 4
const entryBytes = 4 * ENTRY_WORDS
const VALID = 1
/** Pages in one K32QueryWorkingSetEx call. */
const PAGES_MAX = 2 ** 12

/** Declares the calls. The function returned answers null when Windows can't tell. */
export function windowsPages(
  engine: Engine,
  kernel32: string,
  pageSize: number,
): (v: Address, n: number) => number[] | null {
  const bytes = PAGES_MAX * entryBytes
  const virtualAlloc = engine.func(kernel32, 'VirtualAlloc', 'size', ['size', 'size', 'int', 'int'])
  const virtualQuery = engine.func(kernel32, 'VirtualQuery', 'size', ['size', 'size', 'size'])
  const queryWorkingSet = engine.func(kernel32, 'K32QueryWorkingSetEx', 'int', ['address', 'size', 'int'])
  const buffer: Address = virtualAlloc(0, bytes + region.size, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE)
  if (buffer === 0) return () => null
  const entries = new Uint32Array(engine.view(buffer, bytes))
  const information = new DataView(engine.view(buffer + bytes, region.size))

  /**
   * Where the pages that are alike end, and whether they are committed. Only committed pages have memory, and the
   * rest may be terabytes.
   */
  const regionAt = (v: Address): { readonly end: Address; readonly isCommitted: boolean } | null => {
    if (virtualQuery(v, buffer + bytes, region.size) === 0) return null
    const end =
      Number(information.getBigUint64(region.BaseAddress, true)) +
      Number(information.getBigUint64(region.RegionSize, true))
    return { end, isCommitted: information.getUint32(region.State, true) === MEM_COMMIT }
  }

  const isValid = (i: number): boolean => ((entries[i * ENTRY_WORDS + 2] as number) & VALID) !== 0

  const addPages = (runs: number[], v: Address, count: number): boolean => {
    for (let i = 0, at = v; i < count; i++, at += pageSize) {
      entries[i * ENTRY_WORDS] = at % 2 ** 32
      entries[i * ENTRY_WORDS + 1] = at / 2 ** 32
    }
    if (queryWorkingSet(CURRENT_PROCESS, buffer, count * entryBytes) === 0) return false
    for (let from = 0; from < count;) {
      if (!isValid(from)) {
        from += 1
        continue
      }
      let to = from + 1
      while (to < count && isValid(to)) to += 1
      addRun(runs, v + from * pageSize, (to - from) * pageSize)
      from = to
    }
    return true
  }

  return (v, n) => {
    const runs: number[] = []
    for (let at = v; at < v + n;) {
      const found = regionAt(at)
      if (found === null) return null
      const end = Math.min(found.end, v + n)
      for (; found.isCommitted && at < end; at += PAGES_MAX * pageSize) {
        if (!addPages(runs, at, Math.min(PAGES_MAX, (end - at) / pageSize))) return null
      }
      at = end
    }
    return runs
  }
}

/**
 * Adds resident pages. If they continue the last run, makes that one longer instead. A page that is not resident may be
 * in the page file, but Windows does not tell.
 */
function addRun(runs: number[], address: Address, size: number): void {
  const last = runs.length - 3
  if (last >= 0 && (runs[last] as number) + (runs[last + 1] as number) === address)
    runs[last + 1] = (runs[last + 1] as number) + size
  else runs.push(address, size, residencyBits.resident | residencyBits.partial)
}

/**
 * HeapCompact on the process's heap. It answers the size of the largest free block, or 0. It does not tell what it
 * gave back.
 */
export function windowsTrim(engine: Engine, kernel32: string, failure: () => number): () => number {
  const getProcessHeap = engine.func(kernel32, 'GetProcessHeap', 'address', [])
  const heapCompact = engine.func(kernel32, 'HeapCompact', 'size', ['address', 'int'])
  return () => {
    const heap = getProcessHeap()
    if (heap === 0) return failure()
    return heapCompact(heap, 0) === 0 ? 0 : 1
  }
}
