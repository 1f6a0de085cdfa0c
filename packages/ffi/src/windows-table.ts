// One table for the threads of a Windows process, as linux-table.ts has it on Linux: at an address that all threads
// and all copies of this package know. VirtualAlloc gives that address once, and refuses it the second time.
// packages/docs/decisions/one-table-for-the-process.md has the reasons.
import type { Address, ProcessTable } from '@memlayer/kernel'
import type { Engine } from './engine.js'
import { onThreadEnd } from './thread-ends.js'
import {
  ERROR_INVALID_PARAMETER,
  MEM_COMMIT,
  MEM_DECOMMIT,
  MEM_FREE,
  MEM_RELEASE,
  MEM_RESERVE,
  memoryBasicInformation as region,
  PAGE_READWRITE,
  SYNCHRONIZE,
  THREAD_QUERY_LIMITED_INFORMATION,
  WAIT_OBJECT_0,
} from './windows-defs.js'

// The layout of the words is core's. Another layout wants another address.
const address: Address = 0x6d65_6d6c_0000
/** Room for 1,000 records. All of it is committed, so it is smaller than Linux's. */
const words = 2 ** 16
const tableBytes = 4 * words
/** The last word is a magic number. */
const MAGIC = words - 1
const magic = 0x6d6c_0001

/** What the kernel says of the pages at an address that are alike. */
interface Pages {
  /** Where the reservation begins that they are in. 0: they are in none. */
  readonly base: Address
  readonly end: Address
  readonly isCommitted: boolean
}

let table: ProcessTable | null = null

/** The process's table; null: there is no memory for it now, or something else lies there. */
export function windowsTable(engine: Engine, kernel32: string): ProcessTable | null {
  table ??= openTable(engine, kernel32)
  return table
}

function openTable(engine: Engine, kernel32: string): ProcessTable | null {
  const virtualAlloc = engine.func(kernel32, 'VirtualAlloc', 'size', ['size', 'size', 'int', 'int'])
  const virtualFree = engine.func(kernel32, 'VirtualFree', 'int', ['size', 'size', 'int'])
  const map = (at: Address, bytes: number): Address => virtualAlloc(at, bytes, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE)
  const pagesAt = openPages(engine, kernel32, map)
  if (pagesAt === null) return null
  if (map(address, tableBytes) !== address) {
    const found = pagesAt(address)
    if (found === null || !found.isCommitted || found.base !== address || found.end < address + tableBytes) return null
  }
  const all = new Int32Array(engine.view(address, tableBytes))
  const found = Atomics.compareExchange(all, MAGIC, 0, magic)
  if (found !== 0 && found !== magic) return null
  return {
    words: all.subarray(0, MAGIC),
    thread: engine.func(kernel32, 'GetCurrentThreadId', 'int', [])(),
    engineThread: process.getBuiltinModule('node:worker_threads').threadId,
    isThread: openThreads(engine, kernel32),
    map: (bytes) => map(0, bytes),
    numbers: (at, bytes) => new Float64Array(engine.view(at, bytes)),
    unmap(at, bytes) {
      // Neighbors that were obtained apart come as one range. Part of a reservation can't be released: it is
      // decommitted, which gives its memory back, and its addresses stay taken.
      for (let from = at; from < at + bytes;) {
        const pages = pagesAt(from)
        if (pages === null || pages.base === 0) return false
        const end = endOf(pagesAt, from, pages.base)
        const isWhole = pages.base === from && end <= at + bytes
        const size = Math.min(end, at + bytes) - from
        if (virtualFree(from, isWhole ? 0 : size, isWhole ? MEM_RELEASE : MEM_DECOMMIT) === 0) return false
        from += size
      }
      return true
    },
    onThreadEnd,
  }
}

/** Where the reservation ends that begins at `base` and has the pages at `from`. */
function endOf(pagesAt: (v: Address) => Pages | null, from: Address, base: Address): Address {
  let end = from
  for (let pages = pagesAt(end); pages?.base === base; pages = pagesAt(end)) end = pages.end
  return end
}

/** Declares VirtualQuery. Null: there is no memory for its answer. */
function openPages(
  engine: Engine,
  kernel32: string,
  map: (at: Address, bytes: number) => Address,
): ((v: Address) => Pages | null) | null {
  const virtualQuery = engine.func(kernel32, 'VirtualQuery', 'size', ['size', 'size', 'size'])
  const answer = map(0, region.size)
  if (answer === 0) return null
  const information = new DataView(engine.view(answer, region.size))
  const number = (offset: number): number => Number(information.getBigUint64(offset, true))
  return (v) => {
    if (virtualQuery(v, answer, region.size) === 0) return null
    const state = information.getUint32(region.State, true)
    return {
      // Free addresses have no base, and what stands in its place is not to be read.
      base: state === MEM_FREE ? 0 : number(region.AllocationBase),
      end: number(region.BaseAddress) + number(region.RegionSize),
      isCommitted: state === MEM_COMMIT && information.getUint32(region.Protect, true) === PAGE_READWRITE,
    }
  }
}

/** Whether a number is that of a thread of this process. A thread that can't be asked about counts as living. */
function openThreads(engine: Engine, kernel32: string): (thread: number) => boolean {
  const openThread = engine.func(kernel32, 'OpenThread', 'size', ['int', 'int', 'int'])
  const processOf = engine.func(kernel32, 'GetProcessIdOfThread', 'int', ['size'])
  const wait = engine.func(kernel32, 'WaitForSingleObject', 'int', ['size', 'int'])
  const close = engine.func(kernel32, 'CloseHandle', 'int', ['size'])
  const getLastError = engine.func(kernel32, 'GetLastError', 'int', [])
  return (thread) => {
    const handle = openThread(SYNCHRONIZE | THREAD_QUERY_LIMITED_INFORMATION, 0, thread)
    if (handle === 0) return getLastError() !== ERROR_INVALID_PARAMETER
    // A handle that the engine has not closed keeps the number of a thread that has ended. It is signaled then.
    const hasEnded = wait(handle, 0) === WAIT_OBJECT_0
    const owner = processOf(handle)
    close(handle)
    return !hasEnded && (owner === 0 || owner === process.pid)
  }
}
