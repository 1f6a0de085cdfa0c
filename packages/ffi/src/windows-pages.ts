// What of a range has memory behind it on Windows, by K32QueryWorkingSetEx, and HeapCompact. Called by
// windows-kernel.ts.
import { residencyBits, type Address } from '@memlayer/kernel'
import type { Engine } from './engine.js'
import { MEM_COMMIT, MEM_RESERVE, memoryBasicInformation as region, PAGE_READWRITE } from './windows-defs.js'

/** The pseudo handle that GetCurrentProcess() answers, of every process. */
const CURRENT_PROCESS = -1
/** PSAPI_WORKING_SET_EX_INFORMATION: the address of a page, and a word whose bit 0 says that it is valid. */
const ENTRY_WORDS = 2
const VALID = 1n
/** Pages in one question. */
const MOST_PAGES = 2 ** 12

/** Null from the function returned: it is not to be known. */
export function windowsPages(
  engine: Engine,
  kernel32: string,
  pageSize: number,
): (v: Address, n: number) => number[] | null {
  const bytes = MOST_PAGES * ENTRY_WORDS * 8
  const virtualAlloc = engine.func(kernel32, 'VirtualAlloc', 'size', ['size', 'size', 'int', 'int'])
  const virtualQuery = engine.func(kernel32, 'VirtualQuery', 'size', ['size', 'size', 'size'])
  const queryWorkingSet = engine.func(kernel32, 'K32QueryWorkingSetEx', 'int', ['address', 'size', 'int'])
  const buffer: Address = virtualAlloc(0, bytes + region.size, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE)
  if (buffer === 0) return () => null
  const entries = new BigUint64Array(engine.view(buffer, bytes))
  const information = new DataView(engine.view(buffer + bytes, region.size))

  /** Where the pages that are alike end, and whether they are committed; nothing else has memory, and it may be terabytes. */
  const regionAt = (v: Address): { readonly end: Address; readonly isCommitted: boolean } | null => {
    if (virtualQuery(v, buffer + bytes, region.size) === 0) return null
    const end =
      Number(information.getBigUint64(region.BaseAddress, true)) +
      Number(information.getBigUint64(region.RegionSize, true))
    return { end, isCommitted: information.getUint32(region.State, true) === MEM_COMMIT }
  }

  const addPages = (runs: number[], v: Address, count: number): boolean => {
    for (let i = 0; i < count; i++) {
      entries[i * ENTRY_WORDS] = BigInt(v + i * pageSize)
      entries[i * ENTRY_WORDS + 1] = 0n
    }
    if (queryWorkingSet(CURRENT_PROCESS, buffer, count * ENTRY_WORDS * 8) === 0) return false
    for (let i = 0; i < count; i++) {
      if (((entries[i * ENTRY_WORDS + 1] as bigint) & VALID) !== 0n) addPage(runs, v + i * pageSize, pageSize)
    }
    return true
  }

  return (v, n) => {
    const runs: number[] = []
    for (let at = v; at < v + n;) {
      const found = regionAt(at)
      if (found === null) return null
      const end = Math.min(found.end, v + n)
      for (; found.isCommitted && at < end; at += MOST_PAGES * pageSize) {
        if (!addPages(runs, at, Math.min(MOST_PAGES, (end - at) / pageSize))) return null
      }
      at = end
    }
    return runs
  }
}

/** Adds a page, or lengthens the last run where it goes on. What is not resident may be in the page file: it is not told. */
function addPage(runs: number[], address: Address, pageSize: number): void {
  const last = runs.length - 3
  if (last >= 0 && (runs[last] as number) + (runs[last + 1] as number) === address)
    runs[last + 1] = (runs[last + 1] as number) + pageSize
  else runs.push(address, pageSize, residencyBits.resident | residencyBits.partial)
}

/** HeapCompact on the process's heap. It answers with the largest block that is free, or 0; not with what was given back. */
export function windowsTrim(engine: Engine, kernel32: string, failure: () => number): () => number {
  const getProcessHeap = engine.func(kernel32, 'GetProcessHeap', 'address', [])
  const heapCompact = engine.func(kernel32, 'HeapCompact', 'size', ['address', 'int'])
  return () => {
    const heap = getProcessHeap()
    if (heap === 0) return failure()
    return heapCompact(heap, 0) === 0 ? 0 : 1
  }
}
