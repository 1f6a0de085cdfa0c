// Which parts of a range have memory behind them. PAGEMAP_SCAN on /proc/self/pagemap came with Linux 6.7 and tells
// huge pages and swap space too. Before 6.7, mincore(2) tells presence alone.
import { residencyBits, type Address } from '@memlayer/kernel'
import type { Engine } from './engine.js'
import { scratch, shared, sharedDescriptor } from './linux-table.js'

// <linux/fs.h>: _IOWR('f', 16, struct pm_scan_arg), and the categories of a page.
const PAGEMAP_SCAN = 0xc0606610
const PAGE_IS_PRESENT = 8
const PAGE_IS_SWAPPED = 16
const PAGE_IS_PFNZERO = 32
const PAGE_IS_HUGE = 64
/** struct pm_scan_arg, twelve words of 64 bits: its size, and the indexes of the words that are set or read. */
const argument = { bytes: 96, start: 2, end: 3, vector: 5, vectorLength: 6, anyOf: 10, returned: 11 } as const
/** struct page_region: start, end, categories. */
const REGION_WORDS = 3
const REGIONS_MAX = 4096
/** Pages in one mincore call. */
const PAGES_MAX = 2 ** 16

/** Declares the calls. The function returned answers null when this host has neither call. */
export function linuxPages(engine: Engine): (v: Address, n: number) => number[] | null {
  const scan = pagemapScan(engine)
  let old: ReturnType<typeof mincore> | undefined
  return (v, n) => {
    const runs = scan?.(v, n)
    if (runs !== undefined && runs !== null) return runs
    old ??= mincore(engine)
    return old(v, n)
  }
}

type Scan = (v: Address, n: number) => number[] | null

function pagemapScan(engine: Engine): Scan | null {
  // The layout is that of 64-bit processes with the low byte first.
  if (!['x64', 'arm64', 'riscv64', 'loong64'].includes(process.arch)) return null
  const bytes = argument.bytes + REGIONS_MAX * REGION_WORDS * 8
  const memory = scratch(engine, bytes + 64)
  if (memory === 0) return null
  const path = new Uint8Array(engine.view(memory + bytes, 64))
  new TextEncoder().encodeInto('/proc/self/pagemap\0', path)
  const open = engine.func(null, 'open', 'int', ['address', 'int'])
  let fd = -1
  const ioctl = engine.func(null, 'ioctl', 'int', ['int', 'size', 'address'])
  const words = new BigUint64Array(engine.view(memory, bytes))
  return (v, n) => {
    // A process that has no descriptor left may have one later.
    if (fd < 0) fd = sharedDescriptor(engine, shared.pagemap, () => open(memory + bytes, 0x80000))
    if (fd < 0) return null
    const runs: number[] = []
    for (let at = v; at < v + n;) {
      words.fill(0n, 0, argument.bytes / 8)
      words[0] = BigInt(argument.bytes)
      words[argument.start] = BigInt(at)
      words[argument.end] = BigInt(v + n)
      words[argument.vector] = BigInt(memory + argument.bytes)
      words[argument.vectorLength] = BigInt(REGIONS_MAX)
      words[argument.anyOf] = BigInt(PAGE_IS_PRESENT | PAGE_IS_SWAPPED)
      words[argument.returned] = BigInt(PAGE_IS_PRESENT | PAGE_IS_SWAPPED | PAGE_IS_PFNZERO | PAGE_IS_HUGE)
      const found = ioctl(fd, PAGEMAP_SCAN, memory)
      if (found < 0) return null
      for (let i = 0; i < found; i++) addRegion(runs, words, argument.bytes / 8 + i * REGION_WORDS)
      // With room left in the vector, the scan came to the end. Linux 6.18 may report an earlier stop, where its
      // own buffer was full.
      if (found < REGIONS_MAX) break
      at = Number(words[argument.bytes / 8 + (found - 1) * REGION_WORDS + 1])
    }
    return runs
  }
}

function addRegion(runs: number[], words: BigUint64Array, at: number): void {
  const [start, end, categories] = [Number(words[at]), Number(words[at + 1]), Number(words[at + 2])]
  let bits = 0
  // The kernel's one shared page of zeroes is not the process's memory.
  if ((categories & PAGE_IS_PRESENT) !== 0 && (categories & PAGE_IS_PFNZERO) === 0) bits |= residencyBits.resident
  if (bits !== 0 && (categories & PAGE_IS_HUGE) !== 0) bits |= residencyBits.huge
  if ((categories & PAGE_IS_SWAPPED) !== 0) bits |= residencyBits.swapped
  if (bits !== 0) addRun(runs, start, end - start, bits)
}

function mincore(engine: Engine): Scan {
  const call = engine.func(null, 'mincore', 'int', ['address', 'size', 'address'])
  const pageSize = engine.func(null, 'getpagesize', 'int', [])()
  const vector = scratch(engine, PAGES_MAX)
  if (vector === 0) return () => null
  const pages = new Uint8Array(engine.view(vector, PAGES_MAX))
  return (v, n) => {
    const runs: number[] = []
    for (let at = v; at < v + n; at += PAGES_MAX * pageSize) {
      const length = Math.min(PAGES_MAX * pageSize, v + n - at)
      // ENOMEM means that a part of the range is not mapped.
      if (call(at, length, vector) !== 0) return null
      for (let i = 0; i < length / pageSize; i++) {
        if (((pages[i] as number) & 1) !== 0)
          addRun(runs, at + i * pageSize, pageSize, residencyBits.resident | residencyBits.partial)
      }
    }
    return runs
  }
}

/** Adds a run. If it continues the last run, makes that one longer instead. */
function addRun(runs: number[], address: Address, length: number, bits: number): void {
  const last = runs.length - 3
  if (last >= 0 && runs[last + 2] === bits && (runs[last] as number) + (runs[last + 1] as number) === address) {
    runs[last + 1] = (runs[last + 1] as number) + length
  } else runs.push(address, length, bits)
}
